"""What laws are written with: a small tree, two losses, the step of every training loop, and a distance in ulp."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.ops.numerics import abs2
from jaxopt_lite.training import take_step
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Tree

Carry = tuple[Tree, Any]
Law = Callable[[Optimizer], None]

laws: dict[str, Law] = {}
"""Every law by name: a function whose docstring is what holds, and whose failure is an exception."""


def law(function: Law) -> Law:
    """Add a function to `laws`."""
    laws[function.__name__] = function
    return function


def small_tree(dtype: Any = None) -> Tree:
    """Return parameters of rank 0, 1 and 2, in the default float dtype or the given one."""
    dtype = dtype or jnp.result_type(float)
    turn = np.exp(1j) if jnp.issubdtype(dtype, jnp.complexfloating) else 1
    values = {"W": np.linspace(-1, 1, 6).reshape(2, 3), "b": [np.array([0.5, -2.0])], "s": np.array(0.25)}
    return jax.tree.map(lambda x: jnp.asarray(turn * x, dtype), values)


def quadratic(params: Tree) -> jax.Array:
    """Return half the squared distance from 0; its gradient is the parameters themselves."""
    return 0.5 * sum((jnp.sum(abs2(to_compute_dtype(p))) for p in jax.tree.leaves(params)), jnp.zeros(()))


def rosenbrock(params: Tree) -> jax.Array:
    """Return Rosenbrock's valley over 100; its steepest curvature, about 10, suits learning rates up to 0.1."""
    x, y = jnp.asarray(params[0]), jnp.asarray(params[1])
    return (1 - x) ** 2 / 100 + (y - x**2) ** 2


def start(opt: Optimizer, params: Tree) -> Carry:
    """Return the parameters and the fresh state."""
    return params, opt.init(params)


def update(opt: Optimizer, grads: Tree, state: Any, params: Tree) -> tuple[Tree, Any]:
    """Call the optimizer's update, with the inputs that some rules ask for."""
    return opt.update(grads, state, params, value=jnp.ones(()), grad=grads, value_fn=quadratic)


def step(opt: Optimizer, carry: Carry, loss: Callable[[Tree], jax.Array] = quadratic) -> Carry:
    """Take a step of a training loop that gives every rule its inputs."""
    params, state, _ = take_step(loss, opt, *carry)
    return params, state


def run(opt: Optimizer, carry: Carry, steps: int, loss: Callable[[Tree], jax.Array] = quadratic) -> Carry:
    """Take so many steps, each a call of one compiled function, which all laws share."""
    compiled = jax.jit(step, static_argnums=(0, 2))
    for _ in range(steps):
        carry = compiled(opt, carry, loss)
    return carry


def assert_ulps(actual: Tree, expected: Tree, ulps: float) -> None:
    """Hold each leaf to so many units in the last place of its largest entry, and integers to equality."""

    def compare(path: Any, a: Any, b: Any) -> None:
        a, b, where = np.asarray(a), np.asarray(b), jax.tree_util.keystr(path)
        if jnp.issubdtype(b.dtype, jnp.inexact):
            unit = np.spacing(np.max(np.abs(b), initial=jnp.finfo(b.dtype).tiny))
            off = np.max(np.abs(a - b), initial=0) / unit
            assert off <= ulps, f"{where} is {off:.1f} ulp off, more than {ulps}"
        else:
            assert np.array_equal(a, b), f"{where} is {a}, not {b}"

    jax.tree_util.tree_map_with_path(compare, actual, expected)
