"""Shows a race while it runs, and its result: a live table where rich can draw one, plain lines elsewhere."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from jaxopt_lite.race.ranking import Row
from jaxopt_lite.race.result import Result

TITLES = ("", "optimizer", "best lr", "score", "±", "decades", "steps to", "state", "diverged", "note")
TO_THE_LEFT = {1, len(TITLES) - 1}
# A line of progress each time this share of the steps is over.
EVERY = 1 / 8
# The live table may take this share of the time.
DRAWING = 1 / 10


@contextmanager
def shower(show: str | None, record: Any) -> Iterator[Callable[[Result], None]]:
    """A function that shows the result so far; on leaving, what ``record.result()`` gives is shown once more.

    Raises:
        ValueError: ``show`` is none of its values.
    """
    if show not in {"auto", "live", "plain", None}:
        raise ValueError(f"race: show must be one of 'auto', 'live', 'plain', None, not {show!r}")
    if show is None:
        yield lambda result: None
        return
    if show != "plain" and find_spec("rich"):
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.live import Live  # noqa: PLC0415 - an extra

        console = Console()
        if show == "live" or console.is_terminal or console.is_jupyter:
            with Live(console=console, transient=True) as live:
                yield now_and_then(lambda result: live.update(rich_table(result)))
            result = record.result()
            console.print(rich_table(result))
            print(last_line(result), flush=True)
            return
    shown = [0.0]

    def line(result: Result) -> None:
        done = len(result.losses[0, 0]) / result.steps
        if done >= shown[0] + EVERY and done < 1:
            shown[0] = done
            print(f"{progress(result)}: {leader(result)}", flush=True)

    yield line
    print(text(record.result()), flush=True)


def now_and_then(draw: Callable[[Result], None]) -> Callable[[Result], None]:
    """Return ``draw``, which leaves out results, because the table of a long race takes longer than its next chunk."""
    due = 0.0

    def look(result: Result) -> None:
        nonlocal due
        began = time.perf_counter()
        if began >= due:
            draw(result)
            ended = time.perf_counter()
            due = ended + (ended - began) * (1 / DRAWING - 1)

    return look


def progress(result: Result) -> str:
    """How far it is."""
    running = int((result.reached == result.reached.max()).sum())
    return (
        f"step {result.reached.max()} of {result.steps}, {running} of {len(result.lanes)} lanes, {result.seconds:.1f} s"
    )


def leader(result: Result) -> str:
    """Who leads."""
    row = result.rows[0]
    return f"{row.name} at {rate(row.lr)} leads with {row.score:.4g}"


def rate(lr: float) -> str:
    """A learning rate as it is shown."""
    return "its own" if math.isnan(lr) else f"{lr:.3g}"


def cells(result: Result, row: Row) -> tuple[str, ...]:
    """A row of the table as texts, one for each of ``TITLES``."""
    notes = []
    if result.diverged[row.lane]:
        notes.append("diverged")
    elif row.reached < result.reached.max():
        notes.append(f"out at step {row.reached}")
    if row.edge:
        notes.append(f"at the grid's {'lowest' if row.edge == 'low' else 'highest'} lr: widen")
    return (
        f"{row.place}{'=' * row.tied}",
        row.name,
        rate(row.lr),
        f"{row.score:.4g}",
        "" if math.isnan(row.deviation) else f"{row.deviation:.2g}",
        f"{row.decades:.1f}",
        "" if row.to_target is None else str(row.to_target),
        size(row.bytes),
        f"{row.diverged} of {row.lanes}",
        ", ".join(notes),
    )


def size(count: int) -> str:
    """Bytes, in powers of 1000."""
    power = min(int(math.log10(max(count, 1))) // 3, 3)
    return f"{count / 1000**power:.3g} {('B', 'kB', 'MB', 'GB')[power]}"


def titles(result: Result) -> tuple[str, ...]:
    """The titles of the columns, with the target in its own."""
    aim = f"{result.aim:.3g}" if math.isfinite(result.aim) else "target"
    return tuple(f"{title} {aim}" if title == "steps to" else title for title in TITLES)


def summary(result: Result) -> str:
    """What was raced, and what it took."""
    lanes, seeds, _ = result.losses.shape
    share = result.lane_steps / max(1, lanes * seeds * result.steps)
    counts = {"lane": lanes, "seed": seeds, "step": result.steps}
    what = (
        ", ".join(f"{count} {noun}{'s' * (count > 1)}" for noun, count in counts.items()) + f", by {result.judged_by}"
    )
    took = f"{result.seconds:.1f} s, {result.compile_seconds:.1f} of them to compile; {share:.0%} of the steps computed"
    return f"{what}; {took}" + (f"; {result.stopped}" if result.stopped else "")


def last_line(result: Result) -> str:
    """The line to paste, or why there is none."""
    try:
        return result.line
    except ValueError as error:
        return str(error)


def text(result: Result) -> str:
    """The table, a line on the race, and the winner as a line to paste."""
    table = [titles(result), *(cells(result, row) for row in result.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if i in TO_THE_LEFT else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    return "\n".join([*(line.rstrip() for line in lines), summary(result), last_line(result)])


def rich_table(result: Result) -> Any:
    """The table for rich."""
    from rich.table import Column, Table  # noqa: PLC0415 - an extra
    from rich.text import Text  # noqa: PLC0415 - an extra

    columns = [Column(t, justify="left" if i in TO_THE_LEFT else "right") for i, t in enumerate(titles(result))]
    done = result.reached.max() >= result.steps or result.stopped
    table = Table(*columns, caption=summary(result) if done else progress(result))
    for row in result.rows:
        table.add_row(*map(Text, cells(result, row)))
    return table
