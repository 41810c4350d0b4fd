"""Numbers that hold up: in float32, at zero, at 1e30, and after two billion steps."""

import math

import jax
import jax.numpy as jnp

from jaxopt_lite.types import Scalar


def saturate(x: jax.Array) -> jax.Array:
    """Return ``x``, with infinity replaced by the largest finite number; NaN stays NaN."""
    return jnp.minimum(x, jnp.finfo(x.dtype).max)


def saturating_add(h: jax.Array, x: jax.Array) -> jax.Array:
    """Return ``h + x``, saturating, for ``h`` of at least 0.

    The limit is put on ``x``. Put on the sum, it makes XLA's CPU compiler sum up twice and copy the state in between.
    """
    return h + jnp.minimum(x, jnp.finfo(h.dtype).max - h)


def abs2(g: jax.Array) -> jax.Array:
    """Return the squared magnitude |g|², real for complex ``g`` too, saturating.

    A float32 gradient above 1.8e19 would square to infinity. A second moment that is infinite stays so, or turns into
    inf - inf.

    Example:
        >>> print(abs2(jnp.array([3 + 4j])))
        [25.]
    """
    return saturate(g.real * g.real + g.imag * g.imag if jnp.iscomplexobj(g) else g * g)


def mean(x: jax.Array, axes: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> jax.Array:
    """Return the mean of non-negative numbers over all axes or some: 0 of none, finite where their sum overflows."""
    total = jnp.sum(x, axes, keepdims=keepdims)
    return saturate(total) / max(x.size // max(total.size, 1), 1)


@jax.custom_jvp
def sqrt(x: jax.Array) -> jax.Array:
    """Return the square root, whose derivative at 0 is taken as 0 instead of infinity.

    The second moment of a gradient that has always been zero is 0; whoever differentiates through an update
    (hypergradients, meta-learning) would otherwise meet 0 * inf = NaN there. Forward it is ``jnp.sqrt``.
    """
    return jnp.sqrt(x)


@sqrt.defjvp
def _sqrt_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    root = sqrt(x)
    slope = jnp.where(root > 0, 0.5 / jnp.where(root > 0, root, 1), 0)
    return root, slope * dx


def sign(x: jax.Array) -> jax.Array:
    """Return the sign, of a complex number its direction; NaN where ``x`` is infinite."""
    return jnp.sign(x) + 0 * x


def bias_correction(beta: Scalar, t: jax.Array) -> jax.Array:
    """Return 1 - beta^t: the weight that an average with decay ``beta`` has gathered after ``t`` >= 1 steps.

    Computed as -expm1(t log(beta)). In float32 the plain formula subtracts two nearly equal numbers. It loses hundreds
    of ulp at beta = 0.999, thousands at 0.9999. The logarithm of a Python number is taken in double precision. The
    result is weakly typed: multiplying an array by it does not change the array's dtype.

    Example:
        >>> print(f"{bias_correction(0.9, jnp.array(1)):.3g}")
        0.1

    Source: Kingma & Ba (2015), arXiv:1412.6980, §3.
    """
    return -jnp.expm1(t * log(beta))


def log(beta: Scalar) -> Scalar:
    """Return the logarithm, of a Python number in double precision."""
    if isinstance(beta, jax.Array):
        return jnp.log(beta)
    return math.log(beta) if beta > 0 else -math.inf
