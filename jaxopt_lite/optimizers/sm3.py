"""SM3: AdaGrad that keeps one number for each row and each column."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, next_step, reduced_zeros, saturating_add, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


def slices(rank: int) -> list[tuple[int, ...]]:
    """Return, for each axis, all other axes: a slice lies over them. A vector or scalar is sliced into its entries."""
    return [tuple(other for other in range(rank) if other != axis) for axis in range(rank)] or [()]


class SM3State(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of steps. ``mu``: the largest ν of each slice."""

    iter: jax.Array
    m: Tree
    mu: Tree


@optimizer(family="compact", paper="Anil et al. (2019), arXiv:1901.11150", needs=("leaf",))
def sm3(lr: ScalarOrSchedule = 0.1, momentum: Scalar = 0.9):
    """Build SM3-II, AdaGrad with one number for each row and each column.

        ν = g² + min of mu over all axes
        mu ← max of ν over all other axes    for each axis
        m ← m + (1 - momentum) (g / √ν - m)    0 / 0 is 0
        p ← p - lr m

    Use it for large embeddings with sparse gradients, and where the state must be small. Steps die out as AdaGrad's do.
    Its lr is some ten times AdaGrad's, and 100 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of ``m`` that each step keeps, in [0, 1).

    Example:
        >>> params = {"kernel": jnp.ones((2, 3))}
        >>> opt = sm3(lr=0.1)
        >>> updates, state = opt.update({"kernel": jnp.full((2, 3), 5.0)}, opt.init(params))
        >>> print(f"{updates['kernel'][0, 0]:.3f}", [mu.shape for mu in state.mu["kernel"]])
        -0.010 [(2, 1), (1, 3)]

    State: `SM3State`, 4 bytes per float32 parameter for ``m``, and 4 bytes per row, column, or other slice. A vector or
    a scalar has one ``mu`` of its own shape.
    Source: Anil et al. (2019), arXiv:1901.11150, with the momentum of the authors' tests. It matches
    pytorch_optimizer's, and has its lr. optax adds 1e-8 inside the root.
    """

    def init(params):
        def sums(p):
            return tuple(reduced_zeros(p, axes, keepdims=True) for axes in slices(jnp.ndim(p)))

        return SM3State(iter=zero_steps(params), m=zeros_like(params), mu=jax.tree.map(sums, params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, m, mu):
            nu = saturating_add(functools.reduce(jnp.minimum, mu), abs2(g))
            mu = tuple(jnp.max(nu, axes, keepdims=True, initial=0) for axes in slices(g.ndim))
            m = m + (1 - momentum) * (g / jnp.where(nu > 0, sqrt(nu), 1) - m)
            return -lr_t * m, m, mu

        updates, m, mu = each(rule, grads, state.m, state.mu)
        return updates, SM3State(next_step(state.iter), m, mu)

    return init, update
