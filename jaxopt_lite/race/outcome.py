"""What a race leaves: the raw arrays, and what they say of each lane."""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from jaxopt_lite.core import Optimizer


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
class Outcome:
    """The outcome of a race, or of its part so far.

    Attributes:
        lanes: the optimizers, one for each learning rate.
        losses: the loss before each step, on that step's batch; shape (lanes, seeds, steps), NaN from where a lane was
            taken out, or the race stopped.
        values: by ``eval`` at the ``marks``; shape (lanes, seeds, marks), NaN likewise.
        marks: after how many steps ``eval`` was asked, and lanes were judged.
        reached: how many steps each lane has taken.
        evaluated: whether the ranking is by ``values``; else it is by the mean loss of the last tenth of the steps.
        tested: by ``eval`` of ``test_data`` at the end, or None; shape (lanes, seeds), NaN where a lane was taken out.
        metric: the name of what ``eval`` returns.
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
    metric: str = "eval"
    tested: np.ndarray | None = None
    target: float | None = None
    seeds: tuple[int, ...] = ()
    seconds: float = 0.0
    compile_seconds: float = 0.0
    lane_steps: int = 0
    stopped: str = ""

    @functools.cached_property
    def diverged(self) -> np.ndarray:
        """Return whether a lane's loss, or its value, was NaN or infinite for any seed; shape (lanes,)."""
        steps = np.arange(self.losses.shape[-1]) < self.reached[:, None]
        wrong = (~np.isfinite(self.losses) & steps[:, None]).any((1, 2))
        if self.evaluated:
            marks = self.marks <= self.reached[:, None]
            wrong |= (~np.isfinite(self.values) & marks[:, None]).any((1, 2))
        return np.asarray(wrong)

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """Return the score of each lane when it stopped, for each seed; shape (lanes, seeds).

        It is the last of its ``values`` where those count; else the mean loss of the last tenth of its steps.
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

    @property
    def final(self) -> np.ndarray:
        """Return the scores of the table: those of the test data where there are any, else ``scores``."""
        return self.scores if self.tested is None else self.tested

    @property
    def better(self) -> str:
        """Return which way is better, in words."""
        return "lower is better" if self.mode == "min" else "higher is better"

    @property
    def measure(self) -> str:
        """Return the name of the number that lanes are judged by in the course of the race."""
        if not self.evaluated:
            return "training loss"
        return self.metric if self.tested is None else f"validation {self.metric}"

    @property
    def judged_by(self) -> str:
        """Return the name of the score in the table."""
        return self.measure if self.tested is None else f"test {self.metric}"
