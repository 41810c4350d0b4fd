"""The page: one file that shows the paths of optimizers from wherever its reader clicks."""

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.core.value import call_of
from jaxopt_lite.html import filled, thinned
from jaxopt_lite.landscapes.functions import Landscape, Point
from jaxopt_lite.landscapes.relief import grid, scale
from jaxopt_lite.landscapes.trajectories import trajectories

MOST_POINTS = 100
MOST_STARTS = 33
# Of all paths and their last values, before base64 makes four bytes of three: the page stays below a megabyte and a
# half.
BYTES = 950_000
SIZE = 160
# A coordinate is one of 65535 places across the box; the code after the last is anywhere outside, or nowhere.
LAST_CODE, OUTSIDE = 65534, 65535


def page(landscape: Landscape, opts: Mapping[str, Optimizer], steps: int) -> str:
    """Return a page on which one chooses the start and watches the paths from there.

    The paths are computed here, from a grid of starts, and are part of the page: it needs nothing else, and no network.
    Of many steps it keeps 100 points of each path, the first and the last among them; of many optimizers, fewer starts.

    Args:
        landscape: what is descended; its start, which is on the grid, is where the page begins.
        opts: the optimizers, by the names that the page gives them.
        steps: how many updates are taken.

    Returns:
        The text of an HTML file, below 1.5 MB.

    Example:
        >>> html = page(LANDSCAPES["book"], {"sgd": sgd(0.9)}, steps=3)
        >>> print(html[:15])
        <!DOCTYPE html>
    """
    kept = thinned(steps + 1, MOST_POINTS)
    side = min(MOST_STARTS, math.isqrt(BYTES // (4 * (len(kept) + 1) * len(opts))))
    xs, ys = (_through(at, *ends, side) for at, ends in zip(landscape.start, landscape.view, strict=True))
    starts = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    box = tuple((low - (high - low) / 4, high + (high - low) / 4) for low, high in landscape.view)
    paths = [trajectories(opt, landscape, starts, steps)[:, kept] for opt in opts.values()]
    ends = [landscape.at(path[:, -1, 0], path[:, -1, 1]) for path in paths]
    data = {
        "name": landscape.name,
        "equation": landscape.equation,
        "view": landscape.view,
        "box": box,
        "minima": landscape.minima,
        "scale": scale(landscape)._asdict(),
        "size": SIZE,
        "values": _text(grid(landscape, box, SIZE), "<f4"),
        "optimizers": [{"name": name, "call": call_of(opt).replace("jaxopt_lite.", "")} for name, opt in opts.items()],
        "steps": kept.tolist(),
        "columns": xs.tolist(),
        "rows": ys.tolist(),
        "start": [int(np.abs(values - at).argmin()) for values, at in zip((xs, ys), landscape.start, strict=True)],
        "paths": _text(np.stack([_codes(path, box) for path in paths]), "<u2"),
        "ends": _text(np.stack(ends), "<f4"),
    }
    return filled(Path(__file__).with_name("page.html"), data)


def _through(at: float, low: float, high: float, count: int) -> np.ndarray:
    """Return at most ``count`` numbers at equal distances from ``low`` to ``high``, ``at`` among them."""
    distance = (high - low) / (count - 1)
    return at + distance * np.arange(math.ceil((low - at) / distance), math.floor((high - at) / distance) + 1)


def _codes(points: np.ndarray, box: Sequence[Point]) -> np.ndarray:
    low, high = np.array(box).T
    # One that is far outside is as well outside by one box.
    places = (np.clip(points, 2 * low - high, 2 * high - low) - low) / (high - low) * LAST_CODE
    inside = ((places >= 0) & (places <= LAST_CODE)).all(-1, keepdims=True)
    return np.where(inside, np.where(inside, places, 0).round(), OUTSIDE)


def _text(array: Any, dtype: str) -> str:
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite in it
        return base64.b64encode(np.asarray(array).astype(dtype).tobytes()).decode()
