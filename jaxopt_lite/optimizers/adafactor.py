"""Adafactor: the second moment of a matrix from its rows and columns."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, mean, next_step, reduced_zeros, sqrt, zero_steps
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class Factored(NamedTuple):
    """``row``: means over the last axis. ``col``: means over the last axis but one."""

    row: jax.Array
    col: jax.Array


class AdafactorState(NamedTuple):
    """``iter``: steps taken. ``v``: averages of squared gradients, `Factored` for matrices, whole for vectors."""

    iter: jax.Array
    v: Tree


@optimizer(family="compact", paper="Shazeer & Stern (2018), arXiv:1804.04235", needs=("params", "leaf"))
def adafactor(
    lr: ScalarOrSchedule = 0.01,
    power: Scalar = 0.8,
    clipping: Scalar = 1.0,
    eps1: Scalar = 1e-30,
    eps2: Scalar = 1e-3,
):
    """Build Adafactor, which keeps averages of a matrix's rows and columns alone.

        iter ← iter + 1
        β = 1 - iter^-power
        R ← β R + (1 - β) (mean(g²) + eps1)    over the last axis
        C ← β C + (1 - β) (mean(g²) + eps1)    over the last axis but one
        U = g / √(R C / mean(R))               of a vector U = g / √V, with an average V of its own
        p ← p - min(lr, 1 / √iter) max(eps2, rms(p)) U / max(1, rms(U) / clipping)

    Use it where the state must be small. A step is lr times the root mean square of its leaf. Its lr is therefore some
    ten times Adam's.

    Args:
        lr: the largest relative step; a number, an array, or a schedule of ``iter``, counted from 0.
        power: the power of iter in β, by which the averages slow down.
        clipping: d of the paper, the largest root mean square of U.
        eps1: added to squared gradients.
        eps2: the smallest root mean square of p; with it, zeros can leave zero.

    Example:
        >>> params = {"kernel": jnp.full((2, 3), 10.0)}
        >>> opt = adafactor(lr=0.01)
        >>> updates, state = opt.update({"kernel": jnp.ones((2, 3))}, opt.init(params), params)
        >>> print(f"{updates['kernel'][0, 0]:.3f}", state.v["kernel"].row.shape, state.v["kernel"].col.shape)
        -0.100 (2,) (3,)

    State: `AdafactorState`, 4 bytes per row and column of a float32 matrix, 4 bytes per parameter of a vector. A leaf
    with more axes is a stack of matrices over its last two axes.
    Source: Shazeer & Stern (2018), arXiv:1804.04235, algorithms 4 to 6. optax factors the two longest axes if both are
    128 or more, and has no 1 / √iter. torch has no eps1; it keeps V above the square of its eps.
    """

    def init(params):
        def second_moment(p):
            return Factored(reduced_zeros(p, -1), reduced_zeros(p, -2)) if jnp.ndim(p) > 1 else reduced_zeros(p, ())

        return AdafactorState(iter=zero_steps(params), v=jax.tree.map(second_moment, params))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        rho = jnp.minimum(at(lr, state.iter), 1 / sqrt(1.0 * t))
        share = (1.0 * t) ** -power

        def rule(g, v, p):
            if g.ndim > 1:
                R = v.row + share * (mean(abs2(g), -1) + eps1 - v.row)
                C = v.col + share * (mean(abs2(g), -2) + eps1 - v.col)
                roots = (sqrt(R) / sqrt(mean(R, -1, keepdims=True)))[..., None] * sqrt(C)[..., None, :]
                v = Factored(R, C)
            else:
                v = v + share * (abs2(g) + eps1 - v)
                roots = sqrt(v)
            U = g / roots
            step = rho * jnp.maximum(eps2, sqrt(mean(abs2(p))))
            return -step * U / jnp.maximum(1, sqrt(mean(abs2(U))) / clipping), v

        updates, v = each(rule, grads, state.v, p=params)
        return updates, AdafactorState(t, v)

    return init, update
