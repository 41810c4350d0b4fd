"""Yogi: Adam whose second moment moves by small steps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, saturating_add, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class YogiState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: follows g² by steps of (1 - beta2) g²."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Zaheer et al. (2018), NeurIPS")
def yogi(lr: ScalarOrSchedule = 0.01, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-3):
    """Build Yogi, Adam whose second moment moves by small steps.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v - (1 - beta2) sign(v - g²) g²    beginning at 1e-6
        p ← p - lr m̂ / (√v̂ + eps)             m̂, v̂ = m / (1 - beta1^iter), v / (1 - beta2^iter)

    Use it where Adam's rates rise too fast once gradients get small. In Yogi, v falls by a share of g², not by a share
    of v. Its lr is ten times Adam's, because its eps is large.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: ``v`` moves by the share 1 - beta2 of g²; in [0, 1).
        eps: added to the corrected root; limits the ratio between the rates of small and large gradients.

    Example:
        >>> opt = yogi(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> small, state = opt.update(0.0, state)  # v stays, where Adam's would fall
        >>> print(f"{apply_updates(1.0, updates):.3f} {state.v:.6f}")
        0.900 0.004001

    State: `YogiState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Zaheer et al. (2018), which corrects no bias. The defaults are those of its experiments. In optax, ``m``
    also begins at 1e-6, so that parameters leave 0 along a gradient of 0.
    """

    def init(params):
        v = jax.tree.map(lambda zeros: zeros + 1e-6, zeros_like(params, real=True))
        return YogiState(iter=zero_steps(params), m=zeros_like(params), v=v)

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)

        def rule(g, m, v):
            m = m + (1 - beta1) * (g - m)
            v = saturating_add(v, -(1 - beta2) * jnp.sign(v - abs2(g)) * abs2(g))
            return -lr_t * (m / c1) / (sqrt(v / c2) + eps), m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, YogiState(t, m, v)

    return init, update
