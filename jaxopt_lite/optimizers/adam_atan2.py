"""Adam-atan2: Adam without an epsilon."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    Decay,
    abs2,
    at,
    bias_correction,
    decay_functions,
    each,
    next_step,
    safe_divide,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdamAtan2State(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Everett et al. (2024), arXiv:2407.05872", needs=("decay",))
def adam_atan2(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    weight_decay: ScalarOrSchedule = 0.01,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build AdamW with an arc tangent in place of the quotient.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        p ← p - lr atan2(m̂, √v̂) - lr λ p    m̂, v̂ = m / (1 - beta1^iter), v / (1 - beta2^iter); λ is weight_decay

    Use it where gradients are so small that Adam's eps would count, as in large models. The step does not depend on
    their scale, in float32 down to about 1e-17. Its lr is Adam's. Because atan2(1, 1) = π / 4, an lr of 1.27 times
    Adam's makes steps of the same length.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = adam_atan2(lr=0.1, weight_decay=0.0)
        >>> updates, state = opt.update(2e-15, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.4f} {1 - 0.1 * np.pi / 4:.4f}")
        0.9215 0.9215

    State: `AdamAtan2State`, 8 bytes per float32 parameter. For complex parameters, ``v`` is real, and m̂ keeps its
    phase.
    Source: Everett et al. (2024), arXiv:2407.05872, §4.3. The other defaults are AdamW's. adam-atan2-pytorch multiplies
    by a = 1.27.
    """

    def init(params):
        return AdamAtan2State(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, p):
            g = add_l2(g, p)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            length, root = jnp.abs(m), sqrt(v / c2)
            angle = jnp.arctan2(length / c1, jnp.where(root == 0, 1, root))  # 1 for 0, because (0, 0) has no slope
            return apply_decay(-lr_t * angle * safe_divide(m, length), p), m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, AdamAtan2State(t, m, v)

    return init, update
