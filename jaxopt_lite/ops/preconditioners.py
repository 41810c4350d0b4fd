"""The factors of a matrix: what is kept of each of its sides, for rules that whiten gradients or turn their bases.

As in `jaxopt_lite.ops.matrices`, arrays are stacks of matrices over their last two axes. What is decomposed here is
constant to derivatives: where eigenvalues meet, as they do at zero, an eigenvector has none.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.ops.matrices import matrix_axes, transposed
from jaxopt_lite.ops.norms import clip_to_norm, length, safe_divide
from jaxopt_lite.ops.numerics import abs2, mean, sqrt
from jaxopt_lite.tree.dtypes import at_least_float32, cast_like
from jaxopt_lite.tree.zeros import replicated_zeros
from jaxopt_lite.types import Scalar


class Sides(NamedTuple):
    """One for each side of a matrix: ``inputs`` (..., fan_in, fan_in), ``outputs`` (..., fan_out, fan_out)."""

    inputs: Any
    outputs: Any


def square_zeros(
    p: Any, out_axis: int, in_axis: int | None, *, longest: int | None = None, block: int | None = None
) -> Sides:
    """Return zeros for a square matrix of each side, on the devices of ``p``.

    Args:
        p: the parameter.
        out_axis: the axis of fan_out.
        in_axis: the axis of fan_in.
        longest: None for a side that is longer.
        block: two axes more, of the blocks that `in_blocks` makes, and their sides in place of the whole ones.
    """
    axes = matrix_axes(len(p.shape), out_axis, in_axis)
    stack = [n for axis, n in enumerate(p.shape) if axis not in axes]
    sides = [p.shape[axis] for axis in axes]
    if block:
        stack += [-(-n // block) for n in sides]
        sides = [min(n, block) for n in sides]
    dtype = at_least_float32(p.dtype)
    return Sides(*(None if longest and n > longest else replicated_zeros(p, (*stack, n, n), dtype) for n in sides))


def in_blocks(x: jax.Array, block: int) -> jax.Array:
    """Cut matrices into blocks of at most this length: (..., down, across, height, width), zeros at the end."""
    *stack, rows, columns = x.shape
    down, across = (-(-n // block) for n in (rows, columns))
    height, width = min(rows, block), min(columns, block)
    x = jnp.pad(x, [(0, 0)] * len(stack) + [(0, down * height - rows), (0, across * width - columns)])
    return x.reshape(*stack, down, height, across, width).swapaxes(-3, -2)


def out_of_blocks(x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return the matrices of this shape from their blocks, as `in_blocks` made them."""
    *stack, down, across, height, width = x.shape
    whole = x.swapaxes(-3, -2).reshape(*stack, down * height, across * width)
    return whole[..., : shape[-2], : shape[-1]]


def outer_product(x: jax.Array) -> jax.Array:
    """Return x xᴴ of each matrix, which is first shortened to a length of 1e15, so that it is finite."""
    x = clip_to_norm(x, length(x), 1e-4 * float(jnp.finfo(x.dtype).max) ** 0.5)
    return x @ transposed(x)


def outer_products(x: jax.Array, like: Sides) -> Sides:
    """Return x xᴴ and xᴴ x, of those sides that ``like`` has."""
    return Sides(*(f if f is None else outer_product(y) for f, y in zip(like, (x, transposed(x)), strict=True)))


def averaged(kept: Sides, new: Sides, beta: Scalar) -> Sides:
    """Return the moving averages of the sides, of which each step keeps the share ``beta``."""
    moved: Sides = jax.tree.map(lambda old, now: old + (1 - beta) * (now - old), kept, new)
    return moved


def kl_statistics(
    g: jax.Array, turned: jax.Array, bases: Sides, eigenvalues: Sides, known: jax.Array
) -> tuple[Sides, Sides]:
    """Return the product of either side of g with the other one whitened, and its eigenvalues; see `kl_soap`.

    ``turned`` is g in the bases. Until these are known nothing is whitened, and the eigenvalues stay.
    """
    fan_in, fan_out = g.shape[-2:]
    least = float(jnp.finfo(g.dtype).tiny) ** 0.5
    of_inputs, of_outputs = jax.tree.map(lambda d: jnp.maximum(d, least), eigenvalues)
    across = jnp.where(known, g @ bases.outputs / sqrt(of_outputs)[..., None, :], g)
    along = jnp.where(known, transposed(bases.inputs) @ g / sqrt(of_inputs)[..., :, None], g)
    squares = abs2(turned)
    parts = Sides(mean(squares / of_outputs[..., None, :], -1), mean(squares / of_inputs[..., :, None], -2))
    outer = Sides(outer_product(across) / fan_out, outer_product(transposed(along)) / fan_in)
    return outer, jax.tree.map(lambda part, old: jnp.where(known, part, old), parts, eigenvalues)


