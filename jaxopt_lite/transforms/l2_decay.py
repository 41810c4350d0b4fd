"""Weight decay through the gradient."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import transform
from jaxopt_lite.ops import at, each, next_step, zero_steps
from jaxopt_lite.types import ScalarOrSchedule


class L2DecayState(NamedTuple):
    """``iter``: steps taken, which schedules count by."""

    iter: jax.Array


@transform(needs=("decay",))
def l2_decay(weight_decay: ScalarOrSchedule = 0.01):
    """Add a share of the parameters to the gradient, as a penalty λ/2 ‖p‖² in the loss would.

        g ← g + λ p    λ is weight_decay

    Use it before a rule, ``chain(l2_decay(0.01), momentum(lr))``, where torch's optimizers have ``weight_decay``. What
    the rule does to the gradient it does to the decay too: for a decay beside it take `weight_decay`.

    Args:
        weight_decay: λ; a number, an array, or a schedule.

    Example:
        >>> opt = chain(l2_decay(0.5), sgd(1.0))
        >>> updates, state = opt.update(0.0, opt.init(2.0), 2.0)
        >>> print(updates)
        -1.0

    State: `L2DecayState`, 4 bytes in all.
    Source: as optax's ``add_decayed_weights`` before a rule, and ``weight_decay`` of torch's SGD.
    """

    def init(params):
        return L2DecayState(zero_steps(params))

    def update(updates, state, params=None):
        share = at(weight_decay, state.iter)
        return each(lambda g, p: g + share * p, updates, p=params), L2DecayState(next_step(state.iter))

    return init, update
