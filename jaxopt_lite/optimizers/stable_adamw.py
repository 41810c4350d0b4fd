"""StableAdamW: AdamW that shortens a step if its second moment is out of date."""

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
    mean,
    next_step,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class StableAdamWState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Wortsman et al. (2023), arXiv:2304.13013", needs=("decay", "leaf"))
def stable_adamw(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.99,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build AdamW with Adafactor's clipping of updates.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        rms = √mean((g / max(√v̂, eps))²)                            leaf by leaf
        p ← p - lr / max(1, rms) (m̂ / (√v̂ + eps) + λ p)            m̂, v̂ without bias, λ is weight_decay

    Use it in place of AdamW with clipped gradients, where the loss spikes. A leaf takes a shorter step when its
    gradients suddenly grow. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotients finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`; before the step is shortened.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = stable_adamw(lr=0.1, weight_decay=0.0)
        >>> first, state = opt.update(1.0, opt.init(1.0))
        >>> second, state = opt.update(100.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.100 -0.053

    State: `StableAdamWState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Wortsman et al. (2023), arXiv:2304.13013, §3.5. It matches optimi's and pytorch_optimizer's.
    """

    def init(params):
        return StableAdamWState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, p):
            g = add_l2(g, p)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            root = sqrt(v / c2)
            rms = sqrt(mean(abs2(g / jnp.maximum(root, eps))))
            return apply_decay(-lr_t * (m / c1) / (root + eps), p) / jnp.maximum(rms, 1), m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, StableAdamWState(t, m, v)

    return init, update
