"""SOAP: Adam in Shampoo's eigenbasis."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, when, zero_steps, zeros_like
from jaxopt_lite.ops.matrices import Hidden, Others, on_last_two_axes, split_hidden
from jaxopt_lite.ops.preconditioners import (
    Sides,
    averaged,
    largest_first,
    next_basis,
    outer_products,
    rotated,
    square_zeros,
    unrotated,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class SOAPState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: the moving averages of gradients and of their squares, in the bases.

    ``factors``: L and R, the averages of g gᵀ and gᵀ g. ``bases``: Q_L and Q_R, close to the factors' eigenvectors.
    """

    iter: jax.Array
    m: Tree
    v: Tree
    factors: Tree
    bases: Tree


@optimizer(family="matrix", paper="Vyas et al. (2025), arXiv:2409.11321", needs=("decay", "leaf", "matrices"))
def soap(
    lr: ScalarOrSchedule = 0.003,
    beta1: Scalar = 0.95,
    beta2: Scalar = 0.95,
    shampoo_beta: Scalar = 0.95,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    every: int = 10,
    longest: int = 10_000,
    out_axis: int = -1,
    in_axis: int | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build SOAP, Adam in the eigenbasis of Shampoo's factors.

        g' = Q_Lᵀ g Q_R
        m ← m + (1 - beta1) (g' - m)                    the first call takes no step: it finds the bases
        v ← v + (1 - beta2) (g'² - v)
        p ← p - lr Q_L (m̂ / √v̂) Q_Rᵀ - lr λ p           m̂, v̂ without bias, eps on √v, λ is weight_decay
        L ← L + (1 - shampoo_beta) (g gᵀ - L)           R likewise, of gᵀ g
        Q_L ← orthonormal(L Q_L)                        every so many steps, its columns and v sorted by their size in
                                                        L first; Q_R likewise; m turns with them

    Use it for transformers in place of AdamW. It needs fewer steps, but each step costs products of the sides. Its lr
    is one to three times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        shampoo_beta: the share of the factors that each step keeps, in [0, 1).
        eps: added to √v before its correction; keeps the quotient finite for zero gradients.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        every: the number of steps from one change of the bases to the next.
        longest: the longest side that is turned; a longer side keeps its own basis.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = soap(lr=0.1, weight_decay=0.0)
        >>> grads = {"kernel": jnp.diag(jnp.array([4.0, 0.5]))}
        >>> first, state = opt.update(grads, opt.init(params))
        >>> second, state = opt.update(grads, state)
        >>> print(abs(first["kernel"]).max(), np.array(jnp.diag(second["kernel"])).round(3))
        0.0 [-0.1 -0.1]

    State: `SOAPState`, 24 bytes per float32 parameter of a square matrix. These are 8 bytes per parameter, and 8
    fan_in² + 8 fan_out² bytes per matrix. With ``others``, the state is a dict of two states, with the keys ``hidden``
    and ``others``.
    Source: Vyas et al. (2025), arXiv:2409.11321, algorithm 3, in the order of the authors' code, where p decays after
    the step. Derivatives do not go through the bases.
    """

    def init(params):
        def zeros():
            return jax.tree.map(lambda p: square_zeros(p, out_axis, in_axis, longest=longest), params)

        return SOAPState(zero_steps(params), zeros_like(params), zeros_like(params, real=True), zeros(), zeros())

    def update(grads, state, params=None):
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        t = jnp.maximum(state.iter, 1)
        step_size = lr_t * sqrt(bias_correction(beta2, t)) / bias_correction(beta1, t)
        begun, due = state.iter > 0, state.iter % every == 0

        def refreshed(v, factor, basis, axis):
            if factor is None:
                return v, None
            basis, v = largest_first(factor, basis, v, axis)
            return v, next_basis(factor, basis, begun)

        def turned(m, v, factors, bases):
            v, inputs = refreshed(v, factors.inputs, bases.inputs, -2)
            v, outputs = refreshed(v, factors.outputs, bases.outputs, -1)
            new = Sides(inputs, outputs)
            return rotated(unrotated(m, bases), new), v, new

        def rule(g, m, v, factors, bases, p):
            along = rotated(g, bases)
            m = m + begun * (1 - beta1) * (along - m)
            v = v + begun * (1 - beta2) * (abs2(along) - v)
            u = -step_size * unrotated(m / (sqrt(v) + eps), bases) - lr_t * shrink * p
            factors = averaged(factors, outer_products(g, factors), shampoo_beta)
            m, v, bases = when(due, lambda: turned(m, v, factors, bases), (m, v, bases))
            return jnp.where(begun, u, 0 * g), m, v, factors, bases

        rule = on_last_two_axes(rule, out_axis, in_axis)
        updates, m, v, factors, bases = each(rule, grads, state.m, state.v, state.factors, state.bases, p=params)
        return updates, SOAPState(next_step(state.iter), m, v, factors, bases)

    return split_hidden("soap", (init, update), hidden, others)
