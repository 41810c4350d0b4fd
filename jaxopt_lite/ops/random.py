"""Random numbers in a step: equal after a restart, and different for each step, each leaf and each rule."""

import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.tree.zeros import replicated_zeros
from jaxopt_lite.types import Tree


def first_key(rule: str, seed: int | jax.Array, params: Tree) -> jax.Array:
    """Return the key of a rule's name and a seed, on the devices of ``params``.

    The key is plain integers, because every checkpointer can store integers. With one seed, two rules in a chain draw
    different numbers.
    """
    key = jax.random.key_data(jax.random.fold_in(jax.random.key(seed), _code(rule)))
    return key + replicated_zeros(params, key.shape, key.dtype)


def draw(distribution: Callable[..., Any], key: jax.Array, iter: jax.Array, tree: Tree) -> Tree:
    """Draw random numbers for each array of the tree, in its shape and dtype.

    Args:
        distribution: a function of key, shape and dtype, as ``jax.random.normal`` is.
        key: the key from `first_key`.
        iter: the step. Each step has different draws.
        tree: the arrays. Each array has its own draws, by its path. So a group of parameters draws as in the whole
            tree, and no two groups draw alike.
    """
    treedef: Any
    leaves, treedef = jax.tree_util.tree_flatten_with_path(tree)
    paths = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
    codes = np.array([_code(path) for path in paths], np.uint32)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(jax.random.wrap_key_data(key), iter), codes)
    return treedef.unflatten([distribution(k, x.shape, x.dtype) for k, (_, x) in zip(keys, leaves, strict=True)])


def _code(name: str) -> int:
    """Return a number for a name, the same in every process."""
    return zlib.crc32(name.encode())


def signs(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Draw 1 or -1; for a complex dtype, draw both parts, and scale to length 1."""
    if not jnp.issubdtype(dtype, jnp.complexfloating):
        return jax.random.rademacher(key, shape, dtype)
    real, imaginary = jax.random.rademacher(key, (2, *shape), jnp.finfo(dtype).dtype)
    turned: jax.Array = (real + 1j * imaginary) / 2**0.5
    return turned
