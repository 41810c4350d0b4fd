"""What the curves of a race say: which lane is best, what is a tie, how wide the good rates are."""

import functools
import itertools
from typing import NamedTuple

import numpy as np

from jaxopt_lite.core import Optimizer
from jaxopt_lite.race.outcome import Outcome
from jaxopt_lite.race.statistics import MARGIN, aim, curve, noise_of, order, steps_to, tie

# Lanes are judged after each of so many parts of the steps.
MARK_COUNT = 24


class Row(NamedTuple):
    """One optimizer in the table, at its best learning rate.

    ``place``: 1 is the winner; what cannot be told from the best of its place has the same, and ``tied`` is true.
    ``lane``: the number of its best lane. ``score``, ``deviation``: over seeds. ``decades``: of learning rates around
    the best with scores within 10% of its own, read off lines between the rates. ``at_least``: whether lanes that were
    taken out bound the decades, so that there may be more. ``edge``: "low" or "high" if the best rate is the grid's
    lowest or highest, else "". ``to_target``: steps to the target, or None.
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
    at_least: bool
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
        """Return the numbers of all lanes, best first."""
        return ranked(self)

    @functools.cached_property
    def rows(self) -> list[Row]:
        """Return the table: one row for each optimizer at its best learning rate, best first."""
        return rows_of(self)

    @property
    def aim(self) -> float:
        """Return the score to which the table counts steps: ``target``, or 10% worse than the winner's."""
        return aim(self, self.rows[0].lane)

    @property
    def best(self) -> Optimizer:
        """Return the winner, at its learning rate, to be used as it is.

        Raises:
            ValueError: every lane diverged, or the race was loaded from a file, which holds its call only.
        """
        lane = self.lanes[self._winner]
        if lane.opt is None:
            raise ValueError(f"race: a file keeps no optimizers, only how they are made: {lane.call}")
        return lane.opt

    @property
    def line(self) -> str:
        """Return the winner as a line to paste; where it cannot tell how it was made, by its name.

        Raises:
            ValueError: there is no winner, as `verdict` says.
        """
        if not self.is_judged:
            raise ValueError(f"race: {self.verdict}")
        call = self.lanes[self._winner].call
        level = f"level with {', '.join(self._level)}" if self._level else ""
        if call.endswith(")") and "…" not in call:
            return f"opt = {call}" + f"  # {level}" * bool(level)
        return f"opt = result.best  # {call}" + f", {level}" * bool(level)

    @property
    def verdict(self) -> str:
        """Return who wins, in a sentence, or why there is no winner."""
        winner = self.rows[0]
        if self.diverged[winner.lane]:
            return self._why_all_diverged
        if not self.is_judged:
            return f"no verdict: the race stopped after {self.reached.max()} of {self.steps} steps"
        seeds = len(self.seeds)
        moved = noise_of(self, winner.lane)
        noise = f"1 seed: differences below {moved:.2g} mean nothing" if moved else "1 seed: it may be luck"
        if self._level:
            names = [winner.name, *self._level]
            said = f"no clear winner between {', '.join(names[:-1])} and {names[-1]}"
        else:
            spread = "" if np.isnan(winner.deviation) else f" ± {winner.deviation:.2g} over {seeds} seeds"
            rate = "its own learning rate" if np.isnan(winner.lr) else f"a learning rate of {winner.lr:.3g}"
            said = f"{winner.name} wins at {rate}: {self.judged_by} {winner.score:.4g}{spread}"
        edge = f"at the grid's {'lowest' if winner.edge == 'low' else 'highest'} rate: widen it" if winner.edge else ""
        return "; ".join(filter(None, (said, noise if seeds == 1 else "", edge)))

    @property
    def _level(self) -> list[str]:
        return [row.name for row in self.rows[1:] if row.place == self.rows[0].place]

    @property
    def is_judged(self) -> bool:
        """Return whether the race got as far as where lanes are first judged."""
        return bool(self.diverged[self.rows[0].lane] or self.reached.max() * MARK_COUNT >= self.steps)

    @property
    def _why_all_diverged(self) -> str:
        if not np.isfinite(self.losses[..., :1]).any():
            return "every lane diverged: the loss is not finite before any step; look at the data and at the loss"
        return "every lane diverged, so that none is best; try lower learning rates"

    @property
    def _winner(self) -> int:
        if self.diverged[self.rows[0].lane]:
            raise ValueError(f"race: {self._why_all_diverged}")
        return self.rows[0].lane

    @property
    def curves(self) -> dict[str, dict[float, tuple[np.ndarray, np.ndarray]]]:
        """Return, by name and learning rate, the curve of the best lane at that rate: steps, and means over seeds."""
        return {row.name: {lr: curve(self, lane) for lr, lane in by_rate(self, row.name).items()} for row in self.rows}


