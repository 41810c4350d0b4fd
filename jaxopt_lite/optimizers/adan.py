"""Adan: Nesterov's momentum from the differences of gradients."""

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


class AdanState(NamedTuple):
    """``iter``: steps taken. ``m``, ``d``, ``n``: averages of g, δ and |g + beta2 δ|². ``g``: the last gradient."""

    iter: jax.Array
    m: Tree
    d: Tree
    n: Tree
    g: Tree


@optimizer(family="adaptive", paper="Xie et al. (2022), arXiv:2208.06677", needs=("decay",))
def adan(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.98,
    beta2: Scalar = 0.92,
    beta3: Scalar = 0.99,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "proximal",
    peak_lr: Scalar | None = None,
):
    """Build Adan, Adam with Nesterov's momentum from the differences of gradients.

        iter ← iter + 1
        δ = g - the last g                     at the first step 0
        m ← m + (1 - beta1) (g - m)
        d ← d + (1 - beta2) (δ - d)
        n ← n + (1 - beta3) ((g + beta2 δ)² - n)
        p ← (p - lr (m̂ + beta2 d̂) / (√n̂ + eps)) / (1 + lr λ)    m̂, d̂, n̂ without bias, λ is weight_decay

    Use it for vision and language models alike, with large batches. Its lr may be 5 to 10 times Adam's, as its authors
    have it. They decay by λ = 0.02.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1); the paper's 1 - β₁.
        beta2: the share of ``d`` that each step keeps, in [0, 1); also the factor of δ and d̂.
        beta3: the share of ``n`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "proximal", as above; "decoupled", "independent" or "l2", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = adan(lr=0.1, weight_decay=0.5)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.857

    State: `AdanState`, 16 bytes per float32 parameter. ``n`` is real for complex parameters.
    Source: Xie et al. (2022), arXiv:2208.06677, with the authors' defaults. optax multiplies δ and d̂ by 1 - beta2 in
    place of beta2. It also has a second eps of 1e-8 inside the root.
    """

    def init(params):
        m, d, g = zeros_like(params), zeros_like(params), zeros_like(params)
        return AdanState(iter=zero_steps(params), m=m, d=d, n=zeros_like(params, real=True), g=g)

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, known = at(lr, state.iter), state.iter > 0
        c1, c2, c3 = (bias_correction(beta, t) for beta in (beta1, beta2, beta3))
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, d, n, g_last, p):
            g = add_l2(g, p)
            delta = known * (g - g_last)
            m = m + (1 - beta1) * (g - m)
            d = d + (1 - beta2) * (delta - d)
            n = n + (1 - beta3) * (abs2(g + beta2 * delta) - n)
            return apply_decay(-lr_t * (m / c1 + beta2 * d / c2) / (sqrt(n / c3) + eps), p), m, d, n, g

        updates, m, d, n, g = each(rule, grads, state.m, state.d, state.n, state.g, p=params)
        return updates, AdanState(t, m, d, n, g)

    return init, update
