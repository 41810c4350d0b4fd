"""PSGD: a whitening that is learned, factor by factor."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    at,
    bias_correction,
    clip_to_norm,
    each,
    length,
    mean,
    next_step,
    when,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.ops.matrices import Hidden, Others, on_last_two_axes, split_hidden, transposed
from jaxopt_lite.ops.preconditioners import psgd_update, square_zeros
from jaxopt_lite.ops.random import draw, first_key
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree

DAMPING = float(np.finfo(np.float32).eps) ** 0.5


class PSGDKronState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``factors``: Q1 and Q2, upper triangular.

    ``key``: the data of the PRNG key, which makes each step's noise.
    """

    iter: jax.Array
    m: Tree
    factors: Tree
    key: jax.Array


@optimizer(family="matrix", paper="Li (2018), arXiv:1512.04202", needs=("decay", "leaf", "matrices"))
def psgd_kron(
    lr: ScalarOrSchedule = 3e-4,
    beta1: Scalar = 0.9,
    precond_lr: Scalar = 0.1,
    clipping: Scalar = 1.1,
    weight_decay: ScalarOrSchedule = 0.0,
    every: int = 1,
    seed: int | jax.Array = 0,
    out_axis: int = -1,
    in_axis: int | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build preconditioned stochastic gradient descent, with a Kronecker product as preconditioner.

        m ← m + (1 - beta1) (g - m)
        u = m̂ + 0.00035 mean(|m̂|) V                         m̂ without bias, V ~ N(0, 1)
        A, B = Q1 u Q2ᵀ, Q1^-ᵀ V Q2^-1
        Q1 ← Q1 - precond_lr triu(A Aᵀ - B Bᵀ) Q1 / ‖A Aᵀ + B Bᵀ‖    Q2 likewise, of Aᵀ A and Bᵀ B
        U = Q1ᵀ Q1 u Q2ᵀ Q2
        p ← p - lr min(1, clipping / rms(U)) U - lr λ p     λ is weight_decay

    Use it as `shampoo`, without roots and decompositions. The factors settle where U has about the size of 1 in every
    direction. Its lr is a third of Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        precond_lr: the learning rate of the factors.
        clipping: the largest root mean square of U.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        every: one step in ``every`` fits the factors and adds noise.
        seed: an integer, or an array with one integer; equal seeds give equal noise, also after a restart from a
            checkpoint.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = psgd_kron(lr=0.1, every=2)
        >>> updates, state = opt.update({"kernel": 10 * jnp.eye(2)}, opt.init(params), params)
        >>> print(np.array(jnp.diag(updates["kernel"])).round(3))  # no fit yet; U is cut to a root mean square of 1.1
        [-0.156 -0.156]

    State: `PSGDKronState`, 12 bytes per float32 parameter of a square matrix. These are 4 bytes per parameter, and 4
    fan_in² + 4 fan_out² bytes per matrix. With ``others``, the state is a dict of two states, with the keys ``hidden``
    and ``others``.
    Source: Li (2018), arXiv:1512.04202, and Li (2024), arXiv:2402.04553, in the form of the package kron_torch. The
    norm of A Aᵀ + B Bᵀ is taken from there: two steps of a power iteration. The balancing of the factors is left out,
    because it changes only the rounding. There are no diagonal factors for long sides.
    """

    def init(params):
        squares = jax.tree.map(lambda p: square_zeros(p, out_axis, in_axis), params)
        ones = jax.tree.map(
            lambda side: side + jnp.broadcast_to(jnp.eye(side.shape[-1], dtype=side.dtype), side.shape), squares
        )
        return PSGDKronState(zero_steps(params), zeros_like(params), ones, first_key("psgd_kron", seed, params))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t, shrink, due = at(lr, state.iter), at(weight_decay, state.iter), t % every == 0
        c1 = bias_correction(beta1, t)

        def rule(g, m, factors, V, p):
            m = m + (1 - beta1) * (g - m)
            u = m / c1
            u = u + DAMPING * mean(jnp.abs(u), (-2, -1), keepdims=True) * V
            factors = when(due, lambda: psgd_update(factors, u, V, precond_lr), factors)
            P1, P2 = (transposed(Q) @ Q for Q in factors)
            U = P1 @ u @ P2
            U = clip_to_norm(U, length(U) / (U.shape[-2] * U.shape[-1]) ** 0.5, clipping)
            return -lr_t * U - lr_t * shrink * p, m, factors

        noise = jax.lax.cond(
            due, lambda: draw(jax.random.normal, state.key, state.iter, grads), lambda: zeros_like(grads)
        )
        rule = on_last_two_axes(rule, out_axis, in_axis)
        updates, m, factors = each(rule, grads, state.m, state.factors, V=noise, p=params)
        return updates, PSGDKronState(t, m, factors, state.key)

    return split_hidden("psgd_kron", (init, update), hidden, others)
