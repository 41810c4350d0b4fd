"""NAdamW: AdamW that looks ahead along its momentum."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    Decay,
    abs2,
    at,
    bias_correction,
    decay_functions,
    each,
    next_step,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class NAdamWState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Dozat (2016); Dahl et al. (2023), arXiv:2306.07179", needs=("decay",))
def nadamw(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build AdamW with Nesterov's momentum, the baseline of the AlgoPerf benchmark.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        m̃ = beta1 m / (1 - beta1^(iter + 1)) + (1 - beta1) g / (1 - beta1^iter)
        p ← p - lr m̃ / (√v̂ + eps) - lr λ p    λ is weight_decay, v̂ = v / (1 - beta2^iter)

    Use it wherever AdamW is used. With a warm-up and a cosine, it is seldom worse. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = nadamw(lr=0.1, weight_decay=0.0)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.853

    State: `NAdamWState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Dozat (2016), as in optax, whose λ is 1e-4. The defaults are AdamW's. torch's NAdam with
    decoupled_weight_decay warms its momentum up; here, that is `nadam` before `weight_decay`.
    """

    def init(params):
        return NAdamWState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        of_m = beta1 / bias_correction(beta1, next_step(t))
        of_g = (1 - beta1) / bias_correction(beta1, t)
        c2 = bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, p):
            g = add_l2(g, p)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return apply_decay(-lr_t * (of_m * m + of_g * g) / (sqrt(v / c2) + eps), p), m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, NAdamWState(t, m, v)

    return init, update
