"""Sophia: momentum over curvature, cut off."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, clip_to_norm, each, next_step, zero_steps, zeros_like
from jaxopt_lite.ops.random import draw, first_key, signs
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class SophiaState(NamedTuple):
    """``iter``: steps taken. ``m``, ``h``: the moving averages of gradients and of the Hessian's diagonal.

    ``key``: the data of the PRNG key, which makes the directions of each estimate.
    """

    iter: jax.Array
    m: Tree
    h: Tree
    key: jax.Array


@optimizer(family="second-order", paper="Liu et al. (2024), arXiv:2305.14342", needs=("params", "value_fn", "tree"))
def sophia(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.965,
    beta2: Scalar = 0.99,
    gamma: Scalar = 0.01,
    eps: Scalar = 1e-12,
    weight_decay: ScalarOrSchedule = 0.1,
    every: int = 10,
    clipping: Scalar = 1.0,
    seed: int | jax.Array = 0,
):
    """Build Sophia, with Hutchinson's estimate of the Hessian's diagonal.

        h ← h + (1 - beta2) (u ⊙ (∇²value_fn u) - h)    at the first of every so many steps, each entry of u is 1 or -1
        m ← m + (1 - beta1) (g - m)
        p ← p - lr clip(m / max(gamma h, eps)) - lr λ p    to [-clipping, clipping], λ is weight_decay

    Use it for language models, with a ``value_fn`` of the current batch. ``update`` needs ``value_fn`` as a keyword: a
    function of the parameters alone that returns one number. An estimate costs two gradients. Its lr is Adam's. With
    the right gamma, a tenth to a half of all entries is not cut off. Under ``jax.pmap`` and ``jax.shard_map``, pass
    `pmean_fn` of that function.

    Args:
        lr: learning rate, and the largest step of an entry; a number, an array, or a schedule of ``iter``, from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``h`` that each estimate keeps, in [0, 1).
        gamma: the factor of the curvature; a larger gamma shortens the steps that are not cut off.
        eps: the smallest divisor.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        every: the number of steps from one estimate to the next.
        clipping: the largest quotient, or the largest magnitude of a complex quotient.
        seed: an integer, or an array with one integer; equal seeds give equal directions, also after a restart.

    Example:
        >>> def value_fn(x):
        ...     return 2 * (x - 3) ** 2
        >>> opt = sophia(lr=1.0, beta1=0.0, beta2=0.0, gamma=1.0, weight_decay=0.0)
        >>> @jax.jit
        ... def step(params, state):
        ...     return opt.update(jax.grad(value_fn)(params), state, params, value_fn=value_fn)
        >>> updates, state = step(2.5, opt.init(2.5))
        >>> print(f"{state.h:.3f} {apply_updates(2.5, updates):.3f}")  # Newton's step
        4.000 3.000

    State: `SophiaState`, 8 bytes per float32 parameter. ``h`` is real for complex parameters.
    Source: Liu et al. (2024), arXiv:2305.14342, algorithms 1 and 3, where lr is 1e-4 to 1e-3 and λ is 0.2. optax
    corrects the bias of m, and estimates after the step.
    """

    def init(params):
        return SophiaState(
            zero_steps(params), zeros_like(params), zeros_like(params, real=True), first_key("sophia", seed, params)
        )

    def update(grads, state, params=None, *, value_fn):
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)

        def estimated(h):
            u = draw(signs, state.key, state.iter, params)
            _, along = jax.jvp(jax.grad(value_fn), (params,), (u,))
            return each(lambda h, u, Hu: h + (1 - beta2) * ((u * Hu).real - h), h, u=u, Hu=along)

        h = jax.lax.cond(state.iter % every == 0, estimated, lambda h: h, state.h)

        def rule(g, m, h, p):
            m = m + (1 - beta1) * (g - m)
            ratio = m / jnp.maximum(gamma * h, eps)
            return -lr_t * clip_to_norm(ratio, jnp.abs(ratio), clipping) - lr_t * shrink * p, m

        updates, m = each(rule, grads, state.m, h=h, p=params)
        return updates, SophiaState(next_step(state.iter), m, h, state.key)

    return init, update
