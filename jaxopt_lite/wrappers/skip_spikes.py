"""Skipping the steps whose loss or gradient stands out."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.ops import next_step, norm, replicated_scalar, replicated_zeros, safe_divide, step_if, zero_steps
from jaxopt_lite.types import Scalar


class SkipSpikesState(NamedTuple):
    """``inner``: the optimizer's. ``recent``: losses and norms. ``seen``: how many there were. ``skipped``: steps."""

    inner: Any
    recent: jax.Array
    seen: jax.Array
    skipped: jax.Array


@optimizer
def skip_spikes(opt: Optimizer, deviations: Scalar = 6.0, window: int = 128):
    """Take no step where the loss or the gradient's norm is far above its past, or not finite.

        skip where x > mean + deviations · deviation, x being the loss or the norm, over the last ``window`` of it

    Use it in long runs on data that nobody has looked at. It watches from when half the window is full. Spikes that are
    finite are remembered too, so that a lasting rise becomes what is usual.

    Args:
        opt: the optimizer; a step that is not taken leaves it, and the parameters, as they were.
        deviations: how many standard deviations are too many.
        window: how many steps are remembered; a Python integer.

    Asks for ``value``, the loss; without it the norm alone is watched.

    Example:
        >>> opt = skip_spikes(sgd(1.0), window=4)
        >>> state = opt.init(0.0)
        >>> for grad in (1.0, 1.1, 0.9, 1.0, 1000.0):
        ...     updates, state = opt.update(grad, state)
        >>> print(updates)
        0.0

    State: `SkipSpikesState`, 8 (window + 1) bytes more than the optimizer's; of float64 parameters twice as many.
    Source: as levanter and MaxText do.
    """

    def init(params):
        recent = replicated_zeros(params, (2, window), replicated_scalar(params).dtype)
        return SkipSpikesState(opt.unchecked.init(params), recent, zero_steps(params), zero_steps(params))

    def update(grads, state, params=None, *, value=0.0, **extra):
        now = jnp.asarray([value, norm(grads)], state.recent.dtype)
        finite = jnp.all(jnp.isfinite(now))
        unit = jnp.max(jnp.abs(state.recent), axis=1)  # of which squares neither overflow nor vanish
        usual, seen = safe_divide(state.recent, unit[:, None]), jnp.arange(window)[None] < jnp.maximum(state.seen, 1)
        mean, deviation = (of(usual, axis=1, where=seen) for of in (jnp.mean, jnp.std))
        go = finite & ((state.seen < window // 2) | jnp.all(safe_divide(now, unit) <= mean + deviations * deviation))
        updates, inner = step_if(go, opt, grads, state.inner, params, value=value, **extra)
        recent = jnp.where(finite, jnp.roll(state.recent, 1, axis=1).at[:, 0].set(now), state.recent)
        seen = jnp.where(finite, next_step(state.seen), state.seen)
        return updates, SkipSpikesState(inner, recent, seen, jnp.where(go, state.skipped, next_step(state.skipped)))

    return init, update
