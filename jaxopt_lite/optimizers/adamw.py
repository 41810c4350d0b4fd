"""AdamW: Adam, with weight decay outside the quotient."""

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


class AdamWState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Loshchilov & Hutter (2019), arXiv:1711.05101", needs=("decay",))
def adamw(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build AdamW, with every meaning of weight decay.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        m̂, v̂ = m / (1 - beta1^iter), v / (1 - beta2^iter)
        p ← p - lr m̂ / (√v̂ + eps) - lr λ p    λ is weight_decay

    Use it for transformers, and wherever Adam is used with weight decay. Its lr is Adam's. With ``weight_decay=0`` it
    is `adam_standard`, and needs no ``params``.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled" subtracts lr λ p, as torch and optax do. "independent" subtracts λ p, times lr / ``peak_lr``
            if that is given, as the paper does. "l2" adds λ p to the gradient. "proximal" steps without decay, and
            divides the result by 1 + lr λ.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = adamw(lr=0.1, weight_decay=0.5)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.850

    State: `AdamWState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Loshchilov & Hutter (2019), arXiv:1711.05101. torch has the same defaults; optax's λ is 1e-4.
    """

    def init(params):
        return AdamWState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, c2 = at(lr, state.iter) / bias_correction(beta1, t), bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, p):
            g = add_l2(g, p)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return apply_decay(-lr_t * m / (sqrt(v / c2) + eps), p), m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, AdamWState(t, m, v)

    return init, update
