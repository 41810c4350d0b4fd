"""Schedule-free AdamW: an average in place of a falling learning rate."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    abs2,
    at,
    bias_correction,
    cast_like,
    copy,
    each,
    next_step,
    replicated_scalar,
    safe_divide,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ScheduleFreeAdamWState(NamedTuple):
    """``iter``: steps taken. ``z``: the point that steps move. ``v``: the moving average of squared gradients.

    ``lr_max``: the largest |lr| so far. ``weight_sum``: the sum of all w. ``beta1``: for `evaluation_params`.
    """

    iter: jax.Array
    beta1: jax.Array
    lr_max: jax.Array
    weight_sum: jax.Array
    z: Tree
    v: Tree


@optimizer(family="rate-free", paper="Defazio et al. (2024), arXiv:2405.15682", needs=("params",))
def schedule_free_adamw(
    lr: ScalarOrSchedule = 0.0025,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    power: Scalar = 0.0,
):
    """Build AdamW without a schedule.

        iter ← iter + 1
        v ← v + (1 - beta2) (g² - v)
        step = lr (g / (√v̂ + eps) + λ p)           v̂ without bias, λ is weight_decay
        z ← z - step
        w = iter^power (largest lr so far)²
        x ← x + w / (the sum of all w so far) (z - x)
        p ← (1 - beta1) z + beta1 x

    Use it where a run may end at any time. Gradients are taken at p. The model to evaluate is x, which
    ``evaluation_params(state, params)`` gives. A warm-up helps, as a schedule; nothing has to fall. Its lr is 1 to 10
    times Adam's.

    x is kept in p, so parameters should be in float32. Nothing may move them after this rule, such as a decay in a
    chain, or `lookahead`.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the weight of x in p, where gradients are taken; in [0.01, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        power: r of the paper; a larger power gives later steps more weight in x.

    Example:
        >>> opt, params = schedule_free_adamw(lr=0.1), 1.0
        >>> state = opt.init(params)
        >>> for _ in range(3):
        ...     updates, state = opt.update(2.0, state, params)
        ...     params = apply_updates(params, updates)
        >>> print(f"{state.z:.3f} {params:.3f} {evaluation_params(state, params):.3f}")
        0.700 0.790 0.800

    State: `ScheduleFreeAdamWState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Defazio et al. (2024), arXiv:2405.15682, and the authors' package schedulefree. Its warm-up is
    ``lr=lambda t: peak * jnp.minimum(1, (t + 1) / steps)`` here. Batch norm's statistics have to be taken at x again.
    """

    def init(params):
        return ScheduleFreeAdamWState(
            zero_steps(params),
            replicated_scalar(params, beta1),
            replicated_scalar(params),
            replicated_scalar(params),
            copy(params),
            zeros_like(params, real=True),
        )

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        c2 = bias_correction(beta2, t)
        lr_max = jnp.maximum(state.lr_max, jnp.abs(lr_t))
        w = (1.0 * t) ** power * lr_max**2
        weight_sum = state.weight_sum + w
        c = safe_divide(w, weight_sum)

        def rule(g, z, v, p):
            v = v + (1 - beta2) * (abs2(g) - v)
            step = lr_t * (g / (sqrt(v / c2) + eps) + shrink * p)
            return c * (z - p) - (1 - beta1 * (1 - c)) * step, z - step, v

        updates, z, v = each(rule, grads, state.z, state.v, p=params)
        lr_max, weight_sum = cast_like((lr_max, weight_sum), (state.lr_max, state.weight_sum))
        return updates, ScheduleFreeAdamWState(t, state.beta1, lr_max, weight_sum, z, v)

    return init, update
