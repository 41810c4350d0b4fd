"""The table of a race: as text, and for rich."""

import math
from typing import Any

from jaxopt_lite.race.ranking import Ranked, Row

TITLES = ("", "optimizer", "best lr", "score", "±", "decades", "steps to", "state", "diverged", "note")
TO_THE_LEFT = {1, len(TITLES) - 1}


def progress(result: Ranked) -> str:
    """Return how far the race is."""
    running = int((result.reached == result.reached.max()).sum())
    return (
        f"step {result.reached.max()} of {result.steps}, {running} of {len(result.lanes)} lanes, {result.seconds:.1f} s"
    )


def rate(lr: float) -> str:
    """Return a learning rate as it is shown."""
    return "its own" if math.isnan(lr) else f"{lr:.3g}"


def cells(result: Ranked, row: Row) -> tuple[str, ...]:
    """Return a row of the table as texts, one for each of ``TITLES``."""
    notes, judged = [], result.is_judged
    if result.diverged[row.lane]:
        notes.append("diverged")
    elif row.reached < result.reached.max():
        notes.append(f"out at step {row.reached}")
    if row.edge and judged:
        notes.append(f"at the grid's {'lowest' if row.edge == 'low' else 'highest'} lr: widen")
    return (
        f"{row.place}{'=' * row.tied}" if judged else "",
        row.name,
        rate(row.lr),
        f"{row.score:.4g}",
        "" if math.isnan(row.deviation) else f"{row.deviation:.2g}",
        f"{row.decades:.1f}{'+' * row.at_least}" if judged else "",
        "" if row.to_target is None or not judged else str(row.to_target),
        size(row.bytes),
        f"{row.diverged} of {row.lanes}",
        ", ".join(notes),
    )


def size(count: int) -> str:
    """Return a number of bytes as text, in powers of 1000."""
    power = min(int(math.log10(max(count, 1))) // 3, 3)
    return f"{count / 1000**power:.3g} {('B', 'kB', 'MB', 'GB')[power]}"


def titles(result: Ranked) -> tuple[str, ...]:
    """Return the titles of the columns, with the target in its own."""
    aim = f"{result.aim:.3g}" if math.isfinite(result.aim) else "target"
    return tuple(f"{title} {aim}" if title == "steps to" else title for title in TITLES)


def summary(result: Ranked) -> str:
    """Return a line about the race: its size, its score, its time."""
    lanes, seeds, _ = result.losses.shape
    share = result.lane_steps / max(1, lanes * seeds * result.steps)
    counts = {"lane": lanes, "seed": seeds, "step": result.steps}
    what = ", ".join(f"{count} {noun}{'s' * (count > 1)}" for noun, count in counts.items())
    score = f"score: {result.judged_by}, {result.better}"
    chosen = "" if result.tested is None else f", rates chosen by {result.measure}"
    took = f"{result.seconds:.1f} s, {result.compile_seconds:.1f} of them to compile; {share:.0%} of the steps computed"
    return f"{what}; {score}{chosen}; {took}" + (f"; {result.stopped}" if result.stopped else "")


def closing(result: Ranked) -> list[str]:
    """Return the verdict and, where there is a winner, the line to paste."""
    try:
        return [result.verdict, result.line]
    except ValueError:
        return [result.verdict]


def text(result: Ranked) -> str:
    """Return the table, a line on the race, the verdict, and the winner as a line to paste."""
    rows = [titles(result), *(cells(result, row) for row in result.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if i in TO_THE_LEFT else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([*(line.rstrip() for line in lines), summary(result), *closing(result)])


def rich_table(result: Ranked) -> Any:
    """Return the table for rich."""
    from rich.table import Column, Table  # noqa: PLC0415 - an extra
    from rich.text import Text  # noqa: PLC0415 - an extra

    columns = [Column(t, justify="left" if i in TO_THE_LEFT else "right") for i, t in enumerate(titles(result))]
    done = result.reached.max() >= result.steps or result.stopped
    table = Table(*columns, caption=summary(result) if done else progress(result))
    for row in result.rows:
        table.add_row(*map(Text, cells(result, row)))
    return table
