"""Gaussian noise on the gradients."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import transform
from jaxopt_lite.ops import at, each, next_step, sqrt, zero_steps
from jaxopt_lite.ops.random import draw, first_key
from jaxopt_lite.tree.packed import reject_packed
from jaxopt_lite.types import Scalar, ScalarOrSchedule


class AddNoiseState(NamedTuple):
    """``iter``: steps taken. ``key``: the data of the PRNG key, from which each step's is made."""

    iter: jax.Array
    key: jax.Array


@transform
def add_noise(variance: ScalarOrSchedule = 0.01, power: Scalar = 0.55, seed: int | jax.Array = 0):
    """Add Gaussian noise whose variance falls with the step.

        g ← g + N(0, variance / (1 + iter)^power)

    Use it to get very deep networks off the ground, or out of sharp minima.

    Args:
        variance: the variance of the noise at the first step; a number, an array, or a schedule of ``iter``.
        power: how fast it falls.
        seed: an integer, or an array of one; equal seeds give equal noise, also after a restart from a checkpoint. Each
            leaf has noise of its own, by its path. So groups of a ``partition`` may share a seed.

    Example:
        >>> opt = chain(add_noise(variance=0.01), sgd(1.0))
        >>> updates, state = opt.update(jnp.zeros(10_000), opt.init(jnp.zeros(10_000)))
        >>> print(f"{jnp.std(updates):.1f}")
        0.1

    State: `AddNoiseState`, 12 bytes in all. The key is kept as plain integers, which every checkpointer can store.
    Source: Neelakantan et al. (2015), arXiv:1511.06807.
    """

    def init(params):
        return AddNoiseState(zero_steps(params), first_key("add_noise", seed, params))

    def update(grads, state, params=None):
        deviation = sqrt(at(variance, state.iter) * (1.0 + state.iter) ** -power)
        noise = draw(jax.random.normal, state.key, state.iter, grads)
        noisy = each(lambda g, n: g + deviation * n, grads, n=noise)
        return noisy, AddNoiseState(next_step(state.iter), state.key)

    return reject_packed("add_noise", init), update
