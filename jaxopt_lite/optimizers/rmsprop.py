"""RMSProp: AdaGrad that forgets."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.numerics import Number, Scalar, abs2, next_step, sqrt
from jaxopt_lite.rules import at, each
from jaxopt_lite.trees import Tree, zero_steps, zeros_like


class RMSPropState(NamedTuple):
    """``iter``: steps taken. ``h``: the moving average of squared gradients."""

    iter: jax.Array
    h: Tree


@optimizer(family="adaptive", paper="Tieleman & Hinton (2012), Coursera lecture 6.5")
def rmsprop(lr: Number = 0.01, decay_rate: Scalar = 0.99, eps: Scalar = 1e-7):
    """RMSProp.

        h ← decay_rate h + (1 - decay_rate) g²
        p ← p - lr g / (√h + eps)

    Use it where AdaGrad's steps die out before the training is done: on moving targets, with recurrent networks, in
    reinforcement learning. Its lr is of Adam's size; the first step, with h still near 0, is lr / √(1 - decay_rate).

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``.
        decay_rate: the share of the average that each step keeps, in [0, 1).
        eps: keeps the quotient finite where gradients are zero; added to the root.

    State: `RMSPropState`, 4 bytes per float32 parameter. ``h`` is real for complex parameters.
    Source: Deep Learning from Scratch, the code of chapter 6. torch's eps is 1e-8; optax's decay is 0.9, its eps 1e-8
    inside the root.
    """

    def init(params):
        return RMSPropState(iter=zero_steps(params), h=zeros_like(params, real=True))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, h):
            h = decay_rate * h + (1 - decay_rate) * abs2(g)
            return -lr_t * g / (sqrt(h) + eps), h

        updates, h = each(rule, grads, state.h)
        return updates, RMSPropState(next_step(state.iter), h)

    return init, update
