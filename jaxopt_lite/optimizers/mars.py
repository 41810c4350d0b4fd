"""MARS: AdamW along gradients with less variance."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    Decay,
    abs2,
    at,
    bias_correction,
    clip_to_norm,
    decay_functions,
    each,
    next_step,
    norm,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class MARSState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: moving averages of c and of its square. ``g``: the last gradient."""

    iter: jax.Array
    m: Tree
    v: Tree
    g: Tree


@optimizer(family="adaptive", paper="Yuan et al. (2024), arXiv:2411.10438", needs=("decay", "leaf"))
def mars(
    lr: ScalarOrSchedule = 0.003,
    beta1: Scalar = 0.95,
    beta2: Scalar = 0.99,
    eps: Scalar = 1e-8,
    gamma: Scalar = 0.025,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build MARS-AdamW, in its approximate form with one gradient per step.

        iter ← iter + 1
        c = g + gamma beta1 / (1 - beta1) (g - the last g)    before the first step, 0
        c ← c / max(1, ‖c‖)                                   leaf by leaf
        m ← m + (1 - beta1) (c - m)
        v ← v + (1 - beta2) (c² - v)
        p ← p - lr m̂ / (√v̂ + eps) - lr λ p                   m̂, v̂ without bias, λ is weight_decay

    Use it for the matrices of language models. Its lr is about three times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        gamma: the strength of the variance reduction; 0 leaves AdamW along gradients of norm 1 at most.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = mars(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f} {state.m:.3f}")  # m is 0.05 c, and c is cut to 1
        0.900 0.050

    State: `MARSState`, 12 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Yuan et al. (2024), arXiv:2411.10438, with the defaults of the authors' code. Their code steps vectors by
    AdamW, unless ``optimize_1d`` is set. `partition` does so here.
    """

    def init(params):
        m, v, g = zeros_like(params), zeros_like(params, real=True), zeros_like(params)
        return MARSState(iter=zero_steps(params), m=m, v=v, g=g)

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, g_last, p):
            g = add_l2(g, p)
            c = g + gamma * (beta1 / (1 - beta1)) * (g - g_last)
            c = clip_to_norm(c, norm(c), 1)
            m = m + (1 - beta1) * (c - m)
            v = v + (1 - beta2) * (abs2(c) - v)
            return apply_decay(-lr_t * (m / c1) / (sqrt(v / c2) + eps), p), m, v, g

        updates, m, v, g = each(rule, grads, state.m, state.v, state.g, p=params)
        return updates, MARSState(t, m, v, g)

    return init, update
