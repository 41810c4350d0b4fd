"""LaProp: normalise first, then gather momentum."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class LaPropState(NamedTuple):
    """``iter``: steps taken. ``m``: the average of normalised gradients. ``v``: the average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Ziyin et al. (2020), arXiv:2002.04839")
def laprop(lr: ScalarOrSchedule = 4e-4, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-15):
    """Build LaProp, which normalises gradients first and gathers momentum second.

        iter ← iter + 1
        v ← v + (1 - beta2) (g² - v)
        m ← m + (1 - beta1) (g / (√v̂ + eps) - m)    v̂ = v / (1 - beta2^iter)
        p ← p - lr m / (1 - beta1^iter)

    Use it where Adam is unstable, as with a small beta2 or noisy gradients. Here beta1 and beta2 are independent, but
    Adam's beta1 must stay below √beta2. Its lr is Adam's or below.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = laprop(lr=0.1)
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(0.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.100 -0.047

    State: `LaPropState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Ziyin et al. (2020), arXiv:2002.04839, with the defaults of the authors' code. Their code keeps lr inside m;
    the two are equal while lr is constant.
    """

    def init(params):
        return LaPropState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter) / bias_correction(beta1, t)
        c2 = bias_correction(beta2, t)

        def rule(g, m, v):
            v = v + (1 - beta2) * (abs2(g) - v)
            m = m + (1 - beta1) * (g / (sqrt(v / c2) + eps) - m)
            return -lr_t * m, m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, LaPropState(t, m, v)

    return init, update
