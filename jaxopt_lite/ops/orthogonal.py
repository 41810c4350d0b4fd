"""Matrices with singular values near 1, by iterations of products alone, and the lengths of such steps."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxopt_lite.core.arguments import checked_number
from jaxopt_lite.core.hyperparameters import ANY
from jaxopt_lite.ops.matrices import transposed
from jaxopt_lite.ops.norms import length, safe_divide
from jaxopt_lite.ops.numerics import sqrt
from jaxopt_lite.types import Scalar

Method = Literal["newton_schulz", "polar_express"]
Scale = Literal["original", "match_rms_adamw", "spectral"]
Preconditioning = Literal["frobenius", "schatten", "aol"]
Triple = tuple[Scalar, Scalar, Scalar]
Coefficients = Triple | tuple[Triple, ...] | jax.Array | None

MARGIN = {"newton_schulz": 1.0, "polar_express": 1.02}
COEFFICIENTS = {
    "newton_schulz": ((3.4445, -4.7750, 2.0315),),
    "polar_express": (
        (8.15655, -22.4833, 15.8788),
        (4.04293, -2.80892, 0.500018),
        (3.89167, -2.77248, 0.506065),
        (3.28575, -2.36813, 0.464490),
        (2.34654, -1.70978, 0.423236),
    ),
}


def in_triples(name: str, coefficients: Any) -> tuple[Triple, ...] | None:
    """Return the coefficients a, b, c of each step; one triple for all steps is returned in a tuple.

    Raises:
        TypeError: a coefficient is not a number in a tuple, list or array.
        ValueError: the coefficients are not in threes, or a number is not finite.
    """
    if coefficients is None:
        return None
    where = f"{name}: coefficients"
    rows = coefficients if _has_axis(coefficients) and all(map(_has_axis, coefficients)) else (coefficients,)
    if not len(rows) or not all(_has_axis(row) and len(row) == 3 for row in rows):
        raise ValueError(f"{where} must be a triple a, b, c, or one for each step, not {coefficients!r}")
    return tuple(tuple(checked_number(where, x, ANY) for x in row) for row in rows)


def _has_axis(x: Any) -> bool:
    return isinstance(x, tuple | list) or getattr(x, "ndim", 0) > 0


def orthogonal(
    x: jax.Array,
    method: Method,
    steps: int,
    bfloat16: bool = False,
    coefficients: tuple[Triple, ...] | None = None,
    preconditioning: Preconditioning = "frobenius",
) -> jax.Array:
    """Return each matrix with singular values near 1 and unchanged singular vectors; 0 stays 0.

        X ← x / (margin ‖x‖)
        X ← a X + (b A + c A A) X      A = X Xᴴ of the wide orientation; ``steps`` times

    Args:
        x: a stack of matrices.
        method: "newton_schulz" has the same a, b, c in each step. In five steps, it brings singular values above 0.003
            of the norm into [0.68, 1.20]. "polar_express" has better coefficients for each step, and repeats the last:
            [0.86, 1.14].
        steps: the number of steps.
        bfloat16: multiply in bfloat16 and add in float32. This is faster only on processors with bfloat16 products.
        coefficients: a, b, c of each step instead of the method's; the last triple repeats, and the margin is 1.
        preconditioning: a second divisor of x, so that fewer singular values are small at first. "schatten": the root
            of ‖A‖. "aol": for each row, the root of its sum of |A|.

    Source: Jordan et al. (2024), kellerjordan.github.io/posts/muon; Amsel et al. (2025), arXiv:2505.16932; "schatten":
    Grishina et al. (2025), arXiv:2506.10935; "aol": Boissin et al. (2025), arXiv:2512.04632.
    """

    def product(a, b):
        if bfloat16 and not jnp.iscomplexobj(a):  # no complex dtype has bfloat16 parts
            return jnp.matmul(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), preferred_element_type=jnp.float32)
        return a @ b

    tall = x.shape[-2] > x.shape[-1]
    x = transposed(x) if tall else x
    margin = MARGIN[method] if coefficients is None else 1
    x = safe_divide(x, margin * length(x))  # in every case, so that no square overflows
    if preconditioning != "frobenius":
        gram = x @ transposed(x)
        squares = length(gram) if preconditioning == "schatten" else jnp.sum(jnp.abs(gram), -1, keepdims=True)
        x = safe_divide(x, margin * sqrt(squares))
    each_step = COEFFICIENTS[method] if coefficients is None else coefficients
    for a, b, c in (each_step + each_step[-1:] * steps)[:steps]:
        gram = product(x, transposed(x))
        x = a * x + product(b * gram + c * product(gram, gram), x)
    return transposed(x) if tall else x


def relative_scale(shape: tuple[int, ...], scale: Scale) -> float:
    """Return a factor for an orthogonal matrix: a rule of thumb for the dependence of lr on the shape."""
    fan_in, fan_out = shape[-2:]
    if scale == "match_rms_adamw":
        return float(0.2 * max(fan_in, fan_out) ** 0.5)
    ratio = fan_out / fan_in
    return float((max(1, ratio) if scale == "original" else ratio) ** 0.5)
