"""Norms and products, of whole trees and of matrices."""

import functools

import jax
import jax.numpy as jnp

from jaxopt_lite.ops.numerics import abs2, saturate, sqrt
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Scalar, Tree


@jax.custom_jvp
def norm(tree: Tree) -> jax.Array:
    """Return the Euclidean norm of all arrays of the tree together: a scalar, finite whenever the norm itself is.

    Squares overflow for entries beyond 1e19, and vanish for entries below 1e-19.
    The first pass sums plain squares. Its sum is used if it is far from both limits, as nearly always.
    Otherwise a second pass sums the squares of scaled entries; the scale is a power of two.

    A tree with an infinity has no norm: NaN. At 0 the derivative is taken as 0.
    """
    leaves = [to_compute_dtype(x) for x in jax.tree.leaves(tree) if jnp.size(x)]
    if not leaves:
        return jnp.zeros(())
    # The barrier hides constant leaves, because XLA would multiply the two scales first, which overflows.
    leaves = jax.lax.optimization_barrier(leaves)
    limits = jnp.finfo(jnp.result_type(*leaves))
    far = 2.0 ** (limits.maxexp * 7 // 8)

    def unsure(seen: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        passes, _, total = seen
        safe = (limits.tiny / limits.eps < total) & (total < limits.max)
        return (passes == 0) | ((passes == 1) & ~safe)

    @jax.jit  # so that leaves of one shape share a trace
    def squares(x: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.sum(((scale * x) * jnp.conj(scale * x)).real)

    # A loop instead of a branch, because a branch would compile the same sum twice.
    def look(seen: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        passes, scale, total = seen
        scale = jnp.where(passes == 0, scale, jnp.where(total < 1, far, 1 / far).astype(scale.dtype))
        return passes + 1, scale, functools.reduce(jax.lax.add, [squares(x, scale) for x in leaves])

    zero = jnp.zeros((), limits.dtype)
    if jax.sharding.get_abstract_mesh().manual_axes:
        # A loop inside shard_map must begin with a zero that varies over devices, because its later numbers vary.
        zero = functools.reduce(jnp.add, [jnp.sum(jnp.abs(jnp.atleast_1d(x)[:0])) for x in leaves], zero)
    _, scale, total = jax.lax.while_loop(unsure, look, (jnp.asarray(0), zero + 1, zero))
    return sqrt(total + 0 * total) / scale


@norm.defjvp
def _norm_jvp(primals: tuple[Tree], tangents: tuple[Tree]) -> tuple[jax.Array, jax.Array]:
    leaves = zip(jax.tree.leaves(primals), jax.tree.leaves(tangents), strict=True)
    with jax.numpy_dtype_promotion("standard"):
        length = norm(*primals)
        away = jnp.where(length > 0, length, 1)
        slopes = [jnp.sum((jnp.conj(to_compute_dtype(x) / away) * to_compute_dtype(dx)).real) for x, dx in leaves]
        return length, functools.reduce(jnp.add, slopes, jnp.zeros_like(length))


def norm1(tree: Tree) -> jax.Array:
    """Return the sum of the magnitudes of all entries of the tree: a scalar, saturating."""
    lengths = [jnp.sum(jnp.abs(to_compute_dtype(x))) for x in jax.tree.leaves(tree)]
    return saturate(functools.reduce(jnp.add, lengths)) if lengths else jnp.zeros(())


def dot(a: Tree, b: Tree) -> jax.Array:
    """Return the sum of the products of entries: a scalar, finite for finite entries.

    The product of complex entries is the real part of conj(a) b. Products that would make the sum overflow are clipped;
    this takes entries beyond 1e19.
    """
    pairs = [
        (to_compute_dtype(x), to_compute_dtype(y))
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
        if jnp.size(x)
    ]
    if not pairs:
        return jnp.zeros(())
    products = [(jnp.conj(x) * y).real.reshape(-1) for x, y in pairs]
    count = sum(x.size for x in products)
    limits = [jnp.finfo(x.dtype).max / count for x in products]
    return functools.reduce(
        jnp.add, [jnp.sum(jnp.clip(x, -limit, limit)) for x, limit in zip(products, limits, strict=True)]
    )


def length(x: jax.Array, axes: tuple[int, ...] | None = (-2, -1)) -> jax.Array:
    """Return the norm over some axes (None: all), kept with length 1: (..., 1, 1) by default. As finite as `norm`."""
    # The scale is constant to derivatives, because the norm does not depend on it. The derivative of a maximum needs an
    # entry equal to the maximum. If x is computed twice and rounds differently, no entry is equal, and 0 / 0 is NaN.
    largest = jnp.max(jnp.abs(jax.lax.stop_gradient(x)), axes, keepdims=True, initial=0)
    scale = jnp.where(largest > 0, largest, 1)
    return scale * sqrt(jnp.sum(abs2(x / scale), axes, keepdims=True))


def clip_to_norm(g: jax.Array, length: jax.Array, limit: Scalar) -> jax.Array:
    """Return ``g``, whose norm is ``length``, scaled to norm ``limit`` if it is longer. 0 stays 0, and NaN spreads."""
    return g * jnp.where(length <= limit, 1, limit / jnp.where(length <= limit, 1, length))


def safe_divide(x: jax.Array, length: jax.Array) -> jax.Array:
    """Return ``x / length``; where ``length`` is 0, ``x`` stays as it is, so that zeros stay zeros."""
    return x / jnp.where(length == 0, 1, length)


def trust_ratio(weight: jax.Array, step: jax.Array, coefficient: Scalar = 1) -> jax.Array:
    """Return ``coefficient * weight / step``, from two lengths; 1 where either is 0, so that zeros can leave 0."""
    none = (weight == 0) | (step == 0)
    return jnp.where(none, 1, coefficient * weight / jnp.where(none, 1, step))
