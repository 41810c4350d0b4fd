"""The factors of a matrix, one for each side, for rules that whiten gradients or rotate them into other bases.

As in `jaxopt_lite.ops.matrices`, arrays are stacks of matrices over their last two axes. Decompositions are constant to
derivatives, because an eigenvector has no derivative where eigenvalues are equal, as at zero.
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
    """One entry for each side of a matrix: ``inputs`` (..., fan_in, fan_in), ``outputs`` (..., fan_out, fan_out)."""

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
        longest: the largest side. A longer side gets None.
        block: the largest side of a block, for the blocks of `in_blocks`. Two more axes count them, and the square
            matrices have the sides of a block.
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
    """Cut matrices into blocks of at most that length, (..., down, across, height, width), padded with zeros."""
    *stack, rows, columns = x.shape
    down, across = (-(-n // block) for n in (rows, columns))
    height, width = min(rows, block), min(columns, block)
    x = jnp.pad(x, [(0, 0)] * len(stack) + [(0, down * height - rows), (0, across * width - columns)])
    return x.reshape(*stack, down, height, across, width).swapaxes(-3, -2)


def out_of_blocks(x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Undo `in_blocks`: return the matrices of this shape."""
    *stack, down, across, height, width = x.shape
    whole = x.swapaxes(-3, -2).reshape(*stack, down * height, across * width)
    return whole[..., : shape[-2], : shape[-1]]


def outer_product(x: jax.Array) -> jax.Array:
    """Return x xᴴ for each matrix. A matrix longer than 1e15 is clipped to that length, for a finite product."""
    x = clip_to_norm(x, length(x), 1e-4 * float(jnp.finfo(x.dtype).max) ** 0.5)
    return x @ transposed(x)


def outer_products(x: jax.Array, like: Sides) -> Sides:
    """Return x xᴴ and xᴴ x, for the sides in ``like``; the others stay None."""
    return Sides(*(f if f is None else outer_product(y) for f, y in zip(like, (x, transposed(x)), strict=True)))


def averaged(kept: Sides, new: Sides, beta: Scalar) -> Sides:
    """Return the moving averages of both sides; a step keeps the share ``beta`` of the old average."""
    moved: Sides = jax.tree.map(lambda old, now: old + (1 - beta) * (now - old), kept, new)
    return moved


def kl_statistics(
    g: jax.Array, turned: jax.Array, bases: Sides, eigenvalues: Sides, known: jax.Array
) -> tuple[Sides, Sides]:
    """Return the outer products of g for either side, with the other side whitened, and eigenvalues; see `kl_soap`.

    ``turned`` is g in the bases. Before the bases are known nothing is whitened, and the eigenvalues stay.
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
    """Return each matrix in the bases of its sides; a side without a basis stays as it is."""
    x = x if bases.inputs is None else transposed(bases.inputs) @ x
    return x if bases.outputs is None else x @ bases.outputs


def unrotated(x: jax.Array, bases: Sides) -> jax.Array:
    """Undo `rotated`."""
    x = x if bases.inputs is None else bases.inputs @ x
    return x if bases.outputs is None else x @ transposed(bases.outputs)


def largest_first(factor: jax.Array, basis: jax.Array, v: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    """Sort the columns of a basis by their size in a factor, and sort ``v`` along one axis (-2 or -1) alike."""
    size = jnp.sum((jnp.conj(basis) * (factor @ basis)).real, axis=-2)
    order = jnp.argsort(-size, axis=-1)
    of_v = jnp.expand_dims(order, -3 - axis)
    return jnp.take_along_axis(basis, order[..., None, :], axis=-1), jnp.take_along_axis(v, of_v, axis=axis)


def next_basis(factor: jax.Array, basis: jax.Array, known: jax.Array) -> jax.Array:
    """Return a basis closer to each Hermitian matrix's eigenvectors, by one power iteration from the old basis.

    The columns are orthonormal. If no basis is known yet, they are the eigenvectors, the largest eigenvalue's first.
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
    """Return the power -1/4 of each Hermitian matrix plus ``eps`` times its largest eigenvalue; of 0, the unit."""
    values, basis = jnp.linalg.eigh(jax.lax.stop_gradient(factor))
    values = jnp.maximum(values, 0) + eps * values[..., -1:]
    root: jax.Array = (basis * jnp.where(values > 0, values, 1)[..., None, :] ** -0.25) @ transposed(basis)
    return root


def psgd_update(factors: Sides, u: jax.Array, noise: jax.Array, precond_lr: Scalar) -> Sides:
    """Return triangular factors that whiten ``u`` somewhat better, or the same if ``u`` is 0; see `psgd_kron`."""
    factors, u = jax.lax.stop_gradient((factors, u))
    A = factors.inputs @ u @ transposed(factors.outputs)
    B = jax.scipy.linalg.solve_triangular(factors.inputs, noise.astype(u.dtype), trans="C")
    B = transposed(jax.scipy.linalg.solve_triangular(factors.outputs, transposed(B), trans="C"))
    # Both are divided by the larger length, so that no product overflows. The result depends on their ratio alone.
    size = jnp.maximum(length(A), length(B))
    A, B = safe_divide(A, size), safe_divide(B, size)

    def moved(Q, a, b):
        aa, bb = a @ transposed(a), b @ transposed(b)
        new = Q - precond_lr * safe_divide(jnp.triu(aa - bb) @ Q, spectral_norm(aa + bb))
        return jnp.where(length(u) > 0, new, Q)

    return Sides(moved(factors.inputs, A, B), moved(factors.outputs, transposed(A), transposed(B)))


def spectral_norm(x: jax.Array) -> jax.Array:
    """Return a lower bound of each Hermitian matrix's largest eigenvalue, by two products with its longest column."""
    longest = jnp.argmax(jnp.sum(abs2(x), axis=-2), axis=-1)
    y = x @ jnp.take_along_axis(x, longest[..., None, None], axis=-1)
    return length(x @ safe_divide(y, length(y)))
