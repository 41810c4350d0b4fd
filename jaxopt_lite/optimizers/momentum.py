"""Momentum: a ball that rolls downhill and is slow to turn."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class MomentumState(NamedTuple):
    """``iter``: steps taken. ``velocity``: the fading sum of steps, learning rate included."""

    iter: jax.Array
    velocity: Tree


@optimizer(family="first-order", paper="Polyak (1964)")
def momentum(lr: ScalarOrSchedule = 0.01, momentum: Scalar = 0.9):
    """Build gradient descent with momentum.

        velocity ← momentum velocity - lr g
        p ← p + velocity

    Use it where plain gradient descent zigzags. On a steady slope it moves at the rate lr / (1 - momentum). Its lr is
    10 to 1,000 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of the velocity that each step keeps, in [0, 1).

    Example:
        >>> opt = momentum(lr=0.1)
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(2.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.200 -0.380

    State: `MomentumState`, 4 bytes per float32 parameter.
    Source: Deep Learning from Scratch, §6.1.4. torch and optax keep lr outside the velocity, which is the same while lr
    is constant. After a drop of lr, this velocity still remembers the steps at the old lr.
    """

    def init(params):
        return MomentumState(iter=zero_steps(params), velocity=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, velocity):
            velocity = momentum * velocity - lr_t * g
            return velocity, velocity

        updates, velocity = each(rule, grads, state.velocity)
        return updates, MomentumState(next_step(state.iter), velocity)

    return init, update
