"""Write the pages of docs/ that are printed from the tests' tables.

``python tools/pages.py`` writes docs/coming_from.md, docs/wrong_inputs.md and docs/peer_suites.md. A test holds that
they are what their tables say.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
import torch_inputs
from optax_suite import outcomes
from peers import ROWS, TORCH
from peers_around import AROUND, EXAMPLES, SCHEDULES, STATES
from wrong_inputs import WRONG

WRONG_INPUTS = """\
# Wrong inputs

What is refused, and what is said. The tests run each of these, eagerly and under jit, and expect these words.

Here `params`, `grads` and `state` belong to `opt = adam()` over `{'layer': {'w': jnp.ones(3), 'b': jnp.ones(())}}`.
`w` and `b` are its leaves. `twice` is a wrapper. `decaying` is an optimizer that needs `params`, `polyak` one that
needs `params` and `value`."""

PEER_SUITES = f"""\
# Tests of optax and torch

optax {outcomes.VERSION} tests its optimizers, schedules, transforms and wrappers. A shim puts ours in their place, and
runs these tests as they are. torch lists inputs for the tests of its optimizers. Each is run there and here, for twenty
steps in double precision.

A test is comparable if it calls one of ours. It fails if ours lack what it asks for. `pytest -m slow
tests/test_optax_suite.py tests/test_torch_inputs.py` runs all of it: a test that fails without a row below, or passes
with one, is an error."""


def coming_from() -> str:
    lines = [
        "# Coming from optax or torch",
        "",
        "What an optimizer is called elsewhere, and what goes the same way here. The tests run each row both ways, for",
        "fifty steps in double precision: optax itself, and what optimizers for torch did once",
        f"({', '.join(f'`{name}`' for name in TORCH)}). Where the third column is empty, nothing differs.",
        "",
    ]
    sections = {"Rules": [row for rows in ROWS.values() for row in rows], "Transforms and wrappers": AROUND}
    for title, rows in (sections | {"Gradients of single examples": EXAMPLES, "Schedules": SCHEDULES}).items():
        lines += [f"## {title}", "", "| elsewhere | here | what differs |", "|---|---|---|"]
        lines += [f"| `{row.theirs}` | {'' if row.same else 'not '}`{row.ours}` | {row.note} |" for row in rows]
        lines.append("")
    lines += ["## What states hold", "", "| optimizer there | here | asked there | asked here |", "|---|---|---|---|"]
    lines += [f"| `{theirs}` | `{ours}` | `{asked}` | `{ask}` |" for theirs, asked, ours, ask in STATES]
    return "\n".join(lines) + "\n"


def wrong_inputs() -> str:
    lines = [WRONG_INPUTS]
    for title, rows in WRONG.items():
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| `{code}` | {error.__name__}: {sentence.replace('<', '&lt;')} |" for code, error, sentence in rows]
    return "\n".join(lines) + "\n"


def counts(rows: list[tuple[str, int, int, int]]) -> list[str]:
    """Count how many tests passed, failed, and were not comparable, by group and in all."""
    rows = [*rows, ("all", *(sum(row[column] for row in rows) for column in (1, 2, 3)))]
    lines = ["| group | comparable | passed | failed | not comparable |", "|---|---:|---:|---:|---:|"]
    return lines + [
        f"| {name} | {passed + failed} | {passed} | {failed} | {other} |" for name, passed, failed, other in rows
    ]


def reasons(title: str, column: str, rows: list[tuple[str, int, str]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"### {title}", "", f"| {column} | how many | why |", "|---|---:|---|"]
    return lines + [f"| {name} | {number} | {reason} |" for name, number, reason in rows]


def peer_suites() -> str:
    table = outcomes.read()
    groups, why = [], {"failed": [], "not_comparable": []}
    for name, group in table.items():
        number = dict.fromkeys(why, 0)
        for kind in why:
            mine = [(name, len(outcomes.expanded(tests)), reason) for reason, tests in group.get(kind, {}).items()]
            why[kind] += mine
            number[kind] = sum(count for _, count, _ in mine)
        groups.append((name, group["passed"], number["failed"], number["not_comparable"]))
    lines = [PEER_SUITES, "", f"## optax {outcomes.VERSION}", "", *counts(groups)]
    lines += reasons("What fails", "group", why["failed"])
    lines += reasons("What is not comparable", "group", why["not_comparable"])

    fails = torch_inputs.FAILS
    failed = {name: sum(name == other for other, _ in fails) for name in torch_inputs.INPUTS}
    by_optimizer = [
        (name, 0, 0, inputs) if name in torch_inputs.NOT_COMPARABLE else (name, inputs - failed[name], failed[name], 0)
        for name, inputs in torch_inputs.INPUTS.items()
    ]
    lines += ["", "## torch 2.13", "", *counts(by_optimizer)]
    lines += reasons(
        "What fails there", "input", [(f"{name}: {given}", 1, reason) for (name, given), reason in fails.items()]
    )
    other = [(name, torch_inputs.INPUTS[name], reason) for name, reason in torch_inputs.NOT_COMPARABLE.items()]
    return "\n".join(lines + reasons("What is not comparable there", "optimizer", other)) + "\n"


PAGES = {"coming_from.md": coming_from, "wrong_inputs.md": wrong_inputs, "peer_suites.md": peer_suites}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
