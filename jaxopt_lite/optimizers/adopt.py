"""ADOPT: Adam, divided by the second moment before this gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, clip_to_norm, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ADOPTState(NamedTuple):
    """``iter``: steps taken. ``m``: the average of normalised gradients. ``v``: the average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Taniguchi et al. (2024), arXiv:2411.02853")
def adopt(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.9999, eps: Scalar = 1e-6):
    """Build ADOPT, Adam divided by the second moment before this gradient.

        n = g / max(√v, eps), cut off at ±iter^¼    iter counts the steps before this one
        m ← m + (1 - beta1) (n - m)
        p ← p - lr m
        v ← v + (1 - beta2) (g² - v)                at the first step, which does not move, v ← g²

    Use it where Adam depends on beta2; ADOPT converges for every beta2. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: the smallest divisor.

    Example:
        >>> opt = adopt(lr=0.1)
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(2.0, state)
        >>> print(f"{apply_updates(1.0, first):.3f} {apply_updates(1.0, second):.3f}")
        1.000 0.990

    State: `ADOPTState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Taniguchi et al. (2024), arXiv:2411.02853, with the authors' defaults. It matches optax.contrib.adopt.
    pytorch_optimizer's cut-off counts this step too.
    """

    def init(params):
        return ADOPTState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        limit = state.iter**0.25
        first = state.iter == 0
        share = jnp.where(first, 1, 1 - beta2)

        def rule(g, m, v):
            n = g / jnp.where(first, 1, jnp.maximum(sqrt(v), eps))
            m = m + (1 - beta1) * (clip_to_norm(n, jnp.abs(n), limit) - m)
            v = v + share * (abs2(g) - v)
            return -lr_t * m, m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, ADOPTState(next_step(state.iter), m, v)

    return init, update