@np.errstate(all="ignore")  # what has diverged may overflow once more
def rows_of(outcome: Ranked) -> list[Row]:
    """Return the table of a race, best optimizer first."""
    scores, in_order = outcome.final, outcome.ranked
    rank = {int(lane): place for place, lane in enumerate(order(scores, outcome.mode))}
    alive = np.isfinite(scores.mean(-1)) & ~outcome.diverged
    names = [lane.name for lane in outcome.lanes]
    best = [
        next(lane for lane in in_order if names[lane] == name) for name in dict.fromkeys(names[i] for i in in_order)
    ]
    # Each lane was chosen by the validation data; on the test data they compete.
    best.sort(key=lambda lane: (outcome.diverged[lane], -outcome.reached[lane], rank[lane]))
    leaders: list[int] = []  # of each lane in ``best``, the best of those that it cannot be told from
    for lane in best:
        leader = leaders[-1] if leaders else lane
        tied = alive[lane] and tie(scores[lane], scores[leader], noise_of(outcome, leader))
        leaders.append(leader if tied else lane)
    return [
        _row(outcome, lane, best.index(leader) + 1, tied=leaders.count(leader) > 1, target=aim(outcome, best[0]))
        for lane, leader in zip(best, leaders, strict=True)
    ]


def _row(outcome: Ranked, lane: int, place: int, *, tied: bool, target: float) -> Row:
    mine = [i for i, other in enumerate(outcome.lanes) if other.name == outcome.lanes[lane].name]
    decades, at_least, edge = _around(outcome, lane)
    scores = outcome.final[lane]
    return Row(
        place=place,
        tied=tied,
        name=outcome.lanes[lane].name,
        lane=int(lane),
        lr=outcome.lanes[lane].lr,
        score=float(scores.mean()),
        deviation=float(scores.std(ddof=1)) if len(scores) > 1 else float("nan"),
        decades=decades,
        at_least=at_least,
        edge=edge,
        to_target=None if outcome.diverged[lane] else steps_to(outcome, lane, target),
        bytes=outcome.lanes[lane].bytes,
        lanes=len(mine),
        diverged=int(outcome.diverged[mine].sum()),
        reached=int(outcome.reached[lane]),
    )


def _around(outcome: Ranked, lane: int) -> tuple[float, bool, str]:
    """Return the decades of learning rates around a lane that are nearly as good, and its edge of the grid.

    Between two rates of the grid the score is a line over the logarithm of the rate. A lane that diverged is as bad as
    can be. So is one that was taken out; there may be more decades then, which the second value says.
    """
    means = outcome.scores.mean(-1) if outcome.mode == "min" else -outcome.scores.mean(-1)
    lanes = by_rate(outcome, outcome.lanes[lane].name)
    sound = {lr: outcome.reached[i] == outcome.reached[lane] and not outcome.diverged[i] for lr, i in lanes.items()}
    best = {lr: means[i] if sound[lr] else np.inf for lr, i in lanes.items()}
    lrs = sorted(lr for lr in best if np.isfinite(lr))
    if len(lrs) < 2 or outcome.diverged[lane]:
        return 0.0, False, ""
    at, margin = lrs.index(outcome.lanes[lane].lr), MARGIN * abs(means[lane])
    decades, at_least = 0.0, False
    for side in (lrs[at::-1], lrs[at:]):
        for here, there in itertools.pairwise(side):
            rise, left = best[there] - best[here], best[side[0]] + margin - best[here]
            share = min(1.0, left / rise) if rise > 0 else 1.0
            decades += share * abs(float(np.log10(there / here)))
            if share < 1:
                at_least |= not sound[there] and not outcome.diverged[lanes[there]]
                break
    return float(decades), bool(at_least), "low" if at == 0 else "high" if at == len(lrs) - 1 else ""


def ranked(outcome: Outcome) -> list[int]:
    """Return all lanes, best first; a lane that ran longer is better than one that was taken out."""
    longest_first = sorted(order(outcome.scores, outcome.mode), key=lambda lane: -outcome.reached[lane])
    return sorted(map(int, longest_first), key=lambda lane: bool(outcome.diverged[lane]))


def by_rate(outcome: Ranked, name: str) -> dict[float, int]:
    """Return the best lane of an optimizer at each of its learning rates."""
    lanes = [lane for lane in outcome.ranked if outcome.lanes[lane].name == name]
    best = {outcome.lanes[lane].lr: lane for lane in reversed(lanes)}
    return dict(sorted(best.items()))