def rotated(x: jax.Array, bases: Sides) -> jax.Array:
    """Rotate each matrix into the bases of its sides; a side without one stays as it is."""
    x = x if bases.inputs is None else transposed(bases.inputs) @ x
    return x if bases.outputs is None else x @ bases.outputs


def unrotated(x: jax.Array, bases: Sides) -> jax.Array:
    """Return the matrices out of the bases, as they were before `rotated`."""
    x = x if bases.inputs is None else bases.inputs @ x
    return x if bases.outputs is None else x @ transposed(bases.outputs)


def largest_first(factor: jax.Array, basis: jax.Array, v: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    """Sort the columns of a basis by their size in a factor, and with them one axis of ``v``: -2 or -1."""
    size = jnp.sum((jnp.conj(basis) * (factor @ basis)).real, axis=-2)
    order = jnp.argsort(-size, axis=-1)
    of_v = jnp.expand_dims(order, -3 - axis)
    return jnp.take_along_axis(basis, order[..., None, :], axis=-1), jnp.take_along_axis(v, of_v, axis=axis)


def next_basis(factor: jax.Array, basis: jax.Array, known: jax.Array) -> jax.Array:
    """Return orthonormal columns closer to each Hermitian matrix's eigenvectors, by one power iteration.

    Where none are known yet, the eigenvectors themselves, the largest eigenvalue's first.
    """

    def eigenvectors(factor, basis):
        _, vectors = jnp.linalg.eigh(factor)
        return vectors[..., ::-1]

    def power_iteration(factor, basis):
        vectors, _ = jnp.linalg.qr(factor @ basis)
        return vectors

    factor, basis = jax.lax.stop_gradient((cast_like(factor, basis), basis))
    vectors: jax.Array = jax.lax.cond(known, power_iteration, eigenvectors, factor, basis)
    return vectors


def inverse_fourth_root(factor: jax.Array, eps: Scalar) -> jax.Array:
    """Return the power -1/4 of each Hermitian matrix, its eigenvalues raised by a share of the largest; I for 0."""
    values, basis = jnp.linalg.eigh(jax.lax.stop_gradient(factor))
    values = jnp.maximum(values, 0) + eps * values[..., -1:]
    root: jax.Array = (basis * jnp.where(values > 0, values, 1)[..., None, :] ** -0.25) @ transposed(basis)
    return root


def psgd_update(factors: Sides, u: jax.Array, noise: jax.Array, precond_lr: Scalar) -> Sides:
    """Return triangular factors that whiten ``u`` somewhat better, unless it is 0; see `psgd_kron`."""
    factors, u = jax.lax.stop_gradient((factors, u))
    A = factors.inputs @ u @ transposed(factors.outputs)
    B = jax.scipy.linalg.solve_triangular(factors.inputs, noise.astype(u.dtype), trans="C")
    B = transposed(jax.scipy.linalg.solve_triangular(factors.outputs, transposed(B), trans="C"))
    # The larger of the two at length 1, so that no product overflows: what follows depends on their ratio alone.
    size = jnp.maximum(length(A), length(B))
    A, B = safe_divide(A, size), safe_divide(B, size)

    def moved(Q, a, b):
        aa, bb = a @ transposed(a), b @ transposed(b)
        new = Q - precond_lr * safe_divide(jnp.triu(aa - bb) @ Q, spectral_norm(aa + bb))
        return jnp.where(length(u) > 0, new, Q)

    return Sides(moved(factors.inputs, A, B), moved(factors.outputs, transposed(A), transposed(B)))


def spectral_norm(x: jax.Array) -> jax.Array:
    """Return a lower bound of the largest eigenvalue of each Hermitian matrix, from its longest column."""
    longest = jnp.argmax(jnp.sum(abs2(x), axis=-2), axis=-1)
    y = x @ jnp.take_along_axis(x, longest[..., None, None], axis=-1)
    return length(x @ safe_divide(y, length(y)))
