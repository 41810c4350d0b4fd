"""Shampoo: whitening by the roots of two factors."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    abs2,
    at,
    bias_correction,
    each,
    length,
    next_step,
    safe_divide,
    sqrt,
    when,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.ops.matrices import Hidden, Others, on_last_two_axes, split_hidden
from jaxopt_lite.ops.preconditioners import (
    averaged,
    in_blocks,
    inverse_fourth_root,
    out_of_blocks,
    outer_products,
    square_zeros,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ShampooState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: the moving averages of gradients and of their squares.

    ``factors``: L and R, the moving averages of g gᵀ and gᵀ g, block by block. ``roots``: L^(-1/4) and R^(-1/4).
    """

    iter: jax.Array
    m: Tree
    v: Tree
    factors: Tree
    roots: Tree


@optimizer(family="matrix", paper="Gupta, Koren & Singer (2018), arXiv:1802.09568", needs=("decay", "leaf", "matrices"))
def shampoo(
    lr: ScalarOrSchedule = 0.003,
    beta1: Scalar = 0.95,
    beta2: Scalar = 0.95,
    eps: Scalar = 1e-6,
    graft_eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    every: int = 10,
    block: int = 1024,
    out_axis: int = -1,
    in_axis: int | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build Shampoo, at the length of Adam's step.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        L ← L + (1 - beta2) (g gᵀ - L)              R likewise, of gᵀ g; of each block of the matrix
        U = L^(-1/4) m R^(-1/4)                     roots of this and of every so many steps later
        p ← p - lr ‖A‖ / ‖U‖ U - lr λ p             A = m̂ / (√v̂ + graft_eps) is Adam's step, λ is weight_decay

    Use it where AdamW is tuned and steps are expensive; it has won the AlgoPerf contest. Its lr is Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v``, L and R that each step keeps, in [0, 1).
        eps: added to the eigenvalues of a factor, as a share of the largest.
        graft_eps: added to √v̂; keeps Adam's step finite for zero gradients.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        every: the number of steps from one computation of the roots to the next.
        block: the longest side of a block. A longer side is cut; its last block is shorter than the others.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = shampoo(lr=0.1, weight_decay=0.0)
        >>> grads = {"kernel": jnp.array([[3.0, 1.0], [-1.0, 3.0]]) @ jnp.diag(jnp.array([1.0, 0.1]))}
        >>> updates, state = opt.update(grads, opt.init(params))
        >>> print(np.array(updates["kernel"]).round(3))
        [[-0.134 -0.045]
         [ 0.045 -0.134]]

    State: `ShampooState`, 24 bytes per float32 parameter of a square matrix of one block. These are 8 bytes per
    parameter, and 8 fan_in² + 8 fan_out² bytes per block. With ``others``, the state is a dict of two states, with the
    keys ``hidden`` and ``others``.
    Source: Gupta, Koren & Singer (2018), arXiv:1802.09568. Averages, blocks and grafting: Shi et al. (2023),
    arXiv:2309.06497, where eps is absolute, 1e-12. A relative eps, of 1e-6: Anil et al. (2020), arXiv:2002.09018.
    Derivatives do not go through the roots.
    """

    def init(params):
        def squares():
            return jax.tree.map(lambda p: square_zeros(p, out_axis, in_axis, block=block), params)

        m, v = zeros_like(params), zeros_like(params, real=True)
        return ShampooState(zero_steps(params), m, v, squares(), squares())

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, shrink, due = at(lr, state.iter), at(weight_decay, state.iter), state.iter % every == 0
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)

        def newest(factors):
            return jax.tree.map(lambda factor: inverse_fourth_root(factor, eps), factors)

        def rule(g, m, v, factors, roots, p):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            factors = averaged(factors, outer_products(in_blocks(g, block), factors), beta2)
            roots = when(due, lambda: newest(factors), roots)
            # m at length 1, because roots of tiny gradients would make a large m overflow. Only U's direction counts.
            U = in_blocks(safe_divide(m, length(m)), block)
            U = out_of_blocks(roots.inputs @ U @ roots.outputs, g.shape)
            A = (m / c1) / (sqrt(v / c2) + graft_eps)
            return -lr_t * length(A) * safe_divide(U, length(U)) - lr_t * shrink * p, m, v, factors, roots

        rule = on_last_two_axes(rule, out_axis, in_axis)
        updates, *kept = each(rule, grads, *state[1:], p=params)
        return updates, ShampooState(t, *kept)

    return split_hidden("shampoo", (init, update), hidden, others)
