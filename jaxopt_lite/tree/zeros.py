"""The arrays of a first state: zeros that are sharded like the parameters, and the step counter."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxopt_lite.tree.dtypes import at_least_float32
from jaxopt_lite.types import Scalar, Tree

# Zeros up to this many bytes are made on the host, because a device operation takes ten times as long. One transfer
# moves them all.
SMALL = 2**20


def zeros_like(params: Tree, *, real: bool = False) -> Tree:
    """Return zeros of each parameter's shape and sharding, in the dtype for arithmetic on it.

    Args:
        params: a tree of arrays or of ``jax.ShapeDtypeStruct``, or a tree without leaves.
        real: make complex leaves real, for a second moment |g|².

    Returns:
        A tree of the same structure: float32 for float16, bfloat16 and float32; float64 for float64; complex stays
        complex unless ``real``. No leaf shares memory with another leaf or with a parameter.

    Example:
        >>> zeros = zeros_like({"kernel": jnp.ones(3, jnp.bfloat16)})
        >>> print(zeros["kernel"], zeros["kernel"].dtype)
        [0. 0. 0.] float32
    """

    def zeros(p: Any) -> Any:
        dtype = at_least_float32(jnp.result_type(p))
        if real and jnp.issubdtype(dtype, jnp.complexfloating):
            dtype = jnp.finfo(dtype).dtype
        if isinstance(p, jax.core.Tracer):
            # Under jit a constant has no sharding and lands whole on one device. This expression is 0 as well. But it
            # depends on p, so the compiler shards it like p.
            return jnp.minimum(jnp.isfinite(p).astype(jnp.int8), 0).astype(dtype)
        if isinstance(p, jax.Array) and p.is_fully_addressable and p.size * dtype.itemsize <= SMALL:
            return np.zeros(p.shape, dtype)
        return jnp.zeros_like(p, dtype=dtype)

    treedef: Any
    leaves, treedef = jax.tree.flatten(params)
    out = [zeros(p) for p in leaves]
    hosted = {i: x for i, x in enumerate(out) if isinstance(x, np.ndarray)}
    places = [leaves[i].sharding if leaves[i].committed else None for i in hosted]
    for i, x in zip(hosted, jax.device_put(list(hosted.values()), places), strict=True):
        out[i] = x
    return treedef.unflatten(out)


def zero_steps(params: Tree) -> jax.Array:
    """Return the first step counter: an int32 0 on the devices of ``params``, replicated over their mesh.

    A counter on the default device would make the second step on a mesh compile anew.

    Example:
        >>> iter = zero_steps({"kernel": jnp.ones(3)})
        >>> print(iter, iter.dtype)
        0 int32
    """
    return replicated_zeros(params, (), jnp.int32)


def replicated_zeros(params: Tree, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Return zeros of any shape on the devices of ``params``, replicated over their mesh."""
    leaf = next((p for p in jax.tree.leaves(params) if not isinstance(p, jax.core.Tracer)), None)
    sharding = getattr(leaf, "sharding", None)
    if isinstance(sharding, NamedSharding):
        sharding = sharding_of_axes(sharding, [None] * len(shape))
    elif not getattr(leaf, "committed", True):
        sharding = None
    return jnp.zeros(shape, dtype, device=sharding)


def replicated_scalar(params: Tree, value: Scalar = 0.0) -> jax.Array:
    """Return a number in the dtype of ``norm(params)``, on the devices of ``params``, replicated over their mesh."""
    dtypes = [jnp.finfo(at_least_float32(jnp.result_type(p))).dtype for p in jax.tree.leaves(params)]
    dtype = jnp.result_type(*dtypes) if dtypes else jnp.result_type(float)
    return replicated_zeros(params, (), dtype) + jnp.asarray(value, dtype)


def reduced_zeros(p: Any, axes: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> jax.Array:
    """Return real zeros with the shape and sharding of a parameter's mean over some axes, or over all."""

    def over(p: Any) -> jax.Array:
        return jnp.max(zeros_like(p, real=True), axes, keepdims=keepdims, initial=0)

    if isinstance(p, jax.core.Tracer):
        return over(p)
    form, sharding = jax.eval_shape(over, p), getattr(p, "sharding", None)
    if not isinstance(sharding, NamedSharding):
        return replicated_zeros(p, form.shape, form.dtype)
    given = (axes,) if isinstance(axes, int) else axes
    gone = range(p.ndim) if given is None else [axis % p.ndim for axis in given]
    left = [None if axis in gone else axis for axis in range(p.ndim) if keepdims or axis not in gone]
    return jnp.zeros(form.shape, form.dtype, device=sharding_of_axes(sharding, left))


def sharding_of_axes(sharding: NamedSharding, axes: Sequence[int | None]) -> NamedSharding:
    """Return the sharding of an array with these axes of a sharded array; None stands for a replicated axis."""
    spec = [None if axis is None or axis >= len(sharding.spec) else sharding.spec[axis] for axis in axes]
    # JAX keeps trailing None in a spec on explicit axes alone. We do the same, because an equal sharding with another
    # spec compiles a step anew.
    while spec and spec[-1] is None and AxisType.Explicit not in sharding.mesh.axis_types:
        spec.pop()
    return NamedSharding(sharding.mesh, PartitionSpec(*spec))


def next_step(iter: jax.Array) -> jax.Array:
    """Return ``iter + 1``, an int32; at 2³¹ - 1 it stays there instead of turning negative.

    Example:
        >>> print(next_step(jnp.int32(0)), next_step(jnp.int32(2**31 - 1)))
        1 2147483647
    """
    return jnp.minimum(iter, jnp.iinfo(iter.dtype).max - 1) + 1
