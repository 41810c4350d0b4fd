"""Gaussian noise on the gradients."""

from typing import Any, NamedTuple

import jax

from jaxopt_lite.core import transform
from jaxopt_lite.numerics import Number, Scalar, next_step, sqrt
from jaxopt_lite.rules import at
from jaxopt_lite.trees import zero_steps, zeros_beside


class AddNoiseState(NamedTuple):
    """``iter``: steps taken. ``key``: the data of the PRNG key, from which each step's is made."""

    iter: jax.Array
    key: jax.Array


@transform
def add_noise(variance: Number = 0.01, power: Scalar = 0.55, seed: int | jax.Array = 0):
    """Gaussian noise whose variance falls with the step.

        g ← g + N(0, variance / (1 + iter)^power)

    Use it to get very deep networks off the ground, or out of sharp minima.

    Args:
        variance: the variance of the noise at the first step; a number, an array, or a schedule of ``iter``.
        power: how fast it falls.
        seed: an integer, or an array of one; equal seeds give equal noise, also after a restart from a checkpoint.

    State: `AddNoiseState`, 12 bytes in all. The key is kept as plain integers, which every checkpointer can store.
    Source: Neelakantan et al. (2015), arXiv:1511.06807.
    """

    def init(params):
        key = jax.random.key_data(jax.random.key(seed))
        return AddNoiseState(zero_steps(params), key + zeros_beside(params, key.shape, key.dtype))

    def update(grads, state, params=None):
        deviation = sqrt(at(variance, state.iter) * (1.0 + state.iter) ** -power)
        key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.iter)
        treedef: Any
        leaves, treedef = jax.tree.flatten(grads)
        keys = jax.random.split(key, max(len(leaves), 1))
        noisy = [g + deviation * jax.random.normal(k, g.shape, g.dtype) for g, k in zip(leaves, keys, strict=False)]
        return treedef.unflatten(noisy), AddNoiseState(next_step(state.iter), state.key)

    return init, update
