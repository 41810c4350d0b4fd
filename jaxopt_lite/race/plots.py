"""Pictures of a race. Needs matplotlib, from the extra ``race``."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from jaxopt_lite.race import ranking
from jaxopt_lite.race.ranking import Ranked
from jaxopt_lite.race.statistics import curve


class Picture(Figure):
    """A figure that draws itself in a notebook, whatever backend is chosen there."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=120)
        return file.getvalue()


def curves(result: Ranked, path: str | Path | None) -> Any:
    """Draw the learning curve of each optimizer at its best rate, best first; see `Result.plot`."""
    axes = _axes("step", f"{result.measure} ({result.better})")
    for row in result.rows:
        label = row.name if np.isnan(row.lr) else f"{row.name}, lr {row.lr:.3g}"
        axes.plot(*curve(result, row.lane), label=label)
    return _finished(axes, result, path)


def rates(result: Ranked, path: str | Path | None) -> Any:
    """Draw the score of each optimizer against the learning rate; see `Result.plot_lr`.

    Lanes that were taken out are hollow, at what they were worth then; lanes that diverged are left out.
    """
    axes = _axes("learning rate", f"{result.measure} ({result.better})")
    axes.set_xscale("log")
    last = result.reached.max()
    for row in result.rows:
        best = {lr: i for lr, i in ranking.by_rate(result, row.name).items() if lr > 0 and not result.diverged[i]}
        lrs, lanes = list(best), list(best.values())
        scores, full = result.scores.mean(-1)[lanes], result.reached[lanes] == last
        (line,) = axes.plot(lrs, scores, "-", linewidth=1, label=row.name)
        for there, face in ((full, line.get_color()), (~full, "none")):
            axes.plot(np.array(lrs)[there], scores[there], "o", color=line.get_color(), markerfacecolor=face)
    return _finished(axes, result, path)


def _axes(x: str, y: str) -> Any:
    # A figure of its own, so that nobody's choice of a backend is changed.
    axes = Picture(figsize=(7, 4.5), layout="constrained").subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return axes


def _finished(axes: Any, result: Ranked, path: str | Path | None) -> Any:
    drawn = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    if result.mode == "min" and np.all(drawn[np.isfinite(drawn)] > 0):
        axes.set_yscale("log")
    axes.figure.legend(loc="outside right upper")  # where it covers no curve
    if path is not None:
        axes.figure.savefig(path, dpi=120)
    return axes.figure
