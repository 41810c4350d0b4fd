"""AMSGrad: Adam whose rates never rise again."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AMSGradState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: averages of gradients and of their squares. ``v_max``: the largest ``v``."""

    iter: jax.Array
    m: Tree
    v: Tree
    v_max: Tree


@optimizer(family="adaptive", paper="Reddi et al. (2018), arXiv:1904.09237")
def amsgrad(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-8):
    """Build AMSGrad, Adam whose rates never rise again.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        v_max ← max(v_max, v)
        p ← p - lr m̂ / (√(v_max / (1 - beta2^iter)) + eps)    m̂ = m / (1 - beta1^iter)

    Use it where Adam does not settle, because it forgets rare large gradients too soon. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = amsgrad(lr=0.1)
        >>> updates, state = opt.update(10.0, opt.init(1.0))
        >>> updates, state = opt.update(0.1, state)
        >>> print(f"{state.v:.4f} {state.v_max:.4f}")
        0.0999 0.1000

    State: `AMSGradState`, 12 bytes per float32 parameter. ``v`` and ``v_max`` are real for complex parameters.
    Source: Reddi et al. (2018), arXiv:1904.09237, which corrects no bias. It matches torch's Adam with ``amsgrad``.
    optax keeps the largest corrected v; the first and noisiest v weigh most there.
    """

    def init(params):
        v, v_max = zeros_like(params, real=True), zeros_like(params, real=True)
        return AMSGradState(iter=zero_steps(params), m=zeros_like(params), v=v, v_max=v_max)

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)

        def rule(g, m, v, v_max):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            v_max = jnp.maximum(v_max, v)
            return -lr_t * (m / c1) / (sqrt(v_max / c2) + eps), m, v, v_max

        updates, m, v, v_max = each(rule, grads, state.m, state.v, state.v_max)
        return updates, AMSGradState(t, m, v, v_max)

    return init, update
