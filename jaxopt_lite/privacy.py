"""Differential privacy: means of gradients that reveal little about any single example."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core import checks
from jaxopt_lite.core.arguments import checked
from jaxopt_lite.ops.norms import clip_to_norm, norm
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Scalar, Tree


def private_mean(grads: Tree, key: jax.Array, max_norm: Scalar, noise_multiplier: Scalar) -> Tree:
    """Return the mean of the examples' gradients, each clipped to a global norm, with Gaussian noise.

        G = 1 / n (sum of gᵢ min(1, max_norm / ‖gᵢ‖) + N(0, (max_norm noise_multiplier)²))

    The norm is that of all leaves of one example together. Any optimizer steps along the mean:

        grads = jax.vmap(jax.grad(loss), (None, 0))(params, batch)
        key, now = jax.random.split(key)
        updates, state = opt.update(private_mean(grads, now, 1.0, 1.1), state, params)

    It is a function and no transform, because a transform's gradients have the shapes of the parameters.

    Args:
        grads: the gradients, with an axis of the n examples before those of the parameters.
        key: a PRNG key; each step needs a new key.
        max_norm: the largest norm of one example's gradient.
        noise_multiplier: the noise's standard deviation over ``max_norm``, for each part of a complex entry.

    Returns:
        A tree of arrays without the axis of examples, in at least float32. The sum is taken in that precision.

    Raises:
        TypeError: a leaf is not an array of floats.
        ValueError: the leaves differ in the number of examples; or a number is negative, or an array of several.

    Example:
        >>> grads = jnp.array([[3.0, 4.0], [0.0, 0.5]])
        >>> x, y = private_mean(grads, jax.random.key(0), max_norm=1.0, noise_multiplier=0.0)
        >>> print(f"{x:.2f} {y:.2f}")
        0.30 0.65

    Source: Abadi et al. (2016), arXiv:1607.00133, algorithm 1, whose n is the expected size of a batch. optax's
    ``differentially_private_aggregate`` gives the parts of a complex entry half the variance.
    """
    call, numbers = "private_mean", {"max_norm": max_norm, "noise_multiplier": noise_multiplier}
    checked(private_mean, numbers)
    checks.check_numbers(call, **numbers)
    checks.check_arrays(call, gradients=grads)
    checks.check_floats(call, gradients=grads)
    checks.check_examples(call, "gradients", grads)

    def clipped(one: Tree) -> Tree:
        length = norm(one)
        return jax.tree.map(lambda g: clip_to_norm(g, length, max_norm), one)

    def noisy_mean(g: jax.Array, key: jax.Array) -> jax.Array:
        # JAX's complex noise has variance 1 in both parts together.
        parts = 2 if jnp.iscomplexobj(g) else 1
        deviation = max_norm * noise_multiplier * parts**0.5
        mean: jax.Array = (jnp.sum(g, 0) + deviation * jax.random.normal(key, g.shape[1:], g.dtype)) / len(g)
        return mean

    treedef: Any
    leaves, treedef = jax.tree.flatten(grads)
    if not leaves:
        return grads
    with jax.numpy_dtype_promotion("standard"):
        each = jax.vmap(clipped)([to_compute_dtype(g) for g in leaves])
        return treedef.unflatten(map(noisy_mean, each, jax.random.split(key, len(leaves))))
