"""DoWG: distance over gradients, each weighted by the distance at its time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    abs2,
    at,
    cast_like,
    copy,
    difference,
    each,
    next_step,
    norm,
    saturating_add,
    sqrt,
    zero_steps,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class DoWGState(NamedTuple):
    """``iter``: steps taken. ``start``: the first parameters. ``distance``: r. ``squares``: V."""

    iter: jax.Array
    start: Tree
    distance: jax.Array
    squares: jax.Array


@optimizer(family="rate-free", paper="Khaled, Mishchenko & Jin (2023), arXiv:2305.16284", needs=("params", "tree"))
def dowg(lr: ScalarOrSchedule = 1.0, eps: Scalar = 1e-4, reps_rel: Scalar = 1e-6):
    """Build DoWG, which steps by distance over weighted gradients.

        r ← max(r, ‖p - start‖)          at first reps_rel (1 + ‖start‖)
        V ← V + r² ‖g‖²                  norms of the whole tree
        p ← p - lr r² / (√V + eps) g

    Use it as `dog`. The first gradients, close to the start, weigh less here. DoWG therefore speeds up sooner, and
    needs no average. Its lr is a factor of the step found. Leave it at 1; Adam's lr does not matter. Parameters in
    bfloat16 would round away the first, tiny steps; raise ``reps_rel`` for them.

    Args:
        lr: the factor of the step; a number, an array, or a schedule of ``iter``, counted from 0.
        eps: added to the root; keeps the quotient finite for zero gradients.
        reps_rel: the first distance, as a share of 1 + ‖start‖.

    Example:
        >>> opt = dowg(eps=1e-12)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{updates:.1e}")  # 1e-6 (1 + 1) long
        -2.0e-06

    State: `DoWGState`, 4 bytes per float32 parameter.
    Source: Khaled, Mishchenko & Jin (2023), arXiv:2305.16284, algorithm 1. eps is as in the authors' code and in optax.
    In the authors' code, r is 0.01 at first.
    """

    def init(params):
        first = reps_rel * (1 + norm(params))
        return DoWGState(zero_steps(params), copy(params), first, jnp.zeros_like(first))

    def update(grads, state, params=None):
        distance = jnp.maximum(state.distance, norm(difference(params, state.start)))
        squares = saturating_add(state.squares, abs2(distance * norm(grads)))
        eta = at(lr, state.iter) * abs2(distance) / (sqrt(squares) + eps)

        def rule(g):
            return -eta * g

        distance, squares = cast_like((distance, squares), (state.distance, state.squares))
        return each(rule, grads), DoWGState(next_step(state.iter), state.start, distance, squares)

    return init, update
