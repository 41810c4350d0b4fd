"""The result of a race: ways to keep it and to show it."""

import base64
import csv
import dataclasses
import json
import math
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxopt_lite.race import report, table
from jaxopt_lite.race.notebook import Page, Text, table_html
from jaxopt_lite.race.outcome import Lane
from jaxopt_lite.race.ranking import Ranked

FORMAT = 2


class Result(Ranked):
    """The result of a race, or of its part so far; see `Outcome` for its attributes."""

    def table(self) -> str:
        """Return the table as text."""
        return Text(table.text(self))

    def __str__(self) -> str:
        return table.text(self)

    def __repr__(self) -> str:
        return f"a race of {len(self.rows)} optimizers: {self.verdict}"

    def _repr_html_(self) -> str:
        pictures = ""
        if find_spec("matplotlib"):
            from jaxopt_lite.race import plots  # noqa: PLC0415 - an extra

            for draw in (plots.curves, plots.rates):
                data = base64.b64encode(draw(self, None)._repr_png_()).decode()
                pictures += f'<img src="data:image/png;base64,{data}" style="max-width: 100%" alt="">'
        return table_html(self) + pictures

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the learning curve of each optimizer at its best rate; needs matplotlib, from the extra ``race``.

        Args:
            path: where to save it, or None.

        Returns:
            The ``matplotlib.figure.Figure``, which a notebook draws.
        """
        from jaxopt_lite.race import plots  # noqa: PLC0415 - an extra

        return plots.curves(self, path)

    def plot_lr(self, path: str | Path | None = None) -> Any:
        """Draw the score of each optimizer against the learning rate; arguments and needs as of ``plot``."""
        from jaxopt_lite.race import plots  # noqa: PLC0415 - an extra

        return plots.rates(self, path)

    def report(self, path: str | Path | None = None) -> Page | None:
        """Write a page that needs nothing but a browser: table, curves, and scores against learning rates.

        Args:
            path: where to save it; without one, the page is returned, and a notebook shows it.
        """
        page = Page(report.page(self))
        if path is None:
            return page
        Path(path).write_text(page, encoding="utf-8")
        return None

    def to_csv(self, path: str | Path) -> None:
        """Write one line for each lane and seed: name, lr, seed, steps, score, diverged, call."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "lr", "seed", "steps", "score", "diverged", "call"])
            for i, lane in enumerate(self.lanes):
                for seed, score in zip(self.seeds, self.scores[i], strict=True):
                    writer.writerow([lane.name, lane.lr, seed, self.reached[i], score, self.diverged[i], lane.call])

    def as_dict(self) -> dict[str, Any]:
        """Return the result without its curves, as JSON can hold it; NaN and infinities are None."""
        rows = [row._asdict() for row in self.rows]
        lanes = [
            {"name": lane.name, "lr": lane.lr, "call": lane.call, "bytes": lane.bytes, "steps": int(reached)}
            | {"scores": scores.tolist(), "diverged": bool(diverged)}
            for lane, reached, scores, diverged in zip(
                self.lanes, self.reached, self.scores, self.diverged, strict=True
            )
        ]
        names = ("steps", "seeds", "mode", "evaluated", "seconds", "compile_seconds", "lane_steps", "stopped")
        about = {name: getattr(self, name) for name in names}
        best = None if self.diverged[self.rows[0].lane] else self.lanes[self.rows[0].lane].call
        return _without_nan({"best": best, "rows": rows, "lanes": lanes, "target": self.aim, **about})

    def save(self, path: str | Path) -> None:
        """Write an .npz file of the arrays and a text in JSON, without pickles. The optimizers are kept as calls."""
        meta = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _ARRAYS}
        meta |= {"format": FORMAT, "lanes": [lane._replace(opt=None) for lane in self.lanes]}
        arrays = {name: x for name in _ARRAYS if (x := getattr(self, name)) is not None}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, meta=json.dumps(meta), **arrays)


_ARRAYS = ("losses", "values", "marks", "reached", "tested")


def _without_nan(x: dict[str, Any]) -> dict[str, Any]:
    as_json: dict[str, Any] = jax.tree.map(lambda y: None if isinstance(y, float) and not math.isfinite(y) else y, x)
    return as_json


def load(path: str | Path) -> Result:
    """Return the result that ``save`` wrote.

    Raises:
        ValueError: the file is something else.

    Example:
        >>> result = race(lambda x: x**2, 1.0, None, ["sgd"], [0.1], steps=24, show=None)
        >>> result.save("race.npz")
        >>> print(load("race.npz").line)
        opt = jaxopt_lite.sgd(lr=0.1)
    """
    try:
        with Path(path).open("rb") as file, np.load(file) as arrays:
            meta = json.loads(str(arrays["meta"]))
            if meta.pop("format") != FORMAT:
                raise KeyError("format")
            lanes = tuple(Lane(*lane) for lane in meta.pop("lanes"))
            seeds = tuple(meta.pop("seeds"))
            return Result(
                lanes=lanes, seeds=seeds, **{name: arrays[name] for name in _ARRAYS if name in arrays}, **meta
            )
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"race: {path} is no result of a race: {error}") from None
