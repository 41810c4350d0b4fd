"""Clipping by value."""

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import each
from jaxopt_lite.types import Scalar


@transform
def clip(max_value: Scalar):
    """Clip each entry to [-max_value, max_value]; of a complex one, its real and its imaginary part.

        g ← min(max(g, -max_value), max_value)

    Use it against single wild entries. It turns the gradient; `clip_by_global_norm` only shortens it.

    Args:
        max_value: the largest magnitude that is let through; a number or an array, in the unit of the gradients.

    Example:
        >>> opt = chain(clip(3.5), sgd(1.0))
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.zeros(2)))
        >>> print(updates)
        [-3.  -3.5]

    State: none.
    Source: as torch's ``clip_grad_value_`` and optax's ``clip``.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        def into_range(x):
            return jnp.clip(x, -max_value, max_value)

        def rule(g):
            return jax.lax.complex(into_range(g.real), into_range(g.imag)) if jnp.iscomplexobj(g) else into_range(g)

        return each(rule, grads), state

    return init, update
