"""What a step of the matrix methods costs, beside others' implementations, on one square leaf in float32.

    python benchmarks/matrices.py

Writes benchmarks/results/matrices.md. Needs optax; what is compared with torch and pytorch_optimizer is left out, with
a line, where these are not installed. All runs in one process, interleaved, and times are medians with quartiles.
"""

import importlib.util
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

# LAPACK's threads, and torch's, spin while they wait; where cores are shared a decomposition then takes seconds.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxopt_lite import apply_updates, kl_soap, muon, psgd_kron, shampoo, soap

OUT = Path(__file__).parent / "results" / "matrices.md"
WITH_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "pytorch_optimizer"))
SIZES = {"muon": 1024, "factors": 256}
EVERY, ROUNDS = 10, 7


def stepping(opt, size):
    """A compiled step over the same gradient, donated, as a function without arguments."""
    rng = np.random.default_rng(0)
    grads = {"w": jnp.asarray(rng.standard_normal((size, size)), jnp.float32)}
    carry = [{"w": jnp.asarray(0.02 * rng.standard_normal((size, size)), jnp.float32)}]
    carry.append(opt.init(carry[0]))

    def step(params, state, grads):
        updates, state = opt.update(grads, state, params)
        return apply_updates(params, updates), state

    compiled = jax.jit(step, donate_argnums=(0, 1))

    def run():
        carry[:] = jax.block_until_ready(compiled(*carry, grads))

    return run


def stepping_torch(make, size):
    """The same for an optimizer of torch's."""
    import torch  # noqa: PLC0415 - where there is one

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    p = torch.nn.Parameter(torch.tensor(0.02 * rng.standard_normal((size, size)), dtype=torch.float32))
    p.grad = torch.tensor(rng.standard_normal((size, size)), dtype=torch.float32)
    grad, opt = p.grad.clone(), make([p])

    def run():
        p.grad.copy_(grad)
        opt.step()

    return run


def measured(runs, repeats):
    """Seconds a step: each run ``repeats`` times in a row, so that what is done once in as many steps is shared out."""
    for run in runs.values():
        for _ in range(max(2, repeats)):
            run()
    times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        print("round", len(times[next(iter(times))]) + 1, flush=True)
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            times[name].append((time.perf_counter() - start) / repeats)
    return times


def rows(times, against):
    for name, seconds in times.items():
        low, median, high = (1e3 * q for q in statistics.quantiles(seconds, n=4))
        ratios = [b / a for a, b in zip(seconds, times[against(name)], strict=True)]
        first, middle, last = statistics.quantiles(ratios, n=4)
        yield f"| {name} | {median:.1f} ({low:.1f} to {high:.1f}) | {middle:.2f} ({first:.2f} to {last:.2f}) |"


def main():
    muons = {
        "muon()": stepping(muon(), SIZES["muon"]),
        "muon(bfloat16=True)": stepping(muon(bfloat16=True), SIZES["muon"]),
        "muon(method='polar_express')": stepping(muon(method="polar_express"), SIZES["muon"]),
        "optax.contrib.muon(0.02)": stepping(optax.contrib.muon(0.02), SIZES["muon"]),
    }
    factors = {
        "soap()": stepping(soap(), SIZES["factors"]),
        "kl_soap()": stepping(kl_soap(), SIZES["factors"]),
        "shampoo()": stepping(shampoo(), SIZES["factors"]),
        "psgd_kron()": stepping(psgd_kron(), SIZES["factors"]),
    }
    theirs = {}
    if WITH_TORCH:
        import pytorch_optimizer  # noqa: PLC0415 - where there is one

        factors |= {
            "pytorch_optimizer.SOAP": stepping_torch(pytorch_optimizer.SOAP, SIZES["factors"]),
            "pytorch_optimizer.ScalableShampoo": stepping_torch(
                lambda params: pytorch_optimizer.ScalableShampoo(
                    params, start_preconditioning_step=1, preconditioning_compute_steps=EVERY, block_size=1024
                ),
                SIZES["factors"],
            ),
        }
        theirs = dict.fromkeys(factors, "pytorch_optimizer.SOAP")
        theirs |= {"shampoo()": "pytorch_optimizer.ScalableShampoo"}
    lines = [
        "# What a step of the matrix methods costs",
        "",
        f"`python benchmarks/matrices.py` on {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, jax {version('jax')}, optax {version('optax')}"
        + (f", torch {version('torch')}, pytorch_optimizer {version('pytorch_optimizer')}." if WITH_TORCH else "."),
        f"Float32, one leaf, donated, compiled; milliseconds a step, the median of {ROUNDS} interleaved rounds (and",
        "the quartiles), and how many times as long the other one takes, round by round.",
        "",
        f"| a leaf of {SIZES['muon']} x {SIZES['muon']} | ms | optax's takes |",
        "|---|---|---|",
        *rows(measured(muons, 2), lambda _: "optax.contrib.muon(0.02)"),
        "",
        f"| a leaf of {SIZES['factors']} x {SIZES['factors']}, {EVERY} steps in a row | ms | the one for torch takes |",
        "|---|---|---|",
        *rows(measured(factors, EVERY), lambda name: theirs.get(name, name)),
        "",
        f"Factors are decomposed in one step of {EVERY}, and what that costs is shared out. SOAP and its kin are",
        "compared with `pytorch_optimizer.SOAP`, Shampoo with `ScalableShampoo`. LAPACK and torch have one thread:",
        "with two, whose pools spin where cores are shared, a decomposition takes seconds, in either. XLA has two.",
    ]
    if not WITH_TORCH:
        lines.append("torch and pytorch_optimizer are not installed: nothing is compared with them.")
    OUT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
