"""Adam as optax, torch and the paper's algorithm have it."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdamStandardState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Kingma & Ba (2015), arXiv:1412.6980")
def adam_standard(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-8):
    """Build Adam, with the epsilon of optax and torch.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        m̂, v̂ = m / (1 - beta1^iter), v / (1 - beta2^iter)
        p ← p - lr m̂ / (√v̂ + eps)

    Use it where a program or a paper says Adam. It steps as ``optax.adam`` and ``torch.optim.Adam`` do. Its lr is
    Adam's. `adam` is the book's Adam, with eps added before the correction. `adamw` decays weights.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = adam_standard(lr=0.1)
        >>> large, state = opt.update(2.0, opt.init(1.0))
        >>> small, state = opt.update(1e-8, opt.init(1.0))  # as small as eps: half a step
        >>> print(f"{large:.3f} {small:.3f}")
        -0.100 -0.050

    State: `AdamStandardState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Kingma & Ba (2015), arXiv:1412.6980, algorithm 1.
    """

    def init(params):
        return AdamStandardState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, c2 = at(lr, state.iter) / bias_correction(beta1, t), bias_correction(beta2, t)

        def rule(g, m, v):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return -lr_t * m / (sqrt(v / c2) + eps), m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, AdamStandardState(t, m, v)

    return init, update
