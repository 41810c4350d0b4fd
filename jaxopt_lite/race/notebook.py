"""A race in a notebook: text that keeps its lines, a table, and a page that shows itself."""

import html

from jaxopt_lite.race.ranking import Ranked
from jaxopt_lite.race.table import cells, closing, summary, titles


class Text(str):
    """A text that a notebook, or the interpreter, shows line by line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Page(str):
    """A page of HTML that a notebook shows in a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"a page of {len(self)} characters"

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self)}" style="width: 100%; height: 60rem; border: 0"></iframe>'


def table_html(result: Ranked, below: list[str] | None = None) -> str:
    """Return the table as HTML, with lines of text below it; by default the summary and the verdict."""

    def row(tag: str, texts: tuple[str, ...]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(text)}</{tag}>' for text in texts)}</tr>"

    rows = "".join(row("td", cells(result, r)) for r in result.rows)
    lines = [summary(result), *closing(result)] if below is None else below
    text = "".join(f"<div><code>{html.escape(line)}</code></div>" for line in lines)
    return f"<table><thead>{row('th', titles(result))}</thead><tbody>{rows}</tbody></table>{text}"
