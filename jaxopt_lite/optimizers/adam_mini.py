"""Adam-mini: one second moment for every neuron."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    Decay,
    abs2,
    at,
    bias_correction,
    decay_functions,
    each,
    mean,
    next_step,
    reduced_zeros,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.ops.matrices import unit_axes
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdamMiniState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: the moving averages of gradients, and of mean(g²) for each unit."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="compact", paper="Zhang et al. (2024), arXiv:2406.16793", needs=("decay", "leaf"))
def adam_mini(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
    out_axis: int = -1,
):
    """Build Adam-mini, AdamW with one second moment for each neuron.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (mean(g²) - v)      over each unit: in a matrix what feeds one output, or a whole vector
        p ← p - lr m̂ / (√v̂ + eps) - lr λ p    m̂, v̂ without bias, λ is weight_decay

    Use it in place of AdamW for transformers, with half of its state. Embeddings need one unit per token; queries and
    keys need one unit per head. Give each of these an ``out_axis`` of its own in a `partition`. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".
        out_axis: the axis of units: -1 for flax's and haiku's kernels; 0 for equinox's kernels, and for embeddings.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = adam_mini(lr=0.1)
        >>> updates, state = opt.update({"kernel": jnp.array([[1.0, 1.0], [7.0, 1.0]])}, opt.init(params))
        >>> print(state.v["kernel"].shape, np.array(updates["kernel"]).round(2))
        (1, 2) [[-0.02 -0.1 ]
         [-0.14 -0.1 ]]

    State: `AdamMiniState`, 4 bytes per float32 parameter, and 4 per unit.
    Source: Zhang et al. (2024), arXiv:2406.16793, with the authors' defaults. Their code recognises units by the names
    of parameters. It steps biases by Adam, and decays neither biases nor normalisations.
    """

    def init(params):
        def second_moment(p):
            return reduced_zeros(p, unit_axes(jnp.ndim(p), out_axis), keepdims=True)

        return AdamMiniState(zero_steps(params), zeros_like(params), jax.tree.map(second_moment, params))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, m, v, p):
            g = add_l2(g, p)
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (mean(abs2(g), unit_axes(g.ndim, out_axis), keepdims=True) - v)
            return apply_decay(-lr_t * (m / c1) / (sqrt(v / c2) + eps), p), m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, AdamMiniState(t, m, v)

    return init, update
