"""What has happened in a race so far, and the result of it."""

import time

import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.value import call_of
from jaxopt_lite.race.outcome import Lane
from jaxopt_lite.race.ranking import MARK_COUNT
from jaxopt_lite.race.result import Result
from jaxopt_lite.race.track import Track

# Steps that a program can take in one go, so that its memory does not grow with the race.
LONGEST_PROGRAM = 1024


class Record:
    """What has happened in a race so far."""

    def __init__(self, track: Track, steps: int, mode: str, target: float | None, began: float) -> None:
        self.track, self.steps, self.mode, self.target, self.began = track, steps, mode, target, began
        self.lanes = tuple(
            Lane(e.name, float(lr), call or call_of(opt), bytes_, opt)
            for e, bytes_ in zip(track.entrants, track.bytes(), strict=True)
            for opt, lr, call in zip(e.lanes, e.lrs, e.calls, strict=True)
        )
        shape = len(self.lanes), len(track.task.seeds)
        self.marks = np.unique([max(1, steps * k // MARK_COUNT) for k in range(1, MARK_COUNT + 1)])
        self.losses = np.full((*shape, min(steps, LONGEST_PROGRAM)), np.nan, jnp.result_type(float))
        self.values = np.full((*shape, len(self.marks)), np.nan, jnp.result_type(float))
        self.reached = np.zeros(shape[0], int)
        self.step = self.lane_steps = 0
        self.stopped = ""
        self.tested: np.ndarray | None = None

    def add(self, losses: np.ndarray, values: np.ndarray, running: np.ndarray, places: int) -> None:
        """Add the losses of some steps, and the values after them, of the lanes that still run."""
        count = losses.shape[-1]
        if self.step + count > self.losses.shape[-1]:
            self.losses = np.concatenate([self.losses, np.full_like(self.losses, np.nan)], -1)
        self.losses[running, :, self.step : self.step + count] = losses[running]
        self.step += count
        self.lane_steps += count * places * losses.shape[1]
        self.reached[running] = self.step
        if self.step in self.marks:
            self.values[running, :, np.searchsorted(self.marks, self.step)] = values[running]

    def result(self) -> Result:
        """Return the result so far, in arrays that the race will not change any more."""
        marks = self.marks[self.marks <= self.step]
        # Before the first mark there is nothing to go by but the loss, of which less is better.
        asked = self.track.task.evaluate is not None
        early = asked and not len(marks)
        return Result(
            self.lanes,
            self.losses[..., : self.step],
            self.values[..., : len(marks)],
            marks,
            self.reached.copy(),
            evaluated=asked and not early,
            mode="min" if early else self.mode,
            metric=self.track.task.metric,
            tested=self.tested,
            target=None if early else self.target,
            seeds=self.track.task.seeds,
            steps=self.steps,
            seconds=time.perf_counter() - self.began,
            compile_seconds=self.track.compile_seconds,
            lane_steps=self.lane_steps,
            stopped=self.stopped,
        )
