"""Adam: momentum over a rate for every parameter."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdamState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Kingma & Ba (2015), arXiv:1412.6980")
def adam(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-7):
    """Build Adam, with the epsilon of the book.

        iter ← iter + 1
        lr_t = lr √(1 - beta2^iter) / (1 - beta1^iter)
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        p ← p - lr_t m / (√v + eps)

    Use it first. While the scale of a gradient is steady, Adam's step is about lr long, at any scale. After a sudden
    rise of the scale, the step is several times as long.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the root before its correction (the "epsilon hat" of the paper's §2); keeps the quotient finite
            for zero gradients.

    Example:
        >>> opt = adam(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.900

    State: `AdamState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Deep Learning from Scratch, §6.1.6. torch and optax add an eps of 1e-8 to the corrected root √(v / (1 -
    beta2^iter)). In this form, that would be an eps of 1e-8 √(1 - beta2^iter). Their Adam is `adam_standard`.
    """

    def init(params):
        return AdamState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter) * sqrt(bias_correction(beta2, t)) / bias_correction(beta1, t)

        def rule(g, m, v):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return -lr_t * m / (sqrt(v) + eps), m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, AdamState(t, m, v)

    return init, update
