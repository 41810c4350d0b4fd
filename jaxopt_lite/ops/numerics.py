"""Arithmetic that holds up in float32: at zero, at 1e30, and after two billion steps."""

import math

import jax
import jax.numpy as jnp

from jaxopt_lite.types import Scalar


def saturate(x: jax.Array) -> jax.Array:
    """Return ``x`` with infinity replaced by the largest finite number; NaN stays NaN."""
    return jnp.minimum(x, jnp.finfo(x.dtype).max)


def saturating_add(h: jax.Array, x: jax.Array) -> jax.Array:
    """Return ``h + x``, saturating, for ``h`` of at least 0.

    ``x`` is limited instead of the sum, because XLA's CPU compiler would compute a limited sum twice: once for the
    update and once for the state. It would also copy the state in between.
    """
    return h + jnp.minimum(x, jnp.finfo(h.dtype).max - h)


def abs2(g: jax.Array) -> jax.Array:
    """Return the squared magnitude |g|², real for complex ``g`` too, saturating at the largest finite number.

    A float32 gradient above 1.8e19 would square to infinity. An infinite second moment stays infinite, or turns into
    inf - inf.

    Example:
        >>> print(abs2(jnp.array(3 + 4j)), bool(jnp.isfinite(abs2(jnp.array(1e30)))))
        25.0 True
    """
    return saturate(g.real * g.real + g.imag * g.imag if jnp.iscomplexobj(g) else g * g)


def mean(x: jax.Array, axes: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> jax.Array:
    """Return the mean of numbers of at least 0, over some axes or all: 0 of none, and finite if the sum overflows."""
    total = jnp.sum(x, axes, keepdims=keepdims)
    return saturate(total) / max(x.size // max(total.size, 1), 1)


@jax.custom_jvp
def sqrt(x: jax.Array) -> jax.Array:
    """Return the square root. Its derivative at 0 is taken as 0 instead of infinity.

    The second moment of a gradient that has always been zero is 0. A derivative through an update (hypergradients,
    meta-learning) would otherwise meet 0 * inf = NaN there. The value is that of ``jnp.sqrt``.

    Example:
        >>> print(sqrt(9.0), jax.grad(sqrt)(0.0), jax.grad(jnp.sqrt)(0.0))
        3.0 0.0 inf
    """
    return jnp.sqrt(x)


@sqrt.defjvp
def _sqrt_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    root = sqrt(x)
    slope = jnp.where(root > 0, 0.5 / jnp.where(root > 0, root, 1), 0)
    return root, slope * dx


def sign(x: jax.Array) -> jax.Array:
    """Return the sign, or the direction of a complex number. It is NaN for infinity, which a sign would hide."""
    return jnp.sign(x) + 0 * x


def bias_correction(beta: Scalar, t: jax.Array) -> jax.Array:
    """Return 1 - beta^t, the total weight of an average with decay ``beta`` after ``t`` >= 1 steps.

    It is computed as -expm1(t log(beta)). In float32 the plain formula subtracts two nearly equal numbers. It loses
    hundreds of ulp at beta = 0.999, and thousands at 0.9999. The logarithm of a Python number is taken in double
    precision. Then the result is weakly typed: a product with an array keeps the array's dtype.

    Example:
        >>> print(f"{bias_correction(0.9, 1.0):.2f} {bias_correction(0.9, 2.0):.2f}")
        0.10 0.19

    Source: Kingma & Ba (2015), arXiv:1412.6980, §3.
    """
    return -jnp.expm1(t * log(beta))


def log(beta: Scalar) -> Scalar:
    """Return the logarithm; of a Python number, in double precision."""
    if isinstance(beta, jax.Array):
        return jnp.log(beta)
    return math.log(beta) if beta > 0 else -math.inf
