"""AdaMax: Adam with the largest gradient in place of the root of the mean square."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, bias_correction, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdaMaxState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``u``: the largest |g| so far, which fades."""

    iter: jax.Array
    m: Tree
    u: Tree


@optimizer(family="adaptive", paper="Kingma & Ba (2015), arXiv:1412.6980, §7.1")
def adamax(lr: ScalarOrSchedule = 0.002, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-8):
    """Build AdaMax, Adam with the largest gradient in place of the root mean square.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        u ← max(beta2 u, |g| + eps)
        p ← p - lr / (1 - beta1^iter) m / u

    Use it where gradients are sparse, or sometimes very large, as with embeddings. No step is much longer than lr. Its
    lr is about twice Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``u`` that each step keeps, in [0, 1).
        eps: added to the gradient's magnitude; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = adamax(lr=0.1)
        >>> first, state = opt.update(1.0, opt.init(1.0))
        >>> second, state = opt.update(100.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.100 -0.053

    State: `AdaMaxState`, 8 bytes per float32 parameter. ``u`` is real for complex parameters.
    Source: Kingma & Ba (2015), arXiv:1412.6980, §7.1, which has no eps. It matches torch's and optax's.
    """

    def init(params):
        return AdaMaxState(iter=zero_steps(params), m=zeros_like(params), u=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter) / bias_correction(beta1, t)

        def rule(g, m, u):
            m = m + (1 - beta1) * (g - m)
            u = jnp.maximum(beta2 * u, jnp.abs(g) + eps)
            return -lr_t * m / u, m, u

        updates, m, u = each(rule, grads, state.m, state.u)
        return updates, AdaMaxState(t, m, u)

    return init, update
