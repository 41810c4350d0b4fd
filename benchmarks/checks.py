"""What refusing wrong inputs costs: Adam over trees of 100, 1,000 and 10,000 leaves, with the checks and without.

    python benchmarks/checks.py

Writes benchmarks/results/checks.md. Every figure is the median of interleaved runs, with the quartiles.
"""

import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import jax
import jax.numpy as jnp

from jaxopt_lite import adam
from jaxopt_lite.core import checks

OUT = Path(__file__).parent / "results" / "checks.md"
HEADER = """\
# What the checks cost

`python benchmarks/checks.py` on {machine}.
Adam; milliseconds, the median of interleaved runs (and the quartiles).
"""
FOOTER = """
`the checks`: all that `update` looks at before a step, by themselves. `trace`: tracing `jit(opt.update)` anew. `eager`:
another call outside jit, which finds its compiled step and checks nothing. The traced programs are equal to the letter
with the checks and without (asserted): a compiled step pays nothing."""
LEAVES = {100: 21, 1_000: 11, 10_000: 5}


def timed(function):
    start = time.perf_counter()
    function()
    return 1e3 * (time.perf_counter() - start)


def quartiles(times):
    if not times:
        return ""
    low, median, high = statistics.quantiles(times, n=4)
    return f"{median:.3g} ({low:.3g} to {high:.3g})"


def measure(leaves, repeats):
    params = {f"layer{i}": {"w": jnp.ones((4, 4)), "b": jnp.ones(4)} for i in range(leaves // 2)}
    opt = adam()
    state = opt.init(params)

    def check():
        checks.check_update(opt, params, state, params, {})

    def trace():
        jax.clear_caches()
        return jax.jit(opt.update).trace(params, state, params)

    def eager():
        jax.block_until_ready(opt.update(params, state, params))

    def without_checks():
        return mock.patch.object(checks, "check_update", lambda opt, updates, state, params, extra: state)

    def unchecked(function):
        with without_checks():
            function()

    columns = {
        name: [] for name in ("the checks", "trace, checked", "trace, unchecked", "eager, checked", "eager, unchecked")
    }
    programs = []
    for _ in range(repeats):
        columns["the checks"].append(timed(check))
        columns["trace, checked"].append(timed(trace))
        columns["trace, unchecked"].append(timed(lambda: unchecked(trace)))
        programs.append(str(trace().jaxpr))
        with without_checks():
            programs.append(str(trace().jaxpr))
    eager_repeats = repeats if leaves <= 1_000 else 0  # XLA takes minutes to compile a step of 10,000 leaves
    for _ in range(eager_repeats):
        eager()
        columns["eager, checked"].append(timed(eager))
        columns["eager, unchecked"].append(timed(lambda: unchecked(eager)))
    assert len(set(programs)) == 1, "the compiled step knows of the checks"
    return columns


def main():
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, jax {version('jax')}"
    lines = [HEADER.format(machine=machine)]
    rows = {leaves: measure(leaves, repeats) for leaves, repeats in LEAVES.items()}
    names = list(rows[100])
    lines += ["| leaves | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    lines += [
        f"| {leaves:,} | " + " | ".join(quartiles(row[name]) for name in names) + " |" for leaves, row in rows.items()
    ]
    lines.append(FOOTER)
    OUT.write_text("\n".join(lines) + "\n")
    print(OUT.read_text())


if __name__ == "__main__":
    main()
