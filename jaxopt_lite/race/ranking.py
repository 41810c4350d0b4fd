"""What the curves of a race say: which lane is best, what is a tie, how wide the good rates are."""

import functools
import itertools
from typing import NamedTuple

import numpy as np

from jaxopt_lite.core import Optimizer
from jaxopt_lite.race.outcome import Outcome

RESAMPLES = 2000
MARGIN = 0.1


class Row(NamedTuple):
    """One optimizer in the table, at its best learning rate.

    ``place``: 1 is the winner; what cannot be told from the best of its place has the same, and ``tied`` is true.
    ``lane``: the number of its best lane. ``score``, ``deviation``: over seeds. ``decades``: of learning rates, around
    the best, whose scores are within 10% of its own, drawn as lines between the rates of the grid. ``edge``: "low" or
    "high" if the best rate is the grid's lowest or highest, else "". ``to_target``: steps to the target, or None.
    ``bytes``: of its state. ``diverged``: how many of its lanes did. ``reached``: the steps that its best lane took.
    """

    place: int
    tied: bool
    name: str
    lane: int
    lr: float
    score: float
    deviation: float
    decades: float
    edge: str
    to_target: int | None
    bytes: int
    lanes: int
    diverged: int
    reached: int


class Ranked(Outcome):
    """An outcome with its ranking: the table, the winner, the curves."""

    @functools.cached_property
    def ranked(self) -> list[int]:
        """The numbers of all lanes, best first."""
        return ranked(self)

    @functools.cached_property
    def rows(self) -> list[Row]:
        """The table: one row for each optimizer at its best learning rate, best first."""
        return rows_of(self)

    @property
    def aim(self) -> float:
        """The score that the table counts the steps to: ``target``, or what is 10% worse than the winner's."""
        return aim(self, self.rows[0].lane)

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
        return {row.name: {lr: curve(self, lane) for lr, lane in by_rate(self, row.name).items()} for row in self.rows}


def order(scores: np.ndarray, mode: str) -> np.ndarray:
    """Lanes from best to worst by their mean over seeds; whatever is not finite comes last."""
    mean = scores.mean(-1)
    return np.argsort(np.where(np.isfinite(mean), mean if mode == "min" else -mean, np.inf), kind="stable")


