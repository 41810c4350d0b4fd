"""What pictures and pages show of a function: its values on a grid, and the scale on which its height is drawn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxopt_lite.landscapes.functions import Landscape, Point


class Scale(NamedTuple):
    """Height is log(1 + (f - low) / unit), so that a narrow valley shows as well as the cliffs around it.

    ``top``: the height that next to nothing in the view exceeds.
    """

    low: float
    unit: float
    top: float

    def height(self, f: np.ndarray) -> np.ndarray:
        """Return the height of each value."""
        return np.log1p(np.maximum(f - self.low, 0) / self.unit)


def grid(landscape: Landscape, box: Sequence[Point], size: int) -> np.ndarray:
    """Return the values on ``size`` × ``size`` points of a box, ends included: row by row, y rising."""
    x, y = np.meshgrid(*(np.linspace(low, high, size) for low, high in box))
    return np.asarray(landscape.at(x, y))


def scale(landscape: Landscape) -> Scale:
    """Return the scale of the values in a landscape's view."""
    f = grid(landscape, landscape.view, 101)
    at_minima = [float(landscape.at(x, y)) for x, y in landscape.minima]
    low = min(float(f.min()), *at_minima)
    unit = float(np.quantile(f, 0.05)) - low or 1.0
    return Scale(low, unit, float(np.log1p((np.quantile(f, 0.995) - low) / unit)))
