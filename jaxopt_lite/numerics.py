"""Numbers that hold up: in float32, at zero, at 1e30, and after two billion steps."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

Scalar = float | jax.Array
Number = Scalar | Callable[[jax.Array], Scalar]


def at_least_float32(dtype: np.dtype) -> np.dtype:
    """The dtype that arithmetic on ``dtype`` is done in: float16, bfloat16 and smaller floats become float32.

    Everything else stays what it is: float64 and complex for precision, integers, booleans and PRNG keys because they
    are codes. (``jnp.promote_types`` says the same of floats, but raises under strict promotion.)
    """
    small = jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize < 4
    return np.dtype(np.float32) if small else dtype


def cast(x: jax.Array, dtype: np.dtype) -> jax.Array:
    """``x`` as an array of the given dtype, strongly typed; PRNG keys, which are numbers to nobody, as they are."""
    if isinstance(x, jax.Array) and x.dtype == dtype and not getattr(x, "weak_type", False):
        return x  # as nearly always: in a tree of thousands of leaves asking jnp adds up
    return x if jnp.issubdtype(dtype, jax.dtypes.extended) else jnp.asarray(x).astype(dtype)


def load(x: jax.Array) -> jax.Array:
    """``x`` in the dtype that arithmetic on it is done in; see `at_least_float32`."""
    return cast(x, at_least_float32(dtype_of(x)))


def dtype_of(x: jax.Array) -> np.dtype:
    """Return the dtype of an array or a number; of an array at once, as ``jnp.result_type`` takes ten times as long."""
    return x.dtype if isinstance(x, jax.Array) else jnp.result_type(x)


def saturate(x: jax.Array) -> jax.Array:
    """``x``, with infinity replaced by the largest finite number; NaN stays NaN."""
    return jnp.minimum(x, jnp.finfo(x.dtype).max)


def plus(h: jax.Array, x: jax.Array) -> jax.Array:
    """``h + x``, saturating, for ``h`` of at least 0.

    The limit is put on ``x``. Put on the sum, it makes XLA's CPU compiler sum up twice, once for the update and once
    for the state, and copy the state in between.
    """
    return h + jnp.minimum(x, jnp.finfo(h.dtype).max - h)


def abs2(g: jax.Array) -> jax.Array:
    """The squared magnitude |g|², real for complex ``g`` too, saturating.

    A float32 gradient above 1.8e19 would square to infinity, and a second moment that is infinite stays so, or turns
    into inf - inf.
    """
    return saturate(g.real * g.real + g.imag * g.imag if jnp.iscomplexobj(g) else g * g)


def mean(x: jax.Array, axes: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> jax.Array:
    """The mean of numbers of at least 0, over all axes or some: of none 0, and finite where their sum overflows."""
    total = jnp.sum(x, axes, keepdims=keepdims)
    return saturate(total) / max(x.size // max(total.size, 1), 1)


@jax.custom_jvp
def sqrt(x: jax.Array) -> jax.Array:
    """The square root, whose derivative at 0 is taken as 0 instead of infinity.

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
    """The sign, of a complex number its direction; NaN where ``x`` is infinite, which the sign alone would hide."""
    return jnp.sign(x) + 0 * x


def bias_correction(beta: Scalar, t: jax.Array) -> jax.Array:
    """1 - beta^t: the weight that an average with decay ``beta`` has gathered after ``t`` >= 1 steps.

    Computed as -expm1(t log(beta)). In float32 the plain formula subtracts two nearly equal numbers, and loses hundreds
    of ulp at beta = 0.999, thousands at 0.9999. Where ``beta`` is a Python number its logarithm is taken in double
    precision, and the result is weakly typed: multiplying an array by it does not change the array's dtype.

    Source: Kingma & Ba (2015), arXiv:1412.6980, §3.
    """
    return -jnp.expm1(t * log(beta))


def log(beta: Scalar) -> Scalar:
    """The logarithm, of a Python number in double precision."""
    if isinstance(beta, jax.Array):
        return jnp.log(beta)
    return math.log(beta) if beta > 0 else -math.inf


def next_step(iter: jax.Array) -> jax.Array:
    """``iter + 1``, an int32 that stays at 2³¹ - 1 once it is there instead of turning negative."""
    return jnp.minimum(iter, jnp.iinfo(iter.dtype).max - 1) + 1
