"""Write the pages of docs/ that are printed from the tests' tables: docs/coming_from.md and docs/wrong_inputs.md.

``python tools/pages.py``. A test holds that both are what their tables say.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
from peers import ROWS, TORCH
from wrong_inputs import WRONG

WRONG_INPUTS = """\
# Wrong inputs

What is refused, and what is said. The tests run each of these, eagerly and under jit, and expect these words.

Here `params`, `grads` and `state` belong to `opt = adam()` over `{'layer': {'w': jnp.ones(3), 'b': jnp.ones(())}}`.
`w` and `b` are its leaves. `twice` is a wrapper. `decaying` is an optimizer that needs `params`, `polyak` one that
needs `params` and `value`."""


def coming_from() -> str:
    lines = [
        "# Coming from optax or torch",
        "",
        "What an optimizer is called elsewhere, and what goes the same way here. The tests run each row both ways, for",
        "fifty steps in double precision: optax itself, and what optimizers for torch did once",
        f"({', '.join(f'`{name}`' for name in TORCH)}). Where the third column is empty, nothing differs.",
        "",
        "| elsewhere | here | what differs |",
        "|---|---|---|",
    ]
    for rows in ROWS.values():
        for row in rows:
            lines.append(f"| `{row.theirs}` | {'' if row.same else 'not '}`{row.ours}` | {row.note} |")
    return "\n".join(lines) + "\n"


def wrong_inputs() -> str:
    lines = [WRONG_INPUTS]
    for title, rows in WRONG.items():
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| `{code}` | {error.__name__}: {sentence.replace('<', '&lt;')} |" for code, error, sentence in rows]
    return "\n".join(lines) + "\n"


PAGES = {"coming_from.md": coming_from, "wrong_inputs.md": wrong_inputs}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
