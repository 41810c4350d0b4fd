"""A line search: the length of a step along a direction."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.ops.norms import safe_divide
from jaxopt_lite.ops.numerics import saturate, sqrt
from jaxopt_lite.types import Scalar, Tree


class Point(NamedTuple):
    """A point of the line: ``t`` along it, and the function's ``value`` and ``slope`` there."""

    t: jax.Array
    value: jax.Array
    slope: jax.Array


class Search(NamedTuple):
    """``low``: the best point so far, with its gradient. ``far``: the other end of the interval, once ``bracketed``.

    ``found``: ``low`` satisfies the conditions. ``evaluations``: the number of evaluated points. ``t``: the next point.
    """

    low: Point
    grad: Tree
    far: Point
    bracketed: jax.Array
    found: jax.Array
    evaluations: jax.Array
    t: jax.Array


def zoom(
    look: Callable[[jax.Array], tuple[Point, Tree]],
    start: Point,
    grad: Tree,
    t: jax.Array,
    *,
    c1: Scalar,
    c2: Scalar,
    most: int,
) -> Search:
    """Search for a point that satisfies the strong Wolfe conditions, and return the end of the search.

        value ≤ value₀ + c1 t slope₀          enough descent for the distance
        |slope| ≤ c2 |slope₀|                 and little slope left

    Steps grow until such a point lies between two others. Then their interval shrinks, by cubic interpolation.

    Args:
        look: a function that returns the point at ``t``, and the gradient there.
        start: the point at 0, with a negative slope.
        grad: the gradient at the start.
        t: the first point to evaluate.
        c1: the least descent, as a share of the descent that the first slope promises.
        c2: the largest slope at the end, as a share of the first slope.
        most: the largest number of evaluations.

    Returns:
        The end of the search. If no point is found, ``low`` is the lowest point with enough descent, or the start.

    Source: Nocedal & Wright (2006), "Numerical Optimization", algorithms 3.5 and 3.6. A value that is not finite counts
    as too high. Within 10 ulp of value₀, rounding hides a descent: slopes alone decide, as in Hager & Zhang (2005).
    """
    rounding = 10 * jnp.finfo(start.value.dtype).eps * jnp.abs(start.value)

    def step(search: Search) -> Search:
        low, grad, far, bracketed, _, evaluations, t = search
        new, new_grad = look(t)
        hidden = (jnp.abs(new.value - start.value) <= rounding) & (new.slope <= (2 * c1 - 1) * start.slope)
        enough = (new.value <= start.value + c1 * t * start.slope) & (new.value < low.value)
        good = (enough | hidden) & jnp.isfinite(new.value)
        found = good & (jnp.abs(new.slope) <= -c2 * start.slope)
        # At a good point, ``far`` stays if the function falls towards it. Otherwise the old ``low`` becomes ``far``.
        onward = new.slope * jnp.where(bracketed, far.t - low.t, 1) < 0
        minimum = cubic_minimum(low, new, rounding)
        # Without curvature the distance is unknown, so each growth is four times the growth before.
        growth = jnp.where(jnp.isfinite(minimum), 4.0, 4.0 ** jnp.minimum(evaluations + 1, 20).astype(t.dtype))
        beyond = saturate(jnp.clip(minimum, t + 1.1 * (t - low.t), t + growth * (t - low.t)))
        far = pick(good, pick(onward, far, low), new)
        bracketed = bracketed | ~good | ~onward
        low, grad = pick(good, (new, new_grad), (low, grad))
        near, away = jnp.minimum(low.t, far.t), jnp.maximum(low.t, far.t)
        margin = 0.1 * (away - near)
        within = jnp.clip(cubic_minimum(low, far, rounding), near + margin, away - margin)
        within = jnp.where(jnp.isfinite(within), within, 0.5 * (near + away))
        return Search(low, grad, far, bracketed, found, evaluations + 1, jnp.where(bracketed, within, beyond))

    no = jnp.zeros((), bool)
    first = Search(start, grad, start, no, no, jnp.zeros((), jnp.int32), t)
    return jax.lax.while_loop(lambda search: ~search.found & (search.evaluations < most), step, first)


def pick(first: jax.Array, a: Any, b: Any) -> Any:
    """Return ``a`` where ``first`` holds, and ``b`` elsewhere."""
    return jax.tree.map(lambda x, y: jnp.where(first, x, y), a, b)


def cubic_minimum(a: Point, b: Point, rounding: jax.Array | float = 0.0) -> jax.Array:
    """Return the minimum of the cubic through two points with their slopes; it may lie beyond the points.

    Values that differ by at most ``rounding`` say nothing. Then slopes alone decide, as if they changed evenly.
    A cubic without a minimum (a straight line) gives infinity.
    """
    width, rise = b.t - a.t, b.value - a.value
    is_hidden = jnp.abs(rise) <= rounding
    # The three slopes are divided by the largest, so that their squares are finite. The limit keeps sums finite.
    most = jnp.finfo(width.dtype).max / 8
    both = a.slope + b.slope
    d1 = jnp.where(is_hidden, -0.5 * both, jnp.clip(both - safe_divide(3 * rise, width), -most, most))
    unit = jnp.maximum(jnp.abs(d1), jnp.maximum(jnp.abs(a.slope), jnp.abs(b.slope)))
    inside = safe_divide(d1, unit) ** 2 - safe_divide(a.slope, unit) * safe_divide(b.slope, unit)
    d2 = jnp.sign(width) * unit * sqrt(jnp.maximum(inside, 0))
    below = b.slope - a.slope + 2 * d2
    return jnp.where(below == 0, jnp.inf, b.t - safe_divide(width * (b.slope + d2 - d1), below))
