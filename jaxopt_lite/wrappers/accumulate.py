"""Large batches in small pieces."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.numerics import Number, next_step
from jaxopt_lite.protocol import Optimizer
from jaxopt_lite.rules import at, step_if
from jaxopt_lite.trees import Tree, all_finite, zero_steps, zeros_like


class AccumulateState(NamedTuple):
    """``inner``: the optimizer's. ``iter``: its steps. ``mean``: of the ``gathered`` gradients. ``skipped``: others."""

    inner: Any
    iter: jax.Array
    mean: Tree
    gathered: jax.Array
    skipped: jax.Array


@optimizer
def accumulate(opt: Optimizer, every: Number):
    """One step of the optimizer along the mean of every so many gradients; the updates between are 0.

        mean ← mean + (g - mean) / gathered

    Use it where a batch does not fit into memory. Keywords such as ``value`` reach the optimizer as the last call gave
    them. A gradient that is not finite is left out and counted, and another one is waited for.

    Args:
        opt: the optimizer; its schedules count its own steps.
        every: how many gradients make one step; a whole number, an array of one, or a schedule of ``iter``, the
            optimizer's steps, counted from 0.

    State: `AccumulateState`, 4 bytes per float32 parameter more than the optimizer's; the mean is at least float32.
    Source: as optax's ``MultiSteps``.
    """

    def init(params):
        inner, mean = opt.pair.init(params), zeros_like(params)
        return AccumulateState(inner, zero_steps(params), mean, zero_steps(params), zero_steps(params))

    def update(grads, state, params=None, **extra):
        finite = all_finite(grads)
        gathered = jnp.where(finite, next_step(state.gathered), state.gathered)
        mean = jax.tree.map(lambda g, m: jnp.where(finite, m + (g - m) / gathered, m), grads, state.mean)

        due = gathered >= at(every, state.iter)
        updates, inner = step_if(due, opt, mean, state.inner, params, **extra)
        mean = jax.tree.map(lambda m: jnp.where(due, 0, m), mean)
        skipped = jnp.where(finite, state.skipped, next_step(state.skipped))
        iter = jnp.where(due, next_step(state.iter), state.iter)
        return updates, AccumulateState(inner, iter, mean, jnp.where(due, 0, gathered), skipped)

    return init, update
