"""Lion: the sign of a momentum; a program search found the rule."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import Decay, at, decay_functions, each, next_step, sign, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class LionState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients."""

    iter: jax.Array
    m: Tree


@optimizer(family="sign", paper="Chen et al. (2023), arXiv:2302.06675", needs=("decay",))
def lion(
    lr: ScalarOrSchedule = 1e-4,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.99,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
):
    """Build Lion, evolved sign momentum.

        c = beta1 m + (1 - beta1) g
        p ← p - lr sign(c) - lr λ p    λ is weight_decay
        m ← beta2 m + (1 - beta2) g

    Use it with large batches, and where memory is short. Every parameter moves by lr at each step. Its lr is 3 to 10
    times smaller than Adam's, and its λ as many times larger.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` in the step, in [0, 1).
        beta2: the share of ``m`` that each step keeps, in [0, 1).
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".

    Example:
        >>> opt = lion(lr=0.1)
        >>> updates, state = opt.update(jnp.array([0.001, -100.0]), opt.init(jnp.ones(2)))
        >>> print(np.array(updates).round(3))
        [-0.1  0.1]

    State: `LionState`, 4 bytes per float32 parameter. The sign of a complex number is its direction.
    Source: Chen et al. (2023), arXiv:2302.06675, with the authors' defaults. optax's λ is 1e-3.
    """

    def init(params):
        return LionState(iter=zero_steps(params), m=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, p):
            g = add_l2(g, p)
            c = beta1 * m + (1 - beta1) * g
            return apply_decay(-lr_t * sign(c), p), beta2 * m + (1 - beta2) * g

        updates, m = each(rule, grads, state.m, p=params)
        return updates, LionState(next_step(state.iter), m)

    return init, update
