"""The functions to descend, each with a view, a start, and learning rates at which one sees how optimizers differ.

Rosenbrock's is from Rosenbrock (1960), The Computer Journal 3(3), from its own start; Beale's from Beale (1958),
Princeton technical report 25; Himmelblau's from Himmelblau (1972), Applied Nonlinear Programming; Rastrigin's from
Rastrigin (1974), Systems of Extremal Control, in the plane. The book's, with its start and rates, is from Deep Learning
from Scratch, §6.1. The other rates were found by trying.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Point = tuple[float, float]


class Landscape(NamedTuple):
    """A function of two numbers, and how to look at it.

    Attributes:
        name: in lower case.
        formula: the function of x and y, real arrays of one shape; what comes back has that shape.
        view: the part of the plane that is shown, ((lowest x, highest x), (lowest y, highest y)).
        start: where paths begin, (x, y).
        minima: all points where it is lowest.
        lrs: a learning rate for sgd, momentum, adagrad and adam, by name.
        equation: the formula as text.
    """

    name: str
    formula: Callable[[Any, Any], Any]
    view: tuple[Point, Point]
    start: Point
    minima: tuple[Point, ...]
    lrs: Mapping[str, float]
    equation: str

    def f(self, params: dict[str, Any]) -> Any:
        """Return the height at ``{"x": …, "y": …}``."""
        return self.formula(params["x"], params["y"])

    def at(self, x: Any, y: Any) -> jax.Array:
        """Return the heights at points, in JAX's precision."""
        return jnp.asarray(self.formula(jnp.asarray(x), jnp.asarray(y)))

    def starting_at(self, x: float, y: float) -> "Landscape":
        """Return the same landscape with another start.

        Raises:
            ValueError: the start is outside the view.
        """
        (x_low, x_high), (y_low, y_high) = self.view
        if not (x_low <= x <= x_high and y_low <= y <= y_high):
            raise ValueError(
                f"{self.name}: the start must be in the view, x in [{x_low:g}, {x_high:g}] and y in "
                f"[{y_low:g}, {y_high:g}], not ({x:g}, {y:g})"
            )
        return self._replace(start=(x, y))


def _rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _himmelblau(x: Any, y: Any) -> Any:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _rastrigin(x: Any, y: Any) -> Any:
    return 20 + x**2 + y**2 - 10 * (jnp.cos(2 * jnp.pi * x) + jnp.cos(2 * jnp.pi * y))


def _book(x: Any, y: Any) -> Any:
    return x**2 / 20 + y**2


LANDSCAPES = {
    landscape.name: landscape
    for landscape in (
        Landscape(
            name="rosenbrock",
            formula=_rosenbrock,
            view=((-2.0, 2.0), (-1.0, 3.0)),
            start=(-1.2, 1.0),
            minima=((1.0, 1.0),),
            lrs={"sgd": 0.001, "momentum": 0.001, "adagrad": 0.3, "adam": 0.2},
            equation="(1 - x)² + 100 (y - x²)²",
        ),
        Landscape(
            name="beale",
            formula=_beale,
            view=((-4.5, 4.5), (-4.5, 4.5)),
            start=(1.0, 1.5),
            minima=((3.0, 0.5),),
            lrs={"sgd": 0.01, "momentum": 0.003, "adagrad": 0.5, "adam": 0.3},
            equation="(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²",
        ),
        Landscape(
            name="himmelblau",
            formula=_himmelblau,
            view=((-6.0, 6.0), (-6.0, 6.0)),
            start=(-0.2, -0.8),
            # The roots of x² + y = 11, x + y² = 7.
            minima=(
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.283185991286170),
                (3.584428340330492, -1.848126526964404),
            ),
            lrs={"sgd": 0.01, "momentum": 0.002, "adagrad": 0.5, "adam": 0.3},
            equation="(x² + y - 11)² + (x + y² - 7)²",
        ),
        Landscape(
            name="rastrigin",
            formula=_rastrigin,
            view=((-5.12, 5.12), (-5.12, 5.12)),
            start=(-4.45, -2.4),
            minima=((0.0, 0.0),),
            lrs={"sgd": 0.001, "momentum": 0.003, "adagrad": 0.5, "adam": 0.3},
            equation="20 + x² + y² - 10 (cos 2πx + cos 2πy)",
        ),
        Landscape(
            name="book",
            formula=_book,
            view=((-10.0, 10.0), (-5.0, 5.0)),
            start=(-7.0, 2.0),
            minima=((0.0, 0.0),),
            lrs={"sgd": 0.95, "momentum": 0.1, "adagrad": 1.5, "adam": 0.3},
            equation="x²/20 + y²",
        ),
    )
}
"""The landscapes that come along, by name."""
