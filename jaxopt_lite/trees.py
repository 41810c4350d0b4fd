"""State is born where the parameters live: on their devices, sharded as they are, at least float32."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from jaxopt_lite.numerics import at_least_float32

Tree = Any


def zeros_like(params: Tree, *, real: bool = False) -> Tree:
    """Zeros of each parameter's shape and sharding, in the dtype that arithmetic on it is done in.

    Args:
        params: a tree of arrays, of ``jax.ShapeDtypeStruct``, or of nothing.
        real: make complex leaves real, as a second moment |g|² is.

    Returns:
        A tree of the same structure: float32 for float16, bfloat16 and float32; float64 for float64; complex stays
        complex unless ``real``. No leaf shares memory with another or with a parameter.
    """

    def zeros(p: Any) -> jax.Array:
        dtype = at_least_float32(jnp.result_type(p))
        if real and jnp.issubdtype(dtype, jnp.complexfloating):
            dtype = jnp.finfo(dtype).dtype
        if isinstance(p, jax.core.Tracer):
            # Under jit a constant has no sharding and lands whole on one device. This one is 0 as well, but the
            # compiler cannot know it without looking at p, and so lays it out as p is laid out.
            return jnp.minimum(jnp.isfinite(p).astype(jnp.int8), 0).astype(dtype)
        return jnp.zeros_like(p, dtype=dtype)

    return jax.tree.map(zeros, params)


def zero_steps(params: Tree) -> jax.Array:
    """The step counter at its start: an int32 0 on the devices of ``params``, on every device of their mesh.

    A counter left on the default device would make the second step on a mesh compile anew.
    """
    leaf = next((p for p in jax.tree.leaves(params) if not isinstance(p, jax.core.Tracer)), None)
    sharding = getattr(leaf, "sharding", None)
    if isinstance(sharding, NamedSharding):
        sharding = NamedSharding(sharding.mesh, PartitionSpec())
    elif not getattr(leaf, "committed", False):
        sharding = None
    return jnp.zeros((), jnp.int32, device=sharding)
