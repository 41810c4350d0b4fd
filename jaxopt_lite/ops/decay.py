"""The forms of weight decay."""

from collections.abc import Callable
from typing import Any, Literal

import jax

from jaxopt_lite.core.scheduled import at
from jaxopt_lite.types import Scalar, ScalarOrSchedule

Decay = Literal["decoupled", "independent", "l2", "proximal"]


def decay_functions(
    decay: Decay, weight_decay: ScalarOrSchedule, lr: ScalarOrSchedule, peak_lr: Scalar | None, iter: jax.Array
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return two functions that apply weight decay: one to the gradient, one to the update.

    add_l2(g, p) = g + λ p                     "l2", otherwise g
    apply_decay(u, p) = u - lr λ p                 "decoupled"
                        u - λ p lr / peak          "independent", where lr / peak is 1 unless peak_lr is given
                        (p + u) / (1 + lr λ) - p   "proximal"
    """
    shrink, lr_t = at(weight_decay, iter), at(lr, iter)
    relative: Any = 1 if peak_lr is None else lr_t / peak_lr
    share = relative if decay == "independent" else lr_t

    def add_l2(g, p):
        return g + shrink * p if decay == "l2" else g

    def apply_decay(u, p):
        shrunk = u if decay == "l2" else u - share * shrink * p
        return shrunk / (1 + share * shrink) if decay == "proximal" else shrunk

    return add_l2, apply_decay
