"""Pictures of paths: still, and moving. They need matplotlib, from the extra ``race``."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxopt_lite.html import thinned
from jaxopt_lite.landscapes.functions import Landscape
from jaxopt_lite.landscapes.relief import grid, scale

# After Okabe & Ito, whose colours the colour-blind can tell apart; the same as in page.html.
COLOURS = ("#d55e00", "#0072b2", "#00815f", "#a8487f", "#2b2b2b", "#b07a00", "#3a9ad0", "#6b6300")
# The ninth path has the first colour and the second marker.
MARKERS = "os^Dv*Ph"
RELIEF = ("#aabfcd", "#dfe7e9", "#fbf9f3")
LEVELS = 16
SIZE = 240
# More markers on one path run into each other, and more frames than these nobody looks at.
MARKED_STEPS = 60
FRAMES = 100
MILLISECONDS, LAST_MILLISECONDS = 80, 2000


def png(landscape: Landscape, paths: Mapping[str, Any], out: str | Path) -> None:
    """Draw paths on the contours of their landscape.

    Args:
        landscape: what was descended.
        paths: the points of each path by the name that the legend gives it; shape (points, 2), NaN where it left.
        out: the file, overwritten.

    Example:
        >>> paths = {"sgd": trajectories(sgd(0.9), LANDSCAPES["book"], [(-7.0, 2.0)], steps=5)[0]}
        >>> png(LANDSCAPES["book"], paths, "paths.png")
    """
    figure, moving = _figure(landscape, paths)
    _show(moving, paths, _last(paths))
    figure.savefig(out, format="png", dpi=150)


def gif(landscape: Landscape, paths: Mapping[str, Any], out: str | Path) -> None:
    """Draw the same as `png` in motion, at most 100 frames, repeated forever; arguments as of `png`.

    Example:
        >>> paths = {"sgd": trajectories(sgd(0.9), LANDSCAPES["book"], [(-7.0, 2.0)], steps=3)[0]}
        >>> gif(LANDSCAPES["book"], paths, "paths.gif")
    """
    from PIL import Image  # noqa: PLC0415 - an extra

    figure, moving = _figure(landscape, paths)
    figure.set_dpi(90)
    # Contours take most of the time: they are drawn once, and what moves on top of them.
    for artist in moving:
        artist.set_animated(True)
    figure.canvas.draw()
    still = figure.canvas.copy_from_bbox(figure.bbox)
    frames = []
    for step in thinned(_last(paths) + 1, FRAMES):
        figure.canvas.restore_region(still)
        _show(moving, paths, step)
        for artist in moving:
            figure.draw_artist(artist)
        frames.append(Image.fromarray(np.array(figure.canvas.buffer_rgba())).convert("RGB"))
    times = [MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    frames[0].save(out, format="GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)


def _last(paths: Mapping[str, Any]) -> int:
    return max(map(len, paths.values())) - 1


def _show(moving: Iterable[Any], paths: Mapping[str, Any], step: int) -> None:
    """Write the step, and give each path its points so far and each head the last of them."""
    text, *lines = moving
    text.set_text(f"step {step}")
    for line, head, path in zip(lines[::2], lines[1::2], paths.values(), strict=True):
        line.set_data(*np.asarray(path)[: step + 1].T)
        head.set_data(*np.asarray(path)[step : step + 1].T)


def _figure(landscape: Landscape, paths: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    """Return a figure of the landscape, and its moving parts: the step's text, a line and a head for each path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 - an extra
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415 - an extra

    (x_low, x_high), (y_low, y_high) = landscape.view
    shape = (y_high - y_low) / (x_high - x_low)
    figure = Figure(figsize=(8, 1 + 5.4 * shape), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15))
    FigureCanvasAgg(figure)  # whatever backend the user has: these figures are for files
    axes = figure.add_subplot()
    heights = scale(landscape)
    height = np.minimum(heights.height(grid(landscape, landscape.view, SIZE)), heights.top)
    levels = np.linspace(0, heights.top, LEVELS + 1)
    places = np.linspace(x_low, x_high, SIZE), np.linspace(y_low, y_high, SIZE)
    axes.contourf(*places, height, levels, cmap=LinearSegmentedColormap.from_list("relief", RELIEF))
    axes.contour(*places, height, levels, colors="#33475b", linewidths=0.4, alpha=0.35)
    moving: list[Any] = [axes.text(0.02, 0.98, "", transform=axes.transAxes, va="top", color="#33475b")]
    for i, (name, path) in enumerate(paths.items()):
        style: dict[str, Any] = {"color": COLOURS[i % 8], "marker": MARKERS[(i + i // 8) % 8]}
        every = max(1, len(path) // MARKED_STEPS)
        moving += axes.plot([], [], **style, lw=1.2, ms=3, mew=0, markevery=every)
        label = f"{name}\n{_end(landscape, path)}"
        moving += axes.plot([], [], **style, lw=1.2, ms=8, mec="white", mew=1, label=label, zorder=4)
    axes.plot(*landscape.start, "o", color="black", mfc="white", ms=8, mew=1.5, ls="", label="start", zorder=3)
    axes.plot(*zip(*landscape.minima, strict=True), "k+", ms=10, mew=1.5, label="minimum", zorder=3)
    axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), aspect="equal", xlabel="x", ylabel="y")
    axes.set_title(f"f(x, y) = {landscape.equation}", fontsize=11, pad=10)
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, labelspacing=1.1)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure, moving


def _end(landscape: Landscape, path: Any) -> str:
    x, y = np.asarray(path)[-1]
    value = float(landscape.at(x, y))
    return f"ends at f = {value:.3g}" if np.isfinite(value) else "diverged"
