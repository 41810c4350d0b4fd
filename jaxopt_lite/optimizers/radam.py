"""RAdam: Adam with short first steps, because the second moment is still uncertain."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, log, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class RAdamState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``v``: the moving average of squared gradients."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Liu et al. (2020), arXiv:1908.03265")
def radam(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-8):
    """Build rectified Adam.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        ρ∞ = 2 / (1 - beta2) - 1
        ρ  = ρ∞ - 2 iter beta2^iter / (1 - beta2^iter)
        r  = √((ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ))
        p ← p - lr r m̂ √(1 - beta2^iter) / (√v + eps)         where ρ > 5
        p ← p - lr m̂                                          elsewhere; m̂ = m / (1 - beta1^iter)

    Use it in place of a warm-up: r grows from 0 to 1 over several times 1 / (1 - beta2) steps. The first five steps
    have no second moment: they are plain steps along m̂. Their size depends on the gradient's scale. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the root before its correction; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = radam(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.800

    State: `RAdamState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Liu et al. (2020), arXiv:1908.03265. The threshold of 5 is that of the authors' code, torch and optax; the
    paper's is 4. It matches torch's; optax adds eps to the corrected root.
    """

    def init(params):
        return RAdamState(iter=zero_steps(params), m=zeros_like(params), v=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        longest = 2 / (1 - beta2) - 1
        # ρ has 1 / expm1(x) for beta2^iter / (1 - beta2^iter). Parts as large as ρ∞ are taken out of both terms,
        # because float32 would leave little of their difference.
        x = -1.0 * t * log(beta2)
        near, far = jnp.minimum(x, 0.25), jnp.maximum(x, 0.25)
        series = 1 - near / 6 + near**3 / 360 - near**5 / 15120 + near**7 / 604800
        rho = longest + 2 / log(beta2) + t * jnp.where(x < 0.25, series, 2 / far - 2 / jnp.expm1(far))
        rectified, known = rho > 5, jnp.maximum(rho, 5)
        r2 = (known - 4) * (known - 2) * longest / ((longest - 4) * (longest - 2) * known)
        r = sqrt(jnp.where(rectified, r2, 0))

        def rule(g, m, v):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return -lr_t * m / c1 * jnp.where(rectified, r * sqrt(c2) / (sqrt(v) + eps), 1), m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, RAdamState(t, m, v)

    return init, update
