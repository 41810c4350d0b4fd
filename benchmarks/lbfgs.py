"""How many calls of value and gradient L-BFGS needs, beside SciPy's L-BFGS-B and optax's, on 23 problems.

    python benchmarks/lbfgs.py

Writes benchmarks/results/lbfgs.md. Needs the extra ``test``, and scipy. Nothing here is random, and nothing is timed.
"""

from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from more_garbow_hillstrom import PROBLEMS, loss
from scipy.optimize import minimize

from jaxopt_lite import apply_updates, lbfgs, value_and_grad_from_state

OUT = Path(__file__).parent / "results" / "lbfgs.md"
CAP, TOLERANCE = 1000, 1e-5
HEADER = f"""\
# Calls of value and gradient until the gradient's norm is at most {TOLERANCE:g}

`python benchmarks/lbfgs.py`, jax {version("jax")}, scipy {version("scipy")}, optax {version("optax")}; float64, ten
pairs each. The problems are the Moré-Garbow-Hillstrom collection's first, in its order, but for two
(`more_garbow_hillstrom.py` says which and why), then Rosenbrock's; from the standard starts. A failure counts {CAP},
the cap.

| problem | n | ours | SciPy's L-BFGS-B | optax.lbfgs | f where ours ends | minimum |
|---|---|---|---|---|---|---|
"""


def ours(value_fn, start):
    return steps_of(lbfgs(), value_and_grad_from_state, value_fn, start)


def optaxs(value_fn, start):
    return steps_of(optax.lbfgs(memory_size=10), optax.value_and_grad_from_state, value_fn, start)


def steps_of(opt, value_and_grad_from_state, value_fn, start):
    """How many calls it took, and the value at the end."""
    evaluations = Counted(value_fn)

    @jax.jit
    def step(params, state):
        value, grad = value_and_grad_from_state(evaluations)(params, state=state)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=evaluations)
        return apply_updates(params, updates), state

    params, state = start, opt.init(start)
    for _ in range(CAP):
        params, state = step(params, state)
        jax.effects_barrier()
        if evaluations.count >= CAP:
            break
        if np.linalg.norm(optax.tree_utils.tree_get(state, "grad")) <= TOLERANCE:
            return evaluations.count, float(value_fn(params))
    return CAP, float(value_fn(params))


def scipys(value_fn, start):
    """The calls up to the first accepted point with so small a gradient."""
    value_and_grad = jax.jit(jax.value_and_grad(value_fn))
    seen = []

    def evaluate(x):
        value, grad = value_and_grad(x)
        seen.append((np.array(x), np.linalg.norm(grad)))
        return float(value), np.asarray(grad)

    reached = []

    def accepted(x):
        norm = next(norm for point, norm in reversed(seen) if np.array_equal(point, x))
        if norm <= TOLERANCE:
            reached.append(len(seen))
            raise StopIteration

    options = {"maxcor": 10, "ftol": 0, "gtol": 1e-12, "maxfun": CAP, "maxiter": CAP}
    minimize(evaluate, np.asarray(start), jac=True, method="L-BFGS-B", callback=accepted, options=options)
    return reached[0] if reached else CAP


class Counted:
    """A function that counts how often it is called, in compiled programs too."""

    def __init__(self, function):
        self.function, self.count = function, 0

    def _called(self):
        self.count += 1

    def __call__(self, x):  # noqa: D102
        jax.debug.callback(self._called)
        return self.function(x)


def main():
    jax.config.update("jax_enable_x64", True)
    lines, totals = [], np.zeros((0, 3), int)
    for problem in PROBLEMS:
        value_fn, start = loss(problem), jnp.array(problem.start)
        (mine, end), (theirs, _) = ours(value_fn, start), optaxs(value_fn, start)
        counts = [mine, scipys(value_fn, start), theirs]
        totals = np.vstack([totals, counts])
        minima = ", ".join(f"{m:.6g}" for m in problem.minimum)
        shown = " | ".join("failed" if count >= CAP else str(count) for count in counts)
        lines.append(f"| {problem.name} | {len(problem.start)} | {shown} | {end:.6g} | {minima} |")
        print(lines[-1], flush=True)
    both = np.all(totals[:, :2] < CAP, axis=1)
    everything, solved = totals.sum(0), totals[both].sum(0)
    footer = [
        f"| **sum** | | {' | '.join(map(str, everything))} | | |",
        "",
        f"Ours over SciPy's: **{everything[0] / everything[1]:.2f}** of the calls, failures at the cap; "
        f"{solved[0] / solved[1]:.2f} on the {both.sum()} problems that both solve.",
    ]
    OUT.write_text(HEADER + "\n".join(lines + footer) + "\n")
    print("\n".join(footer))


if __name__ == "__main__":
    main()
