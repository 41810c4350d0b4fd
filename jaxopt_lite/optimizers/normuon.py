"""NorMuon: Muon whose neurons all move equally far."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    Decay,
    abs2,
    at,
    decay_functions,
    each,
    length,
    mean,
    next_step,
    safe_divide,
    sqrt,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.ops.matrices import Axes, Hidden, Others, on_last_two_axes, per_output, split_hidden
from jaxopt_lite.ops.orthogonal import Coefficients, Method, Scale, in_triples, orthogonal, relative_scale
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class NorMuonState(NamedTuple):
    """``iter``: steps taken. ``momentum``: B, the average of gradients. ``v``: the average of U², per output."""

    iter: jax.Array
    momentum: Tree
    v: Tree


@optimizer(family="matrix", paper="Li et al. (2025), arXiv:2510.05491", needs=("decay", "leaf", "matrices"))
def normuon(
    lr: ScalarOrSchedule = 0.02,
    momentum: Scalar = 0.95,
    beta2: Scalar = 0.95,
    eps: Scalar = 1e-8,
    nesterov: bool = True,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
    method: Method = "newton_schulz",
    steps: int = 5,
    coefficients: Coefficients = None,
    scale: Scale = "original",
    bfloat16: bool = False,
    out_axis: Axes = -1,
    in_axis: Axes | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build NorMuon, Muon normalised neuron by neuron.

        B ← B + (1 - momentum) (g - B)
        U = orthogonal(g + momentum (B - g))      with nesterov, otherwise of B
        v ← v + (1 - beta2) (mean(U²) - v)        over the inputs: one number for each output
        Û = U / (√v + eps)
        p ← p - lr s ‖U‖ / ‖Û‖ Û - lr λ p         λ is weight_decay, s as in `muon`

    Use it in place of `muon` if some neurons would move much further than others. It has won there since 2025. Its lr
    is Muon's, 10 to 50 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of ``B`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to √v; keeps the quotient finite for a neuron without gradient.
        nesterov: look one step of the average ahead.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".
        method: "newton_schulz" or "polar_express", as in `muon`.
        steps: the number of steps of ``method``.
        coefficients: a, b, c for all steps, or for each step, in place of the method's; as in `muon`.
        scale: "original" or "match_rms_adamw", as in `muon`.
        bfloat16: multiply in bfloat16, as in `muon`.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.zeros((4, 2))}
        >>> opt = normuon(lr=0.1)
        >>> updates, state = opt.update({"kernel": jnp.arange(8.0).reshape(4, 2)}, opt.init(params))
        >>> lengths = jnp.linalg.norm(updates["kernel"], axis=0)
        >>> print(f"{lengths[0] / lengths[1]:.2f}", state.v["kernel"].shape)  # both neurons move equally far
        1.00 (1, 2)

    State: `NorMuonState`, 4 bytes per float32 parameter, and 4 per output. With ``others``, the state is a dict of two
    states, with the keys ``hidden`` and ``others``.
    Source: Li et al. (2025), arXiv:2510.05491, with the length kept, as in the authors' code. In the paper, a step's
    root mean square is 0.2 lr.
    """
    triples = in_triples("normuon", coefficients)

    def init(params):
        v = jax.tree.map(lambda p: per_output(p, out_axis, in_axis), params)
        return NorMuonState(zero_steps(params), zeros_like(params), v)

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, B, v, p):
            g = add_l2(g, p)
            B = B + (1 - momentum) * (g - B)
            U = orthogonal(g + momentum * (B - g) if nesterov else B, method, steps, bfloat16, triples)
            v = v + (1 - beta2) * (mean(abs2(U), -2, keepdims=True) - v)
            U_hat = U / (sqrt(v) + eps)
            step = safe_divide(length(U) * U_hat, length(U_hat))
            return apply_decay(-lr_t * relative_scale(g.shape, scale) * step, p), B, v

        updates, B, v = each(on_last_two_axes(rule, out_axis, in_axis), grads, state.momentum, state.v, p=params)
        return updates, NorMuonState(next_step(state.iter), B, v)

    return split_hidden("normuon", (init, update), hidden, others)