def tie(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two lanes' scores, seed by seed, are the same within noise: a paired bootstrap over seeds at 95%.

    With one seed there is no noise to tell, and only equal scores tie. With few it is coarse: of two, those tie whose
    differences have different signs.
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    if not np.all(np.isfinite(difference)):
        return False
    drawn = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.quantile(difference[drawn].mean(-1), [0.025, 0.975])
    return bool(low <= 0 <= high)


def same(outcome: Outcome) -> list[tuple[int, int]]:
    """Find, for each optimizer, the first two of its lanes whose losses are equal to the bit."""
    lanes: dict[str, list[int]] = {}
    for i, lane in enumerate(outcome.lanes):
        if np.isfinite(outcome.losses[i, :, : outcome.reached[i]]).all():
            lanes.setdefault(lane.name, []).append(i)
    pairs = []
    for mine in lanes.values():
        steps, firsts = int(min(outcome.reached[mine])), dict[bytes, int]()
        first = [firsts.setdefault(outcome.losses[i, :, :steps].tobytes(), i) for i in mine]
        again = [pair for pair in zip(first, mine, strict=True) if pair[0] != pair[1]]
        pairs += again[:1] if steps > 1 else []  # before the first step all are equal
    return pairs


@np.errstate(all="ignore")  # what has diverged may overflow once more
def rows_of(outcome: Ranked) -> list[Row]:
    """The table of a race, best optimizer first."""
    scores, in_order = outcome.scores, outcome.ranked
    alive = np.isfinite(scores.mean(-1)) & ~outcome.diverged
    names = [lane.name for lane in outcome.lanes]
    best = [
        next(lane for lane in in_order if names[lane] == name) for name in dict.fromkeys(names[i] for i in in_order)
    ]
    leaders: list[int] = []  # of each lane in ``best``, the best of those that it cannot be told from
    for lane in best:
        tied = bool(leaders) and bool(alive[lane]) and tie(scores[lane], scores[leaders[-1]])
        leaders.append(leaders[-1] if tied else lane)
    return [
        _row(outcome, lane, best.index(leader) + 1, tied=leaders.count(leader) > 1, target=aim(outcome, best[0]))
        for lane, leader in zip(best, leaders, strict=True)
    ]


def _row(outcome: Ranked, lane: int, place: int, *, tied: bool, target: float) -> Row:
    mine = [i for i, other in enumerate(outcome.lanes) if other.name == outcome.lanes[lane].name]
    decades, edge = _around(outcome, lane)
    scores = outcome.scores[lane]
    return Row(
        place=place,
        tied=tied,
        name=outcome.lanes[lane].name,
        lane=int(lane),
        lr=outcome.lanes[lane].lr,
        score=float(scores.mean()),
        deviation=float(scores.std(ddof=1)) if len(scores) > 1 else float("nan"),
        decades=decades,
        edge=edge,
        to_target=None if outcome.diverged[lane] else steps_to(outcome, lane, target),
        bytes=outcome.lanes[lane].bytes,
        lanes=len(mine),
        diverged=int(outcome.diverged[mine].sum()),
        reached=int(outcome.reached[lane]),
    )


def _around(outcome: Ranked, lane: int) -> tuple[float, str]:
    """How many decades of learning rates around a lane are nearly as good, and at which edge of the grid it is.

    Between two rates of the grid the score is a line over the logarithm of the rate. A lane that was taken out, or that
    diverged, is as bad as can be.
    """
    means = outcome.scores.mean(-1) if outcome.mode == "min" else -outcome.scores.mean(-1)
    lanes = by_rate(outcome, outcome.lanes[lane].name)
    sound = {lr: outcome.reached[i] == outcome.reached[lane] and not outcome.diverged[i] for lr, i in lanes.items()}
    best = {lr: means[i] if sound[lr] else np.inf for lr, i in lanes.items()}
    lrs = sorted(lr for lr in best if np.isfinite(lr))
    if len(lrs) < 2 or outcome.diverged[lane]:
        return 0.0, ""
    at, margin = lrs.index(outcome.lanes[lane].lr), MARGIN * abs(means[lane])
    decades = 0.0
    for side in (lrs[at::-1], lrs[at:]):
        for here, there in itertools.pairwise(side):
            rise, left = best[there] - best[here], best[side[0]] + margin - best[here]
            share = min(1.0, left / rise) if rise > 0 else 1.0
            decades += share * abs(float(np.log10(there / here)))
            if share < 1:
                break
    return decades, "low" if at == 0 else "high" if at == len(lrs) - 1 else ""


def ranked(outcome: Outcome) -> list[int]:
    """All lanes, best first: a lane that was taken out early has been judged, one that ran longer is better."""
    longest_first = sorted(order(outcome.scores, outcome.mode), key=lambda lane: -outcome.reached[lane])
    return sorted(map(int, longest_first), key=lambda lane: bool(outcome.diverged[lane]))


def by_rate(outcome: Ranked, name: str) -> dict[float, int]:
    """The best lane of an optimizer at each of its learning rates; several have one where other numbers are swept."""
    lanes = [lane for lane in outcome.ranked if outcome.lanes[lane].name == name]
    best = {outcome.lanes[lane].lr: lane for lane in reversed(lanes)}
    return dict(sorted(best.items()))


def aim(outcome: Outcome, winner: int) -> float:
    """The target that was given, or else what is 10% worse than the winner's score."""
    if outcome.target is not None:
        return outcome.target
    best = float(outcome.scores[winner].mean())
    return best + (MARGIN if outcome.mode == "min" else -MARGIN) * abs(best)


@np.errstate(all="ignore")  # what has diverged may overflow once more
def curve(outcome: Outcome, lane: int) -> tuple[np.ndarray, np.ndarray]:
    """What a lane is judged by, in the course of the race: steps, and means over seeds.

    By ``eval`` at its marks, or the running mean of the loss over a fiftieth of the steps.
    """
    reached = int(outcome.reached[lane])
    if outcome.evaluated:
        marks = outcome.marks[outcome.marks <= reached]
        return marks, outcome.values[lane, :, : len(marks)].mean(0)
    losses = outcome.losses[lane, :, :reached].mean(0)
    window = max(1, min(outcome.steps // 50, reached))
    return np.arange(window, reached + 1), running_mean(losses, window)


def running_mean(x: np.ndarray, window: int) -> np.ndarray:
    """Average each ``window`` consecutive entries of ``x`` in linear time, in float64.

    Cut ``x`` into blocks of ``window`` entries. A window then consists of the end of one block and of the start of the
    next one. Sums never leave their window, so neither a large entry nor a NaN spoils the means that lie beyond it.
    """
    blocks = np.pad(np.asarray(x, np.float64), (0, -len(x) % window)).reshape(-1, window)
    starts, ends = blocks.cumsum(1), blocks[:, ::-1].cumsum(1)[:, ::-1]
    ends[:, 0] = 0  # a window that is a whole block has all of its sum in ``starts``
    return np.asarray((ends.ravel()[: len(x) - window + 1] + starts.ravel()[window - 1 : len(x)]) / window)


def steps_to(outcome: Outcome, lane: int, target: float) -> int | None:
    """The first step after which a lane's curve has reached the target, or None."""
    steps, values = curve(outcome, lane)
    there = values <= target if outcome.mode == "min" else values >= target
    return int(steps[there][0]) if there.any() else None
