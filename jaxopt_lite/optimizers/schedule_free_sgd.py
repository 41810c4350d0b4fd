"""Schedule-free SGD: an average in place of a falling learning rate."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, cast_like, copy, each, next_step, replicated_scalar, safe_divide, zero_steps
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ScheduleFreeSGDState(NamedTuple):
    """``iter``: steps taken. ``z``: the point that steps move.

    ``lr_max``: the largest |lr| so far. ``weight_sum``: the sum of all w. ``beta1``: for `evaluation_params`.
    """

    iter: jax.Array
    beta1: jax.Array
    lr_max: jax.Array
    weight_sum: jax.Array
    z: Tree


@optimizer(family="rate-free", paper="Defazio et al. (2024), arXiv:2405.15682", needs=("params",))
def schedule_free_sgd(
    lr: ScalarOrSchedule = 0.1,
    beta1: Scalar = 0.9,
    weight_decay: ScalarOrSchedule = 0.0,
    power: Scalar = 0.0,
):
    """Build stochastic gradient descent without a schedule.

        iter ← iter + 1
        step = lr (g + λ p)                        λ is weight_decay
        z ← z - step
        w = iter^power (largest lr so far)²
        x ← x + w / (the sum of all w so far) (z - x)
        p ← (1 - beta1) z + beta1 x

    Use it where a run may end at any time. Gradients are taken at p. The model to evaluate is x, which
    ``evaluation_params(state, params)`` gives. A warm-up helps, as a schedule; nothing has to fall. Its lr is 10 to 50
    times SGD's, hundreds of times Adam's.

    x is kept in p, so parameters should be in float32. Nothing may move them after this rule, such as a decay in a
    chain, or `lookahead`.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the weight of x in p, where gradients are taken; in [0.01, 1).
        weight_decay: λ; a number, an array, or a schedule.
        power: r of the paper; a larger power gives later steps more weight in x.

    Example:
        >>> opt, params = schedule_free_sgd(lr=0.1), 1.0
        >>> state = opt.init(params)
        >>> for _ in range(3):
        ...     updates, state = opt.update(2.0, state, params)
        ...     params = apply_updates(params, updates)
        >>> print(f"{state.z:.3f} {params:.3f} {evaluation_params(state, params):.3f}")
        0.400 0.580 0.600

    State: `ScheduleFreeSGDState`, 4 bytes per float32 parameter.
    Source: Defazio et al. (2024), arXiv:2405.15682, and the authors' package schedulefree, whose lr is 1. Its warm-up
    is ``lr=lambda t: peak * jnp.minimum(1, (t + 1) / steps)`` here. Batch norm's statistics have to be taken at x
    again.
    """

    def init(params):
        return ScheduleFreeSGDState(
            zero_steps(params),
            replicated_scalar(params, beta1),
            replicated_scalar(params),
            replicated_scalar(params),
            copy(params),
        )

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        lr_max = jnp.maximum(state.lr_max, jnp.abs(lr_t))
        w = (1.0 * t) ** power * lr_max**2
        weight_sum = state.weight_sum + w
        c = safe_divide(w, weight_sum)

        def rule(g, z, p):
            step = lr_t * (g + shrink * p)
            return c * (z - p) - (1 - beta1 * (1 - c)) * step, z - step

        updates, z = each(rule, grads, state.z, p=params)
        lr_max, weight_sum = cast_like((lr_max, weight_sum), (state.lr_max, state.weight_sum))
        return updates, ScheduleFreeSGDState(t, state.beta1, lr_max, weight_sum, z)

    return init, update
