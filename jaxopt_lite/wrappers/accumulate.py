"""Large batches in small pieces."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.ops import at, next_step, replicated_scalar, safe_divide, step_if, zero_steps, zeros_like
from jaxopt_lite.tree.structure import all_finite
from jaxopt_lite.types import ScalarOrSchedule, Tree


class AccumulateState(NamedTuple):
    """``inner``, ``iter``: the optimizer's. ``mean``: of ``gathered`` gradients of ``weight``; ``skipped``: others."""

    inner: Any
    iter: jax.Array
    mean: Tree
    gathered: jax.Array
    weight: jax.Array
    skipped: jax.Array


@optimizer
def accumulate(opt: Optimizer, every: ScalarOrSchedule):
    """Step the optimizer along the mean of every so many gradients; the updates between are 0.

        weight ← weight + w;  mean ← mean + w / weight (g - mean)

    Use it where a batch does not fit into memory. A gradient that is not finite is left out and counted, and another
    is waited for. Keywords reach the optimizer as the last call gave them. ``weight`` is w, a batch's number of tokens
    for instance; 1 unless given. ``flush=True`` steps along what there is, if anything, as at the end of an epoch.

    Args:
        opt: the optimizer; its schedules count its own steps.
        every: how many gradients make a step; a whole number, an array of one, or a schedule of the optimizer's steps.

    Example:
        >>> opt = accumulate(sgd(1.0), every=2)
        >>> first, state = opt.update(1.0, opt.init(0.0))
        >>> second, state = opt.update(3.0, state)
        >>> print(first, second)
        0.0 -2.0

    State: `AccumulateState`, 4 bytes per float32 parameter more than the optimizer's; the mean is at least float32.
    Source: as optax's ``MultiSteps``, which neither weighs nor flushes.
    """

    def init(params):
        iter, count, skipped = (zero_steps(params) for _ in range(3))
        inner, weight = opt.unchecked.init(params), replicated_scalar(params)
        return AccumulateState(inner, iter, zeros_like(params), count, weight, skipped)

    def update(grads, state, params=None, *, weight=1.0, flush=False, **extra):
        finite = all_finite((grads, weight))
        gathered = jnp.where(finite, next_step(state.gathered), state.gathered)
        total = jnp.where(finite, state.weight + weight, state.weight)
        share = safe_divide(weight, total)
        mean = jax.tree.map(lambda g, m: jnp.where(finite, m + share * (g - m), m), grads, state.mean)
        due = jnp.logical_or(gathered >= at(every, state.iter), jnp.logical_and(flush, gathered > 0))
        updates, inner = step_if(due, opt, mean, state.inner, params, weight=total, flush=flush, **extra)
        iter, skipped = (jnp.where(a, next_step(x), x) for a, x in ((due, state.iter), (~finite, state.skipped)))
        mean, gathered, total = jax.tree.map(lambda x: jnp.where(due, 0, x), (mean, gathered, total))
        return updates, AccumulateState(inner, iter, mean, gathered, total, skipped)

    return init, update
