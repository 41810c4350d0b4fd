"""Skipping the steps whose gradients are not finite."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.ops import next_step, step_if, zero_steps
from jaxopt_lite.tree.structure import all_finite


class SkipNonfiniteState(NamedTuple):
    """``inner``: the optimizer's. ``skipped``: steps not taken. ``in_a_row``: since when gradients are not finite."""

    inner: Any
    skipped: jax.Array
    in_a_row: jax.Array


@optimizer
def skip_nonfinite(opt: Optimizer, give_up_after: int | None = None):
    """Take no step where any gradient is infinite or NaN.

    Such a step leaves the parameters, the optimizer's state and its counter as they were, and is counted. Without this
    wrapper a NaN goes through, into the leaf that it is in and no other.

    Args:
        opt: the optimizer.
        give_up_after: let gradients through, whatever they are, once so many in a row were not finite: a loss that has
            become NaN for good then shows. None: never.

    Example:
        >>> opt = skip_nonfinite(sgd(1.0))
        >>> updates, state = opt.update(jnp.nan, opt.init(0.0))
        >>> print(updates, state.skipped)
        0.0 1

    State: `SkipNonfiniteState`, 8 bytes more than the optimizer's.
    Source: as optax's ``apply_if_finite``, which always gives up, after a number that has to be named.
    """

    def init(params):
        return SkipNonfiniteState(opt.unchecked.init(params), skipped=zero_steps(params), in_a_row=zero_steps(params))

    def update(grads, state, params=None, **extra):
        finite = all_finite(grads)
        given_up = False if give_up_after is None else state.in_a_row >= give_up_after
        updates, inner = step_if(finite | given_up, opt, grads, state.inner, params, **extra)
        skipped = jnp.where(finite | given_up, state.skipped, next_step(state.skipped))
        in_a_row = jnp.where(finite, 0, next_step(state.in_a_row))
        return updates, SkipNonfiniteState(inner, skipped, in_a_row)

    return init, update
