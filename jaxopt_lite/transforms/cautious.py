"""Cautious updates: only where the update and the gradient agree."""

import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import each
from jaxopt_lite.types import Scalar


@transform(needs=("leaf",), after_rule=True)
def cautious(floor: Scalar = 1e-3):
    """Leave out the entries of an update that climb, and lengthen the rest to make up for it.

        φ = [u g < 0]
        u ← u φ / max(mean(φ), floor)    leaf by leaf

    Use it after any rule with momentum: ``chain(adamw(), cautious())``.

    Args:
        floor: the smallest mean that is divided by.

    Raises:
        TypeError: outside of a chain, without ``grad``.

    Asks for ``grad``, the gradient, which a chain gives to its parts by itself.

    Example:
        >>> opt = chain(heavy_ball(1.0), cautious())
        >>> updates, state = opt.update(jnp.array([1.0, 1.0]), opt.init(jnp.zeros(2)))
        >>> updates, state = opt.update(jnp.array([1.0, -0.5]), state)
        >>> print(updates)
        [-3.8  0. ]

    State: none.
    Source: Liang et al. (2024), arXiv:2411.16085.
    """

    def init(params):
        return ()

    def update(updates, state, params=None, *, grad=None):
        if grad is None:
            raise TypeError(
                "cautious.update: grad is missing; a chain gives it, and alone this needs grad=gradients; "
                "inside optax's chain it stands as to_optax(…)"
            )

        def rule(u, g):
            # The product of signs does not vanish, as u g may. It agrees of NaN too, which must not be hidden.
            agrees = ~((jnp.sign(u).conj() * jnp.sign(g)).real >= 0)
            share = jnp.mean(agrees) if u.size else 1.0
            return jnp.where(agrees, u, 0) / jnp.maximum(share, floor)

        return each(rule, updates, g=grad), state

    return init, update
