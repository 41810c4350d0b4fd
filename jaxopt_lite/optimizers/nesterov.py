"""Nesterov's momentum: look ahead along the velocity, and correct from there."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class NesterovState(NamedTuple):
    """``iter``: steps taken. ``velocity``: the fading sum of steps, learning rate included."""

    iter: jax.Array
    velocity: Tree


@optimizer(family="first-order", paper="Nesterov (1983), as rewritten by Bengio et al., arXiv:1212.0901")
def nesterov(lr: ScalarOrSchedule = 0.01, momentum: Scalar = 0.9):
    """Build Nesterov's accelerated gradient, with gradients taken at the parameters themselves.

        velocity ← momentum velocity - lr g
        p ← p + momentum velocity - lr g        with the new velocity

    Written with the old velocity, the step is momentum² velocity - (1 + momentum) lr g. Code with the new velocity in
    that formula takes the momentum twice.

    Use it like `momentum`; it overshoots less where the curvature is high. Its lr is 10 to 1,000 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of the velocity that each step keeps, in [0, 1).

    Example:
        >>> opt = nesterov(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.620

    State: `NesterovState`, 4 bytes per float32 parameter.
    Source: Deep Learning from Scratch, the code of chapter 6. While lr is constant, it matches torch's and optax's
    ``nesterov=True``.
    """

    def init(params):
        return NesterovState(iter=zero_steps(params), velocity=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, velocity):
            velocity = momentum * velocity - lr_t * g
            return momentum * velocity - lr_t * g, velocity

        updates, velocity = each(rule, grads, state.velocity)
        return updates, NesterovState(next_step(state.iter), velocity)

    return init, update
