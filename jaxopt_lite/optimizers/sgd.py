"""Stochastic gradient descent: lr times the gradient, downhill."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps
from jaxopt_lite.types import ScalarOrSchedule


class SGDState(NamedTuple):
    """``iter``: steps taken, for schedules."""

    iter: jax.Array


@optimizer(family="first-order", paper="Robbins & Monro (1951)")
def sgd(lr: ScalarOrSchedule = 0.01):
    """Build stochastic gradient descent.

        p ← p - lr g

    Use it as the yardstick: a more expensive rule has to beat it, each at its own best rate. Its lr is 10 to 10,000
    times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.

    Example:
        >>> opt = sgd(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.800

    State: `SGDState`, 4 bytes in all.
    Source: Deep Learning from Scratch, §6.1.2. It matches torch's and optax's.
    """

    def init(params):
        return SGDState(iter=zero_steps(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g):
            return -lr_t * g

        return each(rule, grads), SGDState(next_step(state.iter))

    return init, update
