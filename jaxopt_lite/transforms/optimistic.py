"""Optimism: each step guesses that the next gradient changes as the last one did."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import transform
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import ScalarOrSchedule, Tree


class OptimisticState(NamedTuple):
    """``iter``: steps taken. ``u``: the last gradient, or update."""

    iter: jax.Array
    u: Tree


@transform
def optimistic(optimism: ScalarOrSchedule = 1.0):
    """Add to a gradient, or to an update, its last change.

        u ← u + optimism (u - the last u)    at the first step u itself

    Use it for games, GANs among them, in which two players circle each other along plain gradients.
    ``chain(optimistic(), sgd(lr))`` is optimistic gradient descent, and ``chain(adam_standard(lr), optimistic())``
    optimistic Adam.

    Args:
        optimism: how much of the change is added; a number, an array, or a schedule.

    Example:
        >>> opt = chain(optimistic(), sgd(1.0))
        >>> _, state = opt.update(1.0, opt.init(0.0))
        >>> updates, state = opt.update(3.0, state)
        >>> print(updates)
        -5.0

    State: `OptimisticState`, 4 bytes per float32 parameter.
    Source: Daskalakis et al. (2018), arXiv:1711.00141, algorithm 1; Mokhtari et al. (2020), arXiv:1901.08511. With
    optax's (alpha, beta), optimism is beta / alpha, and alpha is a factor of the rule's lr.
    """

    def init(params):
        return OptimisticState(iter=zero_steps(params), u=zeros_like(params))

    def update(updates, state, params=None):
        amount = at(optimism, state.iter) * (state.iter > 0)

        def rule(u, last):
            return u + amount * (u - last), u

        updates, u = each(rule, updates, state.u)
        return updates, OptimisticState(next_step(state.iter), u)

    return init, update
