"""ASGD: gradient descent, and the average of where it has been."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ASGDState(NamedTuple):
    """``iter``: steps taken. ``average``: of the parameters, which `averaged_params` finds."""

    iter: jax.Array
    average: Tree


@optimizer(family="first-order", paper="Polyak & Juditsky (1992)", needs=("params",))
def asgd(lr: ScalarOrSchedule = 0.01, lambd: Scalar = 1e-4, power: Scalar = 0.75, begin: int = 1_000_000):
    """Build averaged stochastic gradient descent.

        η = lr / (1 + lambd |lr| iter)^power               iter counts the steps before this one
        p ← p - η (g + lambd p)
        average ← average + (p - average) / n              n = max(1, iter - begin)

    Use it for convex problems and recurrent language models: evaluate at ``averaged_params(state)``. Until ``begin``
    that is p itself; for an average over part of a short run, set begin. Its lr is 10 to 1,000 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        lambd: how fast η falls, and the decay of p.
        power: the power by which η falls.
        begin: the step after which averaging begins.

    Example:
        >>> opt = asgd(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{updates:.3g}")
        -0.2

    State: `ASGDState`, 4 bytes per float32 parameter.
    Source: Polyak & Juditsky (1992), in the form of Bottou (2012), "Stochastic gradient descent tricks"; as torch's,
    whose power is called alpha and whose begin t0.
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
