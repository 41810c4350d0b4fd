"""LAMB: Adam's direction, at the length of the layer."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, norm, sqrt, trust_ratio, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class LAMBState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="layerwise", paper="You et al. (2020), arXiv:1904.00962", needs=("params", "leaf"))
def lamb(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-6,
    weight_decay: ScalarOrSchedule = 0.01,
):
    """Build LAMB, Adam's direction at the length of the layer.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        r = m̂ / (√v̂ + eps) + λ p     m̂, v̂ without bias, λ is weight_decay
        p ← p - lr ‖p‖ / ‖r‖ r        leaf by leaf; the ratio is 1 where either is 0

    Use it for transformers with batches of tens of thousands. Each leaf moves by lr times its length. Its lr is some
    ten times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ, inside ``r``; a number, an array, or a schedule.

    Example:
        >>> opt = lamb(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(10.0), 10.0)
        >>> print(f"{apply_updates(10.0, updates):.3f}")
        9.000

    State: `LAMBState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: You et al. (2020), arXiv:1904.00962, with φ the identity, and λ as for BERT there. optax's λ is 0.
    pytorch_optimizer corrects no bias, adds eps to ‖r‖, caps ‖p‖ at 10, and decays p outside r.
    """

    def init(params):
        return LAMBState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)

        def rule(g, m, v, p):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            r = (m / c1) / (sqrt(v / c2) + eps) + shrink * p
            return -lr_t * trust_ratio(norm(p), norm(r)) * r, m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, LAMBState(t, m, v)

    return init, update
