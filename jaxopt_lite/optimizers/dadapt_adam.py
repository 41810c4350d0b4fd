"""D-Adaptation: Adam with a learning rate estimated from below."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    abs2,
    at,
    cast_like,
    dot,
    each,
    next_step,
    norm1,
    replicated_scalar,
    safe_divide,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class DAdaptAdamState(NamedTuple):
    """``iter``: steps taken. ``d``: the estimate, which grows to r / ((1 - √beta2) ‖s‖₁).

    ``m``: the moving average of steps. ``v``: the moving average of squared gradients.
    """

    iter: jax.Array
    d: jax.Array
    r: jax.Array
    m: Tree
    v: Tree
    s: Tree


@optimizer(family="rate-free", paper="Defazio & Mishchenko (2023), arXiv:2301.07733", needs=("decay", "tree"))
def dadapt_adam(
    lr: ScalarOrSchedule = 1.0,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    d0: Scalar = 1e-6,
):
    """Build Adam with D-Adaptation.

        r ← √beta2 r + (1 - √beta2) lr d ⟨g, s / (√v + eps)⟩    sums over the whole tree
        m ← m + (1 - beta1) (lr d g - m)
        v ← v + (1 - beta2) (g² - v)
        s ← √beta2 s + (1 - √beta2) lr d g
        p ← p - m / (√v + eps) - lr d λ p                       λ is weight_decay
        d ← max(d, r / ((1 - √beta2) ‖s‖₁))

    Use it as `prodigy`. Prodigy is newer and finds a larger d sooner, but has a larger state. Its lr is a factor of d:
    1, or a schedule that falls from 1. In the end, lr d is close to Adam's lr.

    Args:
        lr: the factor of d; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1). ``r`` and ``s`` keep the share √beta2.
        eps: added to √v; keeps the quotient finite for zero gradients.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        d0: the first d; choose it smaller than any suitable d.

    Example:
        >>> opt = dadapt_adam()
        >>> @jax.jit
        ... def step(params, state):
        ...     updates, state = opt.update(params - 3, state, params)
        ...     return apply_updates(params, updates), state
        >>> params, state = 1.0, opt.init(1.0)
        >>> for _ in range(200):
        ...     params, state = step(params, state)
        >>> print(f"{params:.2f} {state.d:.0f}")
        3.00 4

    State: `DAdaptAdamState`, 12 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Defazio & Mishchenko (2023), arXiv:2301.07733, algorithm 5, in the order of the authors' package
    dadaptation. No bias is corrected, as there.
    """

    def init(params):
        return DAdaptAdamState(
            zero_steps(params),
            replicated_scalar(params, d0),
            replicated_scalar(params),
            zeros_like(params),
            zeros_like(params, real=True),
            zeros_like(params),
        )

    def update(grads, state, params=None):
        d, lr_t, shrink, beta3 = state.d, at(lr, state.iter), at(weight_decay, state.iter), beta2**0.5
        whitened = jax.tree.map(lambda s, v: s / (sqrt(v) + eps), state.s, state.v)
        r = beta3 * state.r + (1 - beta3) * lr_t * d * dot(grads, whitened)

        def rule(g, m, v, s, p):
            m = m + (1 - beta1) * (lr_t * d * g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            s = beta3 * s + (1 - beta3) * lr_t * d * g
            return -m / (sqrt(v) + eps) - lr_t * d * shrink * p, m, v, s

        updates, m, v, s = each(rule, grads, state.m, state.v, state.s, p=params)
        d, r = cast_like((jnp.maximum(d, safe_divide(r, (1 - beta3) * norm1(s))), r), (state.d, state.r))
        return updates, DAdaptAdamState(next_step(state.iter), d, r, m, v, s)

    return init, update
