"""Lookahead: k steps forward, one step back."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.ops import add_updates, cast_like, copy, next_step, zero_steps
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Scalar, Tree


class LookaheadState(NamedTuple):
    """``inner``: the optimizer's. ``iter``: steps taken. ``slow``: the parameters, as they were last looked back to."""

    inner: Any
    iter: jax.Array
    slow: Tree


@optimizer(needs=("params",))
def lookahead(opt: Optimizer, every: Scalar = 5, alpha: Scalar = 0.5):
    """Move the parameters back, every so many steps, to between where they are and where they were.

        p ← p + u
        every ``every`` steps:  slow ← slow + alpha (p - slow);  p ← slow

    Use it to steady an optimizer with a large learning rate.

    Args:
        opt: the optimizer; its own state goes on as if nothing had been.
        every: the steps between; a whole number or an array of one.
        alpha: how far of the way the slow parameters go, in [0, 1]; at 1 the optimizer goes on as if it were alone.

    Example:
        >>> opt, params = lookahead(sgd(1.0), every=2, alpha=0.5), 0.0
        >>> state = opt.init(params)
        >>> for _ in range(2):
        ...     updates, state = opt.update(1.0, state, params)
        ...     params = apply_updates(params, updates)
        >>> print(params)
        -1.0

    State: `LookaheadState`, 4 bytes per float32 parameter more than the optimizer's.
    Source: Zhang et al. (2019), arXiv:1907.08610. optax's keeps both copies in ``params``.
    """

    def init(params):
        return LookaheadState(opt.unchecked.init(params), zero_steps(params), copy(params))

    def update(grads, state, params=None, **extra):
        updates, inner = opt.unchecked.update(grads, state.inner, params, **extra)
        iter = next_step(state.iter)
        back = iter % every == 0
        ahead = add_updates(params, cast_like(updates, params))
        slow = jax.tree.map(lambda s, a: jnp.where(back, s + alpha * (to_compute_dtype(a) - s), s), state.slow, ahead)
        updates = jax.tree.map(lambda u, s, p: jnp.where(back, s - to_compute_dtype(p), u), updates, slow, params)
        return updates, LookaheadState(inner, iter, slow)

    return init, update
