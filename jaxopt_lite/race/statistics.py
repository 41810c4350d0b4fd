"""What the raw arrays of a race say: scores in order, ties, noise, curves."""

import numpy as np

from jaxopt_lite.race.outcome import Outcome

RESAMPLES = 2000
MARGIN = 0.1


def order(scores: np.ndarray, mode: str) -> np.ndarray:
    """Return lanes from best to worst by their mean over seeds; lanes that are not finite come last."""
    mean = scores.mean(-1)
    return np.argsort(np.where(np.isfinite(mean), mean if mode == "min" else -mean, np.inf), kind="stable")


def tie(a: np.ndarray, b: np.ndarray, noise: float = 0.0) -> bool:
    """Return whether two lanes' scores are the same within noise: a paired bootstrap over seeds at 95%.

    With one seed, those tie that differ by no more than ``noise``. With few it is coarse: of two, those tie whose
    differences have different signs.
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    if not np.all(np.isfinite(difference)):
        return False
    if len(difference) == 1:
        return bool(abs(difference[0]) <= noise)
    drawn = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.quantile(difference[drawn].mean(-1), [0.025, 0.975])
    return bool(low <= 0 <= high)


@np.errstate(all="ignore")  # what has diverged may overflow once more
def noise_of(outcome: Outcome, lane: int) -> float:
    """Return how much a lane's curve moves over the last third of its steps, which is noise."""
    _, values = curve(outcome, lane)
    last = values[-max(2, len(values) // 3) :]
    return float(np.ptp(last)) if np.all(np.isfinite(last)) else 0.0


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


def aim(outcome: Outcome, winner: int) -> float:
    """Return the target that was given, or else 10% worse than the winner's score."""
    if outcome.target is not None:
        return outcome.target
    best = float(outcome.scores[winner].mean())
    return best + (MARGIN if outcome.mode == "min" else -MARGIN) * abs(best)


@np.errstate(all="ignore")  # what has diverged may overflow once more
def curve(outcome: Outcome, lane: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve that a lane is judged by: steps, and means over seeds.

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
    """Return the first step after which a lane's curve has reached the target, or None."""
    steps, values = curve(outcome, lane)
    there = values <= target if outcome.mode == "min" else values >= target
    return int(steps[there][0]) if there.any() else None
