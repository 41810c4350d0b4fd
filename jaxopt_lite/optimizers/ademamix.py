"""AdEMAMix: Adam with a second, very slow momentum."""

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
    log,
    next_step,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdEMAMixState(NamedTuple):
    """``iter``: steps taken. ``m1``, ``m2``: the fast and the slow average of gradients. ``v``: the average of g²."""

    iter: jax.Array
    m1: Tree
    m2: Tree
    v: Tree


@optimizer(family="adaptive", paper="Pagliardini et al. (2024), arXiv:2409.03137", needs=("decay",))
def ademamix(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    beta3: Scalar = 0.9999,
    eps: Scalar = 1e-8,
    alpha: Scalar = 5.0,
    warmup_steps: Scalar | None = None,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build AdEMAMix, Adam with a second, very slow momentum.

        iter ← iter + 1
        m1 ← m1 + (1 - beta1) (g - m1)
        m2 ← m2 + (1 - β3) (g - m2)
        v ← v + (1 - beta2) (g² - v)
        p ← p - lr (m̂1 + α m2) / (√v̂ + eps) - lr λ p    m̂1, v̂ without bias, λ is weight_decay

        α = alpha x                                       x = min(iter / warmup_steps, 1), or 1 without
        1 / log β3 = (1 - x) / log beta1 + x / log beta3

    Use it for long runs, of 10,000 steps and more. There, gradients from thousands of steps ago still help. Its lr is
    Adam's or somewhat less, because steps are up to 1 + alpha times as long. In the paper, ``warmup_steps`` is the
    length of the whole run.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m1`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        beta3: the share of ``m2`` that each step keeps after the warm-up, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        alpha: the weight of ``m2`` after the warm-up.
        warmup_steps: the number of steps until alpha and beta3 are reached; None for no warm-up.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = ademamix(lr=0.1, alpha=5.0, beta3=0.9)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.850

    State: `AdEMAMixState`, 12 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Pagliardini et al. (2024), arXiv:2409.03137, where alpha is 5 to 10. It matches pytorch_optimizer's. optax
    warms up only if alpha and b3 are schedules.
    """

    def init(params):
        m1, m2, v = zeros_like(params), zeros_like(params), zeros_like(params, real=True)
        return AdEMAMixState(iter=zero_steps(params), m1=m1, m2=m2, v=v)

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        x = jnp.minimum(1.0 * t / (1 if warmup_steps is None else warmup_steps), 1)
        share = -jnp.expm1(1 / ((1 - x) / log(beta1) + x / log(beta3)))
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m1, m2, v, p):
            g = add_l2(g, p)
            m1 = m1 + (1 - beta1) * (g - m1)
            m2 = m2 + share * (g - m2)
            v = v + (1 - beta2) * (abs2(g) - v)
            return apply_decay(-lr_t * (m1 / c1 + alpha * x * m2) / (sqrt(v / c2) + eps), p), m1, m2, v

        updates, m1, m2, v = each(rule, grads, state.m1, state.m2, state.v, p=params)
        return updates, AdEMAMixState(t, m1, m2, v)

    return init, update
