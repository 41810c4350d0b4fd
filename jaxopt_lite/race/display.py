"""Shows a race while it runs: a live table where rich can draw one, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from jaxopt_lite.race.notebook import table_html
from jaxopt_lite.race.ranking import Ranked
from jaxopt_lite.race.table import closing, progress, rate, rich_table, text

# A line of progress each time this share of the steps is over.
SHARE_PER_LINE = 1 / 8


# The live table may take this share of the time.
SHARE_OF_TIME = 1 / 10


@contextmanager
def progress_display(show: str | bool | None, record: Any) -> Iterator[Callable[[Ranked], None]]:
    """Yield a function that shows the result so far; on leaving, show the result of ``record``.

    Raises:
        ValueError: ``show`` is none of its values.
    """
    if show not in {"auto", "live", "plain", None, False}:
        raise ValueError(f"race: show must be one of 'auto', 'live', 'plain', None, not {show!r}")
    if show is None or show is False:
        yield lambda result: None
        return
    count = len(record.track.entrants)
    compiling = f"compiling {count} optimizer{'s' * (count > 1)} in one program"
    if show != "plain" and find_spec("rich"):
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.live import Live  # noqa: PLC0415 - an extra

        console = Console()
        if console.is_jupyter:
            yield from _in_notebook(compiling, record)
            return
        if show == "live" or console.is_terminal:
            with Live(compiling, console=console, transient=True) as live:
                yield now_and_then(lambda result: live.update(rich_table(result)))
            result = record.result()
            console.print(rich_table(result))
            print(*closing(result), sep="\n", flush=True)
            return
    print(compiling, flush=True)
    shown = [0.0]

    def line(result: Ranked) -> None:
        done = len(result.losses[0, 0]) / result.steps
        if done >= shown[0] + SHARE_PER_LINE and done < 1:
            shown[0] = done
            print(f"{progress(result)}: {leader(result)}", flush=True)

    yield line
    print(text(record.result()), flush=True)


def _in_notebook(compiling: str, record: Any) -> Iterator[Callable[[Ranked], None]]:
    # rich's own live table asks for ipywidgets there.
    from IPython.display import HTML, display  # noqa: PLC0415 - a notebook has it

    shown = display(HTML(compiling), display_id=True)
    yield now_and_then(lambda result: shown.update(HTML(table_html(result, [progress(result)]))))
    shown.update(HTML(table_html(record.result())))


def now_and_then(draw: Callable[[Ranked], None]) -> Callable[[Ranked], None]:
    """Return ``draw``, which leaves out results, because the table of a long race takes longer than its next chunk."""
    due = 0.0

    def look(result: Ranked) -> None:
        nonlocal due
        began = time.perf_counter()
        if began >= due:
            draw(result)
            ended = time.perf_counter()
            due = ended + (ended - began) * (1 / SHARE_OF_TIME - 1)

    return look


def leader(result: Ranked) -> str:
    """Return who leads, and by which score."""
    row = result.rows[0]
    return f"{row.name} at {rate(row.lr)} leads with {row.score:.4g}, {result.judged_by}"
