"""MADGRAD: dual averaging with a cube root."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, copy, each, next_step, saturating_add, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class MADGRADState(NamedTuple):
    """``iter``: steps taken. ``s``, ``v``: weighted sums of gradients and their squares. ``x0``: the first params."""

    iter: jax.Array
    s: Tree
    v: Tree
    x0: Tree


@optimizer(family="adaptive", paper="Defazio & Jelassi (2021), arXiv:2101.11075", needs=("params",))
def madgrad(lr: ScalarOrSchedule = 0.01, momentum: Scalar = 0.9, eps: Scalar = 1e-6):
    """Build MADGRAD, a momentumised, adaptive, dual averaged gradient method.

        iter ← iter + 1
        λ = lr √iter
        s ← s + λ g
        v ← v + |λ| g²
        z = x0 - s / (∛v + eps)
        p ← momentum p + (1 - momentum) z

    Use it for sparse problems and for vision, where Adam generalises worse than SGD. MADGRAD needs less weight decay
    than Adam and SGD. Its lr is about ten times Adam's, and hard to compare. It stands in s and, under the cube root,
    in v.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of the parameters that each step keeps, in [0, 1).
        eps: added to the root; keeps the quotient finite for zero gradients.

    Example:
        >>> opt = madgrad(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.973

    State: `MADGRADState`, 12 bytes per float32 parameter. ``x0`` is a copy of the parameters that ``init`` got. ``v``
    is real for complex parameters.
    Source: Defazio & Jelassi (2021), arXiv:2101.11075, with the defaults of the authors' code. Their code and optax's
    add eps to lr.
    """

    def init(params):
        s, v = zeros_like(params), zeros_like(params, real=True)
        return MADGRADState(iter=zero_steps(params), s=s, v=v, x0=copy(params))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lam = at(lr, state.iter) * sqrt(1.0 * t)

        def rule(g, s, v, p, x0):
            s = s + lam * g
            v = saturating_add(v, abs(lam) * abs2(g))
            root = jnp.cbrt(jnp.where(v > 0, v, 1))  # 1 for 0, because cbrt has no slope there; s is 0 there too
            z = x0 - s / (root + eps)
            return (1 - momentum) * (z - p), s, v

        updates, s, v = each(rule, grads, state.s, state.v, p=params, x0=state.x0)
        return updates, MADGRADState(t, s, v, state.x0)

    return init, update
