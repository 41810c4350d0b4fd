"""Shorter steps once the loss stands still."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import copy, each, next_step, replicated_zeros, saturate, zero_steps
from jaxopt_lite.types import Scalar


class ReduceOnPlateauState(NamedTuple):
    """``scale``: what updates are multiplied by. ``best``: the lowest mean. ``mean``: of the ``gathered`` values.

    ``waited``: means since the best; below 0, how many are to come that do not count.
    """

    scale: jax.Array
    best: jax.Array
    waited: jax.Array
    mean: jax.Array
    gathered: jax.Array


@transform(needs=("value",), after_rule=True)
def reduce_on_plateau(
    rate: Scalar = 0.1,
    patience: int = 10,
    min_scale: Scalar = 0.0,
    threshold: Scalar = 1e-4,
    atol: Scalar = 0.0,
    cooldown: int = 0,
    every: int = 1,
):
    """Multiply updates by a scale that falls whenever the loss has not fallen for a while.

        mean ← the mean of ``every`` values; with each of them:
        better = mean < best - threshold |best| - atol
        best ← mean if better;  waited ← 0 if better and waited ≥ 0, else waited + 1
        if waited > patience:  scale, waited ← max(rate scale, min_scale), -cooldown
        u ← scale u

    Use it where nobody knows how long a run will be. ``update`` needs the loss as ``value``. The loss of a batch is
    noisy: let ``every`` be the batches of an epoch, or ``patience`` thousands of steps.

    Args:
        rate: what the scale is multiplied by.
        patience: how many means without a new best are waited for. The scale falls with the one after them, as in
            torch; optax's patience is one more.
        min_scale: the lowest scale.
        threshold: the share of ``best`` by which a new one has to be lower.
        atol: by how much a new best has to be lower beside that, in the unit of the loss.
        cooldown: how many means do not count after the scale has fallen.
        every: how many values make one mean.

    Example:
        >>> opt = chain(sgd(1.0), reduce_on_plateau(rate=0.5, patience=1))
        >>> state = opt.init(0.0)
        >>> for value in (3.0, 3.0, 3.0):
        ...     updates, state = opt.update(1.0, state, value=value)
        >>> print(updates)
        -0.5

    State: `ReduceOnPlateauState`, 20 bytes in all.
    Source: torch's ``ReduceLROnPlateau`` and optax's ``reduce_on_plateau``.
    """

    def init(params):
        number, none = replicated_zeros(params, (), jnp.float32), zero_steps(params)
        return ReduceOnPlateauState(number + 1, number + jnp.finfo(jnp.float32).max, none, number, copy(none))

    def update(updates, state, params=None, *, value):
        gathered = next_step(state.gathered)
        mean = state.mean + (jnp.asarray(value, jnp.float32) - state.mean) / gathered
        best = saturate(state.best)  # no best yet is the largest number, which is infinite in half precision
        better = mean < best - threshold * jnp.abs(best) - atol
        waited = jnp.where(better & (state.waited >= 0), 0, next_step(state.waited))
        over = waited > patience

        scale = jnp.where(over, jnp.maximum(rate * state.scale, min_scale), state.scale)
        best, waited = jnp.where(better, mean, best), jnp.where(over, -cooldown, waited).astype(waited.dtype)
        judged = ReduceOnPlateauState(scale, best, waited, jnp.zeros_like(mean), jnp.zeros_like(gathered))
        gathering = state._replace(mean=mean, gathered=gathered)
        new = jax.tree.map(lambda a, b: jnp.where(gathered >= every, a, b), judged, gathering)
        return each(lambda u, scale: scale * u, updates, scale=new.scale), new

    return init, update
