"""RMSProp: AdaGrad that forgets."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class RMSPropState(NamedTuple):
    """``iter``: steps taken. ``h``: the moving average of squared gradients.

    ``mean``: the average of gradients, None unless centered. ``b``: the fading sum of quotients, None without momentum.
    """

    iter: jax.Array
    h: Tree
    mean: Tree = None
    b: Tree = None


@optimizer(family="adaptive", paper="Tieleman & Hinton (2012), Coursera lecture 6.5")
def rmsprop(
    lr: ScalarOrSchedule = 0.01,
    decay_rate: Scalar = 0.99,
    eps: Scalar = 1e-7,
    momentum: Scalar | None = None,
    centered: bool = False,
):
    """Build RMSProp, AdaGrad that forgets.

        h ← decay_rate h + (1 - decay_rate) g²
        p ← p - lr g / (√h + eps)

        mean ← decay_rate mean + (1 - decay_rate) g    where centered, √(h - mean²) in place of √h
        b ← momentum b + g / (√h + eps)                with momentum, p ← p - lr b

    Use it where AdaGrad's steps die out before the training is done: on moving targets, with recurrent networks, in
    reinforcement learning. Its lr is of Adam's size. The first step, with h still near 0, is lr / √(1 - decay_rate).

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        decay_rate: the share of the averages that each step keeps, in [0, 1).
        eps: added to the root; keeps the quotient finite for zero gradients.
        momentum: the share of ``b`` that each step keeps, in [0, 1), or None.
        centered: divide by the deviation of the gradients in place of the root of their mean square.

    Example:
        >>> opt = rmsprop(lr=0.01)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.900

    State: `RMSPropState`, 4 bytes per float32 parameter; 4 more with momentum, and 4 more if centered. ``h`` is real
    for complex parameters.
    Source: Deep Learning from Scratch, the code of chapter 6. Momentum and centering are torch's (Graves, 2013,
    arXiv:1308.0850). torch's eps is 1e-8. optax's decay is 0.9, and its eps of 1e-8 stands inside the root.
    """

    def init(params):
        mean = zeros_like(params) if centered else None
        b = None if momentum is None else zeros_like(params)
        return RMSPropState(iter=zero_steps(params), h=zeros_like(params, real=True), mean=mean, b=b)

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, h, mean, b):
            h = decay_rate * h + (1 - decay_rate) * abs2(g)
            variance = h
            if centered:
                mean = decay_rate * mean + (1 - decay_rate) * g
                variance = jnp.maximum(h - abs2(mean), 0)  # at least 0, because rounding can bring it below
            u = g / (sqrt(variance) + eps)
            if momentum is not None:
                u = b = momentum * b + u
            return -lr_t * u, h, mean, b

        updates, h, mean, b = each(rule, grads, state.h, state.mean, state.b)
        return updates, RMSPropState(next_step(state.iter), h, mean, b)

    return init, update
