"""Polyak's step: the loss above its minimum, over the squared gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, norm, safe_divide, sqrt, zero_steps
from jaxopt_lite.types import Scalar, ScalarOrSchedule


class PolyakSGDState(NamedTuple):
    """``iter``: steps taken."""

    iter: jax.Array


@optimizer(family="second-order", paper="Loizou et al. (2021), arXiv:2002.10542", needs=("value", "tree"))
def polyak_sgd(lr: ScalarOrSchedule = 1.0, max_lr: Scalar = 1.0, f_min: Scalar = 0.0, eps: Scalar = 0.0):
    """Build gradient descent with Polyak's step.

        η ← min(max(value - f_min, 0) / (‖g‖² + eps), max_lr)    the norm of the whole tree
        p ← p - lr η g

    Use it where the lowest loss is known, as 0 for a network that can fit all its data. ``update`` needs ``value``, the
    loss at p: ``opt.update(grads, state, params, value=loss)``. Its lr is a factor of the step found. Leave it at 1;
    Adam's lr does not matter.

    Args:
        lr: the factor of the step; a number, an array, or a schedule of ``iter``, counted from 0.
        max_lr: the largest η, for vanishing gradients at a loss above ``f_min``.
        f_min: the lowest loss.
        eps: added to ‖g‖²; makes steps smaller where gradients are small.

    Example:
        >>> opt = polyak_sgd()
        >>> value, grads = jax.value_and_grad(lambda x: x**2)(2.0)
        >>> updates, state = opt.update(grads, opt.init(2.0), value=value)
        >>> print(f"{apply_updates(2.0, updates):.3f}")  # the step is 4 / 4² of the gradient 4
        1.000

    State: `PolyakSGDState`, 4 bytes in all.
    Source: Polyak (1969); Loizou et al. (2021), arXiv:2002.10542, equation 4, with c = 1 and γ_b = max_lr. In optax's
    ``polyak_sgd``, the scaling stands in ‖g‖² too; our lr does not.
    """

    def init(params):
        return PolyakSGDState(zero_steps(params))

    def update(grads, state, params=None, *, value):
        length = norm((grads, sqrt(eps)))  # not squared, because the square may overflow or vanish
        step = jnp.minimum(safe_divide(jnp.maximum(value - f_min, 0), length), max_lr * length)
        lr_t = at(lr, state.iter)

        def rule(g):
            return -lr_t * step * safe_divide(g, length)

        return each(rule, grads), PolyakSGDState(next_step(state.iter))

    return init, update
