"""What an update costs: this library beside optax, torch, the book's NumPy loops and a loop in C, in one process.

    python benchmarks/update.py                                          all of it, some 40 minutes
    python benchmarks/update.py --rules adam --sizes 1e6 --parts cells   some of it anew; the rest is kept

Writes benchmarks/results/update.json, update.md and update.png. Needs optax and matplotlib; torch and a compiler for C
are used where there are any. Every contender has arrays of its own, on the CPU or on jax's GPU; in each round they come
in another order, their arrays are put somewhere else, one step warms up and some are timed. Quoted are the median and
the lower quartile of the rounds, and ratios round by round, with quartiles.
"""

import argparse
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jax
import numpy as np
from update_parts.contenders import OPTAX, OURS, contenders
from update_parts.floor import Floor, build
from update_parts.tables import write
from update_parts.training import training

OUT = Path(__file__).parent / "results" / "update.json"
SIZES, LEAVES = (10_000, 1_000_000, 10_000_000), (1, 20, 292, 2000)
ROUNDS, SECONDS = 9, 0.03
PARTS = ("cells", "training", "imports", "flag")
FLAG = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"


def shapes(size, leaves):
    """Equal matrices; 292 are those of GPT-2 with 24 layers, narrow enough for this many parameters in all."""
    if leaves != 292:
        each = size // leaves
        rows = max(d for d in range(1, int(each**0.5) + 1) if each % d == 0)
        return [(rows, each // rows)] * leaves
    tokens, places = 50257 / 768, 1024 / 768  # in widths
    d = max(1, round((size / (12 * 24 + tokens + places)) ** 0.5))
    layer = [(d,), (d,), (d, 3 * d), (3 * d,), (d, d), (d,), (d,), (d,), (d, 4 * d), (4 * d,), (4 * d, d), (d,)]
    return [(round(tokens * d), d), (round(places * d), d), *layer * 24, (d,), (d,)]


def timed(contender, steps):
    start = time.perf_counter()
    contender.run(steps)
    return 1e3 * (time.perf_counter() - start) / steps


def measure(rule, size, leaves, floor):
    """One cell: milliseconds a step by contender, round by round; and what came before the first step."""
    rng = np.random.default_rng(0)
    params, grads = (
        [np.asarray(scale * rng.standard_normal(shape), np.float32) for shape in shapes(size, leaves)]
        for scale in (0.02, 0.002)
    )
    found = contenders(rule, params, grads, floor)
    cell = {"rule": rule, "asked": size, "size": sum(p.size for p in params), "leaves": leaves, "ms": {}, "figures": {}}
    for name, contender in found.items():
        if hasattr(contender, "figures"):
            cell["figures"][name] = contender.figures
        else:
            contender.run(1)
    # The best of a few: whoever is timed while another one's threads still spin would be given too few steps.
    quickest = {name: min(timed(contender, 2) for _ in range(4)) for name, contender in found.items()}
    steps = {name: max(2, min(300, int(1e3 * SECONDS / ms))) for name, ms in quickest.items()}
    order = list(found)
    for _ in range(ROUNDS):
        random.shuffle(order)
        for name in order:
            found[name].refresh()
            time.sleep(0.003)  # while torch's threads, and the loop's, stop spinning
            found[name].run(1)
            cell["ms"].setdefault(name, []).append(timed(found[name], steps[name]))
    if size == 1_000_000:
        eager = {name: found[name] for name in ("ours", "optax")}
        for contender in eager.values():
            contender.run_eagerly(1)
        cell["eager"] = {name: [] for name in eager}
        for _ in range(5 if leaves < 2000 else 3):
            for name, contender in eager.items():
                start = time.perf_counter()
                contender.run_eagerly(1)
                cell["eager"][name].append(1e3 * (time.perf_counter() - start))
    return cell


def agree(floor):
    """The floor and the book's loops must compute what is compared with them."""
    rng = np.random.default_rng(0)
    params, grads = ([rng.standard_normal(shape).astype(np.float32) for shape in shapes(3000, 20)] for _ in range(2))
    for rule in OURS:
        found = contenders(rule, params, grads, floor)
        for contender in found.values():
            contender.run(5 - hasattr(contender, "figures"))  # one of ours has been taken to see how long it takes
        after = {name: c.params() for name, c in found.items() if name in {"ours", "the book's", "floor"}}
        for name, params_after in after.items():
            np.testing.assert_allclose(params_after, after["ours"], rtol=2e-5, atol=2e-6, err_msg=f"{rule}, {name}")


def with_flag():
    """The same cells in a process of their own with XLA's flag."""
    other = OUT.with_suffix(".flag.json")
    command = [sys.executable, __file__, "--out", str(other), "--parts", "cells", "--sizes", "1e6", "1e7"]
    command += ["--leaves", "1", "292", "--rules", "sgd", "adam", "adamw", "clip + adamw"]
    subprocess.run(command, check=True, env=os.environ | {"XLA_FLAGS": FLAG})
    cells = json.loads(other.read_text())["cells"]
    other.unlink()
    return cells


def imports():
    """Milliseconds that importing this library, and optax, takes in a process that has imported jax."""
    times = {"jaxopt_lite": [], "optax": []}
    # Bytecode is written the first time, as it is when a package is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(22):
        for package, mine in times.items():
            code = f"import jax, time as t; start = t.perf_counter(); import {package}; print(t.perf_counter() - start)"
            done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, stdout=subprocess.PIPE)
            mine.append(1e3 * float(done.stdout))
    return {package: mine[1:] for package, mine in times.items()}


def recompilations():
    """How many programs a thousand steps compile, each with another rate, given as an array."""
    params = {"w": jax.numpy.ones(3)}
    step = jax.jit(lambda opt, state: opt.update(params, state))
    state = OURS["adam"].init(params)
    for i in range(1000):
        _, state = step(OURS["adam"].replace(lr=jax.numpy.float32(0.001 * 0.99**i)), state)
    return step._cache_size()


def machine():
    found = {"cores": os.cpu_count(), "machine": platform.machine(), "Python": platform.python_version()}
    for package in ("jax", "jaxlib", "optax", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found | {"device": jax.devices()[0].device_kind}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", nargs="*", default=list(OPTAX), choices=OPTAX)
    parser.add_argument("--sizes", nargs="*", type=float, default=SIZES)
    parser.add_argument("--leaves", nargs="*", type=int, default=LEAVES)
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS, help="none: the tables from what there is")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    results = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    if chosen.parts and results.get("machine") != machine():
        results = {"machine": machine(), "cells": {}}
    on_cpu = jax.default_backend() == "cpu"
    library = build() if on_cpu and chosen.parts else None
    floor = library and (lambda *cell: Floor(library, *cell))
    cells = itertools.product(chosen.leaves, chosen.sizes, chosen.rules) if "cells" in chosen.parts else ()
    if chosen.parts:
        print("no compiler for C, or a GPU: there is no floor" if floor is None else "with a floor", flush=True)
        agree(floor)
    for leaves, size, rule in cells:
        cell = measure(rule, int(size), leaves, floor)
        results["cells"][f"{rule}, {size:.0e}, {leaves}"] = cell
        chosen.out.write_text(json.dumps(results))
        ms = "  ".join(f"{name} {statistics.median(times):.3g}" for name, times in cell["ms"].items())
        print(f"{rule}, {size:.0e} parameters, {leaves} leaves, ms: {ms}", flush=True)
    order = list(OPTAX)
    cells = sorted(results["cells"].items(), key=lambda x: (x[1]["leaves"], x[1]["asked"], order.index(x[1]["rule"])))
    results["cells"] = dict(cells)
    if "training" in chosen.parts:
        results["training"] = training()
    if "imports" in chosen.parts:
        results |= {"imports": imports(), "recompilations": recompilations()}
    if "flag" in chosen.parts and on_cpu:
        results["flag"] = with_flag()
    chosen.out.write_text(json.dumps(results))
    if chosen.out == OUT:
        write(results, chosen.out)


if __name__ == "__main__":
    main()
