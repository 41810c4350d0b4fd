"""Prodigy: Adam with a learning rate estimated on the way."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    abs2,
    at,
    cast_like,
    copy,
    difference,
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


class ProdigyState(NamedTuple):
    """``iter``: steps taken. ``d``: the estimate, which grows to d_coef r / ‖s‖₁.

    ``m``, ``v``: the moving averages of gradients and of their squares, at the scale of d. ``start``: the first params.
    """

    iter: jax.Array
    d: jax.Array
    r: jax.Array
    m: Tree
    v: Tree
    s: Tree
    start: Tree


@optimizer(family="rate-free", paper="Mishchenko & Defazio (2023), arXiv:2306.06101", needs=("params", "tree"))
def prodigy(
    lr: ScalarOrSchedule = 1.0,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    d0: Scalar = 1e-6,
    d_coef: Scalar = 1.0,
):
    """Build Prodigy, Adam with an estimated learning rate.

        r ← √beta2 r + (1 - √beta2) lr d² ⟨g, start - p⟩    sums over the whole tree
        s ← √beta2 s + (1 - √beta2) lr d² g
        m ← m + (1 - beta1) (d g - m)
        v ← v + (1 - beta2) (d² g² - v)
        p ← p - lr d (m / (√v + d eps) + λ p)               λ is weight_decay
        d ← max(d, d_coef r / ‖s‖₁)

    Use it where nobody has tuned Adam's lr. In the end, lr d is close to Adam's lr. Leave lr at 1, or let a schedule
    fall from 1. It needs some hundred steps to find d. If d still rises at the end, choose a larger ``d_coef``.
    Parameters in bfloat16 would round away the first, tiny steps; raise ``d0`` for them.

    Args:
        lr: the factor of d; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1). ``r`` and ``s`` keep the share √beta2.
        eps: added to √v, times d; keeps the quotient finite for zero gradients.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        d0: the first d; choose it smaller than any suitable d.
        d_coef: the factor of the estimate: 0.5 makes it more careful, 2 makes it bolder.

    Example:
        >>> opt = prodigy()
        >>> @jax.jit
        ... def step(params, state):
        ...     updates, state = opt.update(params - 3, state, params)
        ...     return apply_updates(params, updates), state
        >>> params, state = 1.0, opt.init(1.0)
        >>> for _ in range(200):
        ...     params, state = step(params, state)
        >>> print(f"{params:.2f} {state.d:.0f}")
        3.00 1

    State: `ProdigyState`, 16 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Mishchenko & Defazio (2023), arXiv:2306.06101, algorithm 4, in the order of the authors' package prodigyopt.
    That package divides ``r`` and ``s`` by d0, and multiplies eps by the d of the next step. No bias is corrected, as
    there.
    """

    def init(params):
        return ProdigyState(
            zero_steps(params),
            replicated_scalar(params, d0),
            replicated_scalar(params),
            zeros_like(params),
            zeros_like(params, real=True),
            zeros_like(params),
            copy(params),
        )

    def update(grads, state, params=None):
        d, lr_t, shrink, beta3 = state.d, at(lr, state.iter), at(weight_decay, state.iter), beta2**0.5
        r = beta3 * state.r + (1 - beta3) * lr_t * d * d * dot(grads, difference(state.start, params))

        def rule(g, m, v, s, p):
            m = m + (1 - beta1) * (d * g - m)
            v = v + (1 - beta2) * (abs2(d * g) - v)
            s = beta3 * s + (1 - beta3) * lr_t * d * d * g
            return -lr_t * d * (m / (sqrt(v) + d * eps) + shrink * p), m, v, s

        updates, m, v, s = each(rule, grads, state.m, state.v, state.s, p=params)
        d, r = cast_like((jnp.maximum(d, d_coef * safe_divide(r, norm1(s))), r), (state.d, state.r))
        return updates, ProdigyState(next_step(state.iter), d, r, m, v, s, state.start)

    return init, update
