"""ASGD: gradient descent, and the average of its parameters."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ASGDState(NamedTuple):
    """``iter``: steps taken. ``average``: the average of the parameters, for `averaged_params`."""

    iter: jax.Array
    average: Tree


@optimizer(family="first-order", paper="Polyak & Juditsky (1992)", needs=("params",))
def asgd(lr: ScalarOrSchedule = 0.01, lambd: Scalar = 1e-4, power: Scalar = 0.75, begin: int = 1_000_000):
    """Build averaged stochastic gradient descent.

        η = lr / (1 + lambd |lr| iter)^power               iter counts the steps before this one
        p ← p - η (g + lambd p)
        average ← average + (p - average) / n              n = max(1, iter - begin)

    Use it for convex problems and recurrent language models. Evaluate at ``averaged_params(state)``. Until step
    ``begin``, this is p itself. To average over a part of a short run, set ``begin``. Its lr is 10 to 1,000 times
    Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        lambd: the speed at which η falls, and the decay of p.
        power: the power by which η falls.
        begin: the step after which averaging begins.

    Example:
        >>> opt, params = asgd(lr=0.1, lambd=0.0, begin=0), 1.0
        >>> state = opt.init(params)
        >>> for _ in range(3):
        ...     updates, state = opt.update(2.0, state, params)
        ...     params = apply_updates(params, updates)
        >>> print(f"{params:.3f} {averaged_params(state):.3f}")
        0.400 0.500

    State: `ASGDState`, 4 bytes per float32 parameter.
    Source: Polyak & Juditsky (1992), in the form of Bottou (2012), "Stochastic gradient descent tricks". It matches
    torch's, where ``power`` is called alpha and ``begin`` is called t0.
    """

    def init(params):
        return ASGDState(iter=zero_steps(params), average=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        eta = lr_t / (1 + lambd * jnp.abs(lr_t) * state.iter) ** power
        n = jnp.maximum(state.iter - begin, 1)

        def rule(g, average, p):
            u = -eta * (g + lambd * p)
            return u, average + (p + u - average) / n

        updates, average = each(rule, grads, state.average, p=params)
        return updates, ASGDState(next_step(state.iter), average)

    return init, update
