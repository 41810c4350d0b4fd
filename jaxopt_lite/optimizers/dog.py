"""DoG: the distance from the start, over the root of all squared gradients."""

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


class DoGState(NamedTuple):
    """``iter``: steps taken. ``start``: the first parameters. ``distance``: r. ``squares``: G, without eps."""

    iter: jax.Array
    start: Tree
    distance: jax.Array
    squares: jax.Array


@optimizer(family="rate-free", paper="Ivgi, Hinder & Carmon (2023), arXiv:2302.12022", needs=("params", "tree"))
def dog(lr: ScalarOrSchedule = 1.0, eps: Scalar = 1e-8, reps_rel: Scalar = 1e-6):
    """Build DoG, which steps by distance over gradients.

        r ← max(r, ‖p - start‖)          at first reps_rel (1 + ‖start‖)
        G ← G + ‖g‖²                     norms of the whole tree
        p ← p - lr r / √(G + eps) g

    Use it where nobody knows the learning rate of SGD. Evaluate at an average of the parameters, as `average` keeps
    one, because the step does not fall by itself. Its lr is a factor of the step found. Leave it at 1; Adam's lr does
    not matter. Parameters in bfloat16 would round away the first, tiny steps; raise ``reps_rel`` for them.

    Args:
        lr: the factor of the step; a number, an array, or a schedule of ``iter``, counted from 0.
        eps: added inside the root; keeps the quotient finite for zero gradients.
        reps_rel: the first distance, as a share of 1 + ‖start‖.

    Example:
        >>> opt = dog()
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{updates:.1e}")  # 1e-6 (1 + 1) long
        -2.0e-06

    State: `DoGState`, 4 bytes per float32 parameter.
    Source: Ivgi, Hinder & Carmon (2023), arXiv:2302.12022, and the authors' package dog-optimizer.
    """

    def init(params):
        first = reps_rel * (1 + norm(params))
        return DoGState(zero_steps(params), copy(params), first, jnp.zeros_like(first))

    def update(grads, state, params=None):
        distance = jnp.maximum(state.distance, norm(difference(params, state.start)))
        squares = saturating_add(state.squares, abs2(norm(grads)))
        eta = at(lr, state.iter) * distance / sqrt(squares + eps)

        def rule(g):
            return -eta * g

        distance, squares = cast_like((distance, squares), (state.distance, state.squares))
        return each(rule, grads), DoGState(next_step(state.iter), state.start, distance, squares)

    return init, update
