"""AdaDelta: steps in the units of the parameters."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdaDeltaState(NamedTuple):
    """``iter``: steps taken. ``v``, ``u``: the moving averages of squared gradients and of squared steps."""

    iter: jax.Array
    v: Tree
    u: Tree


@optimizer(family="adaptive", paper="Zeiler (2012), arXiv:1212.5701")
def adadelta(lr: ScalarOrSchedule = 1.0, decay_rate: Scalar = 0.9, eps: Scalar = 1e-6):
    """Build AdaDelta, whose steps have the units of the parameters.

        v ← decay_rate v + (1 - decay_rate) g²
        Δ = √(u + eps) / √(v + eps) g
        u ← decay_rate u + (1 - decay_rate) Δ²
        p ← p - lr Δ

    Use it where no learning rate can be tuned. Steps start at about √eps and grow by themselves, which takes a while.
    Its lr is a factor and should stay at 1; no lr of Adam's corresponds to it.

    Args:
        lr: a factor on steps; a number, an array, or a schedule of ``iter``, counted from 0.
        decay_rate: ρ of the paper, the share of both averages that each step keeps, in [0, 1).
        eps: added inside both roots. The first step's size is √(eps / (1 - decay_rate)).

    Example:
        >>> opt = adadelta()
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{updates:.5f}")
        -0.00316

    State: `AdaDeltaState`, 8 bytes per float32 parameter. ``v`` and ``u`` are real for complex parameters.
    Source: Zeiler (2012), arXiv:1212.5701, with torch's defaults. ``optax.adadelta(1.0)`` is equal. Without a learning
    rate, optax's ``adadelta()`` keeps the gradient's sign, and climbs.
    """

    def init(params):
        v, u = zeros_like(params, real=True), zeros_like(params, real=True)
        return AdaDeltaState(iter=zero_steps(params), v=v, u=u)

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, v, u):
            v = decay_rate * v + (1 - decay_rate) * abs2(g)
            delta = sqrt(u + eps) / sqrt(v + eps) * g
            u = decay_rate * u + (1 - decay_rate) * abs2(delta)
            return -lr_t * delta, v, u

        updates, v, u = each(rule, grads, state.v, state.u)
        return updates, AdaDeltaState(next_step(state.iter), v, u)

    return init, update
