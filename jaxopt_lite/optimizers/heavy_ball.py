"""The heavy ball: momentum with the learning rate outside the sum of gradients."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class HeavyBallState(NamedTuple):
    """``iter``: steps taken. ``b``: the sum of gradients, fading by ``momentum`` a step, without the learning rate."""

    iter: jax.Array
    b: Tree


@optimizer(family="first-order", paper="Polyak (1964)")
def heavy_ball(lr: ScalarOrSchedule = 0.01, momentum: Scalar = 0.9, dampening: Scalar = 0.0, nesterov: bool = False):
    """Build gradient descent with momentum, as torch's and optax's SGD have it.

        b ← momentum b + (1 - dampening) g    at the first step b ← g
        p ← p - lr b
        p ← p - lr (g + momentum b)           with nesterov

    Use it in place of `momentum` if lr follows a schedule: when lr drops, the whole step drops with it. On a steady
    slope it moves at the rate lr / (1 - momentum). If ``dampening`` equals ``momentum``, b is an average, and the rate
    is lr. Its lr is 10 to 1,000 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of ``b`` that each step keeps, in [0, 1).
        dampening: the share of each gradient that is left out of ``b``, from the second step on.
        nesterov: look ahead along ``b``.

    Example:
        >>> opt = heavy_ball(lr=lambda iter: jnp.where(iter < 1, 0.1, 0.01))
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(2.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.200 -0.038

    State: `HeavyBallState`, 4 bytes per float32 parameter.
    Source: Polyak (1964); nesterov as in Sutskever et al. (2013). It matches torch's SGD; optax has no dampening.
    `momentum` is the book's, with lr inside the velocity.
    """

    def init(params):
        return HeavyBallState(iter=zero_steps(params), b=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        share = jnp.where(state.iter == 0, 1, 1 - dampening)

        def rule(g, b):
            b = momentum * b + share * g
            return -lr_t * (g + momentum * b if nesterov else b), b

        updates, b = each(rule, grads, state.b)
        return updates, HeavyBallState(next_step(state.iter), b)

    return init, update
