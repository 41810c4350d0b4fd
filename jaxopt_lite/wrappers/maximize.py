"""Uphill."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer


class MaximizeState(NamedTuple):
    """``inner``: the optimizer's."""

    inner: Any


@optimizer
def maximize(opt: Optimizer):
    """Climb: the optimizer gets the gradient of -f. Weight decay still shrinks.

        g ← -g

    Use it for rewards and likelihoods, in place of a sign in the loss. ``value``, ``grad`` and ``value_fn`` are those
    of f, and reach the optimizer as those of -f.

    Args:
        opt: the optimizer.

    Example:
        >>> opt = maximize(sgd(0.1))
        >>> updates, state = opt.update(2.0, opt.init(0.0))
        >>> print(updates)
        0.2

    State: `MaximizeState`, the optimizer's.
    Source: as torch's argument ``maximize``.
    """

    def init(params):
        return MaximizeState(opt.unchecked.init(params))

    def update(grads, state, params=None, **extra):
        for name in {"value", "grad"} & extra.keys():
            extra[name] = jax.tree.map(jnp.negative, extra[name])
        if "value_fn" in extra:
            rewards = extra.pop("value_fn")
            extra["value_fn"] = lambda params: -rewards(params)
        updates, inner = opt.unchecked.update(jax.tree.map(jnp.negative, grads), state.inner, params, **extra)
        return updates, MaximizeState(inner)

    return init, update
