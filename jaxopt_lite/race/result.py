"""What a race leaves: curves, the table, the winner, and ways to keep and to show them."""

import csv
import dataclasses
import functools
import json
import math
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxopt_lite.protocol import Optimizer
from jaxopt_lite.race import ranking

FORMAT = 1


class Lane(NamedTuple):
    """One optimizer at one learning rate.

    ``call``: the line that makes it. ``opt``: the optimizer, None once it has been loaded from a file. ``lr``: NaN
    where it has none of its own. ``bytes``: of its state.
    """

    name: str
    lr: float
    call: str
    bytes: int
    opt: Optimizer | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """The result of a race, or of its part so far.

    Attributes:
        lanes: the optimizers, one for each learning rate.
        losses: the loss before each step, on that step's batch; shape (lanes, seeds, steps), NaN from where a lane was
            taken out, or the race stopped.
        values: by ``eval`` at the ``marks``; shape (lanes, seeds, marks), NaN likewise.
        marks: after how many steps ``eval`` was asked, and lanes were judged.
        reached: how many steps each lane has taken.
        evaluated: whether the ranking is by ``values``; else it is by the mean loss of the last tenth of the steps.
        steps: how many were planned.
        mode: "min" if lower is better, or "max".
        target: what ``race`` was given, or None.
        seeds: which.
        seconds: in all, of which ``compile_seconds`` went into compiling.
        lane_steps: steps of one lane for one seed that were computed; all of them would be lanes × seeds × steps.
        stopped: why it stopped before its last step, or "".
    """

    lanes: tuple[Lane, ...]
    losses: np.ndarray
    values: np.ndarray
    marks: np.ndarray
    reached: np.ndarray
    evaluated: bool
    steps: int
    mode: str = "min"
    target: float | None = None
    seeds: tuple[int, ...] = ()
    seconds: float = 0.0
    compile_seconds: float = 0.0
    lane_steps: int = 0
    stopped: str = ""

    @functools.cached_property
    def diverged(self) -> np.ndarray:
        """Whether a lane's loss, or its value, was NaN or infinite for any seed; shape (lanes,)."""
        steps = np.arange(self.losses.shape[-1]) < self.reached[:, None]
        wrong = (~np.isfinite(self.losses) & steps[:, None]).any((1, 2))
        if self.evaluated:
            marks = self.marks <= self.reached[:, None]
            wrong |= (~np.isfinite(self.values) & marks[:, None]).any((1, 2))
        return np.asarray(wrong)

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """What each lane was worth when it stopped, for each seed; shape (lanes, seeds).

        The last of its ``values`` where those count, else the mean loss of the last tenth of the steps that it took.
        """
        scores = np.full(self.losses.shape[:2], np.nan)
        for reached in np.unique(self.reached[self.reached > 0]):
            mine = self.reached == reached
            if self.evaluated:
                scores[mine] = self.values[mine][..., self.marks <= reached][..., -1]
            else:
                with np.errstate(all="ignore"):  # what has diverged may overflow once more
                    scores[mine] = self.losses[mine, :, reached - max(1, reached // 10) : reached].mean(-1)
        return scores

    @functools.cached_property
    def ranked(self) -> list[int]:
        """The numbers of all lanes, best first."""
        return ranking.ranked(self)

    @property
    def judged_by(self) -> str:
        """What the ranking is by, in a word or two."""
        return "eval" if self.evaluated else "training loss"

    @functools.cached_property
    def rows(self) -> list[ranking.Row]:
        """The table: one row for each optimizer at its best learning rate, best first."""
        return ranking.rows_of(self)

    @property
    def aim(self) -> float:
        """The score that the table counts the steps to: ``target``, or what is 10% worse than the winner's."""
        return ranking.aim(self, self.rows[0].lane)

    @property
    def best(self) -> Optimizer:
        """The winner, at its learning rate, to be used as it is.

        Raises:
            ValueError: every lane diverged, or the race was loaded from a file, which holds its call only.
        """
        lane = self.lanes[self._winner]
        if lane.opt is None:
            raise ValueError(f"race: a file keeps no optimizers, only how they are made: {lane.call}")
        return lane.opt

    @property
    def line(self) -> str:
        """The winner as a line to paste; where it cannot tell how it was made, by its name."""
        call = self.lanes[self._winner].call
        return f"opt = {call}" if call.endswith(")") and "…" not in call else f"opt = result.best  # {call}"

    @property
    def _winner(self) -> int:
        if self.diverged[self.rows[0].lane]:
            raise ValueError("race: every lane diverged, so that none is best; try lower learning rates")
        return self.rows[0].lane

    @property
    def curves(self) -> dict[str, dict[float, tuple[np.ndarray, np.ndarray]]]:
        """By name and learning rate: steps, and what the best lane at that rate is judged by there, mean over seeds."""
        return {
            row.name: {lr: ranking.curve(self, lane) for lr, lane in ranking.by_rate(self, row.name).items()}
            for row in self.rows
        }

    def table(self) -> str:
        """The table as text."""
        from jaxopt_lite.race import show  # noqa: PLC0415 - shows results

        return show.text(self)

    def __str__(self) -> str:
        return self.table()

    def plot(self, path: str | Path | None = None) -> Any:
        """Draws the learning curve of each optimizer at its best rate; needs matplotlib, from the extra ``race``.

        Args:
            path: where to save it, or None.

        Returns:
            The ``matplotlib.axes.Axes``.
        """
        from jaxopt_lite.race import plots  # noqa: PLC0415 - an extra

        return plots.curves(self, path)

    def plot_lr(self, path: str | Path | None = None) -> Any:
        """Draws the score of each optimizer against the learning rate; arguments and needs as of ``plot``."""
        from jaxopt_lite.race import plots  # noqa: PLC0415 - an extra

        return plots.rates(self, path)

    def report(self, path: str | Path) -> None:
        """Writes a page that needs nothing but a browser: table, curves, and scores against learning rates."""
        from jaxopt_lite.race import report  # noqa: PLC0415 - shows results

        Path(path).write_text(report.page(self), encoding="utf-8")

    def to_csv(self, path: str | Path) -> None:
        """Writes one line for each lane and seed: name, lr, seed, steps, score, diverged, call."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "lr", "seed", "steps", "score", "diverged", "call"])
            for i, lane in enumerate(self.lanes):
                for seed, score in zip(self.seeds, self.scores[i], strict=True):
                    writer.writerow([lane.name, lane.lr, seed, self.reached[i], score, self.diverged[i], lane.call])

    def as_dict(self) -> dict[str, Any]:
        """The result without its curves as what JSON can hold; NaN and infinities are None."""
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
        """Writes an .npz file of the arrays and a text in JSON, without pickles. The optimizers are kept as calls."""
        meta = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _ARRAYS}
        meta |= {"format": FORMAT, "lanes": [lane._replace(opt=None) for lane in self.lanes]}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, meta=json.dumps(meta), **{name: getattr(self, name) for name in _ARRAYS})


_ARRAYS = ("losses", "values", "marks", "reached")


def _without_nan(x: dict[str, Any]) -> dict[str, Any]:
    as_json: dict[str, Any] = jax.tree.map(lambda y: None if isinstance(y, float) and not math.isfinite(y) else y, x)
    return as_json


def load(path: str | Path) -> Result:
    """The result that ``save`` wrote.

    Raises:
        ValueError: the file is something else.
    """
    try:
        with Path(path).open("rb") as file, np.load(file) as arrays:
            meta = json.loads(str(arrays["meta"]))
            if meta.pop("format") != FORMAT:
                raise KeyError("format")
            lanes = tuple(Lane(*lane) for lane in meta.pop("lanes"))
            seeds = tuple(meta.pop("seeds"))
            return Result(lanes=lanes, seeds=seeds, **{name: arrays[name] for name in _ARRAYS}, **meta)
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"race: {path} is no result of a race: {error}") from None
