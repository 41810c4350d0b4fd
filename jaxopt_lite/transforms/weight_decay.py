"""Weight decay beside the gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import at, each, next_step, zero_steps
from jaxopt_lite.types import ScalarOrSchedule


class WeightDecayState(NamedTuple):
    """``iter``: steps taken, which schedules count by."""

    iter: jax.Array


@transform(needs=("decay",), after_rule=True)
def weight_decay(weight_decay: ScalarOrSchedule = 0.01, lr: ScalarOrSchedule = 1.0, cautious: bool = False):
    """Shrink the parameters by a share of themselves, whatever the rule before it does.

        u ← u - lr weight_decay p

    Use it to give a rule without decay one: ``chain(momentum(lr), weight_decay(0.01, lr))`` decays as AdamW does.

    Args:
        weight_decay: λ; a number, an array, or a schedule.
        lr: what it is multiplied by; a number, an array, or a schedule: the rule's learning rate, or 1 for a decay that
            does not depend on it.
        cautious: decay only those entries that the update moves towards 0 as well, u · p ≤ 0.

    Example:
        >>> opt = chain(sgd(0.1), weight_decay(0.5))
        >>> updates, state = opt.update(0.0, opt.init(2.0), 2.0)
        >>> print(updates)
        -1.0

    State: `WeightDecayState`, 4 bytes in all.
    Source: Loshchilov & Hutter (2019), arXiv:1711.05101; cautious: Chen et al. (2025), arXiv:2510.12402.
    """

    def init(params):
        return WeightDecayState(zero_steps(params))

    def update(updates, state, params=None):
        share = at(lr, state.iter) * at(weight_decay, state.iter)

        def rule(u, p):
            decayed = u - share * p
            is_onward = (jnp.sign(u).conj() * jnp.sign(p)).real <= 0  # the product of u and p may vanish
            return jnp.where(is_onward, decayed, u) if cautious else decayed

        return each(rule, updates, p=params), WeightDecayState(next_step(state.iter))

    return init, update
