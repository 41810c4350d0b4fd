"""The dtypes of arithmetic, and casts to them and back."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.types import Tree


@functools.cache
def at_least_float32(dtype: np.dtype) -> np.dtype:
    """Return the dtype for arithmetic on ``dtype``: float32 for float16, bfloat16 and smaller floats.

    All other dtypes are returned unchanged. Float64 and complex keep their precision. Integers, booleans and PRNG keys
    are codes. (``jnp.promote_types`` agrees for floats, but raises under strict promotion.)
    """
    small = jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize < 4
    return np.dtype(np.float32) if small else dtype


def cast(x: jax.Array, dtype: np.dtype) -> jax.Array:
    """Return ``x`` as an array of the given dtype, strongly typed; PRNG keys stay as they are, being no numbers."""
    if isinstance(x, jax.Array) and x.dtype == dtype and not getattr(x, "weak_type", False):
        return x  # the usual case, because jnp's own checks are slow for thousands of leaves
    return x if jnp.issubdtype(dtype, jax.dtypes.extended) else jnp.asarray(x).astype(dtype)


def to_compute_dtype(x: jax.Array) -> jax.Array:
    """Return ``x`` in the dtype for arithmetic on it; see `at_least_float32`."""
    return cast(x, at_least_float32(x.dtype if isinstance(x, jax.Array) else jnp.result_type(x)))


def cast_as(x: jax.Array, like: jax.Array) -> jax.Array:
    """Return ``x`` in the dtype of ``like``, which may be a number."""
    # An array's own dtype is read, because jnp.result_type takes ten times as long.
    return cast(x, like.dtype if isinstance(like, jax.Array) else jnp.result_type(like))


def cast_like(after: Tree, before: Tree) -> Tree:
    """Return ``after`` in the dtypes of ``before``."""
    return jax.tree.map(cast_as, after, before)
