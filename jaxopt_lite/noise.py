"""Random numbers in a step: the same after a restart, others at each step and for each leaf."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.trees import Tree, zeros_beside


def first_key(seed: int | jax.Array, params: Tree) -> jax.Array:
    """The key of a seed, on the devices of ``params``, as plain integers, which every checkpointer can store."""
    key = jax.random.key_data(jax.random.key(seed))
    return key + zeros_beside(params, key.shape, key.dtype)


def draw(distribution: Callable[..., Any], key: jax.Array, iter: jax.Array, tree: Tree) -> Tree:
    """Draws for each array of the tree, in its shape and dtype.

    Args:
        distribution: a function of key, shape and dtype, as ``jax.random.normal`` is.
        key: what `first_key` gave.
        iter: the step, which gives other draws than any step before it.
        tree: the arrays.
    """
    treedef: Any
    leaves, treedef = jax.tree.flatten(tree)
    keys = jax.random.split(jax.random.fold_in(jax.random.wrap_key_data(key), iter), len(leaves))
    return treedef.unflatten([distribution(k, x.shape, x.dtype) for k, x in zip(keys, leaves, strict=True)])


def signs(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """1 or -1, of a complex number for its real and its imaginary part, at length 1."""
    if not jnp.issubdtype(dtype, jnp.complexfloating):
        return jax.random.rademacher(key, shape, dtype)
    real, imaginary = jax.random.rademacher(key, (2, *shape), jnp.finfo(dtype).dtype)
    turned: jax.Array = (real + 1j * imaginary) / 2**0.5
    return turned
