"""Shorter steps once the loss stands still."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.numerics import Scalar, next_step
from jaxopt_lite.rules import each
from jaxopt_lite.trees import zero_steps, zeros_beside


class ReduceOnPlateauState(NamedTuple):
    """``scale``: what updates are multiplied by. ``best``: the lowest value. ``waited``: steps since then."""

    scale: jax.Array
    best: jax.Array
    waited: jax.Array


@transform(needs=("value",), after_rule=True)
def reduce_on_plateau(rate: Scalar = 0.1, patience: int = 10, min_scale: Scalar = 0.0, threshold: Scalar = 1e-4):
    """Multiplies updates by a scale that falls whenever the loss has not fallen for a while.

        if value < best (1 - threshold):  best, waited ← value, 0    else  waited ← waited + 1
        if waited > patience:  scale, waited ← max(rate scale, min_scale), 0
        u ← scale u

    Use it where nobody knows how long a run will be. ``value`` is what ``update`` is given by that name; the loss of a
    batch is noisy, so give it a mean, or a patience of thousands of steps.

    Args:
        rate: what the scale is multiplied by.
        patience: how many steps without a new best are waited for.
        min_scale: the lowest scale.
        threshold: the share of ``best`` by which a new one has to be lower.

    State: `ReduceOnPlateauState`, 12 bytes in all.
    Source: torch's ``ReduceLROnPlateau`` and optax's ``reduce_on_plateau``, without cooldown.
    """

    def init(params):
        number = zeros_beside(params, (), jnp.float32)
        return ReduceOnPlateauState(number + 1.0, number + jnp.finfo(jnp.float32).max, zero_steps(params))

    def update(updates, state, params=None, *, value):
        value = jnp.asarray(value, jnp.float32)
        better = value < state.best - threshold * jnp.abs(state.best)
        waited = jnp.where(better, 0, next_step(state.waited))
        over = waited > patience
        scale = jnp.where(over, jnp.maximum(rate * state.scale, min_scale), state.scale)
        updates = each(lambda u, scale: scale * u, updates, scale=scale)
        return updates, ReduceOnPlateauState(scale, jnp.where(better, value, state.best), jnp.where(over, 0, waited))

    return init, update
