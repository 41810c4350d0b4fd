"""The race itself: chunks of steps driven from the host, lanes taken out as they fall behind."""

import operator
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from jaxopt_lite.race.batches import batches_of
from jaxopt_lite.race.display import progress_display
from jaxopt_lite.race.entrants import Entrant, enter
from jaxopt_lite.race.ranking import MARK_COUNT
from jaxopt_lite.race.record import LONGEST_PROGRAM, Record
from jaxopt_lite.race.result import Result
from jaxopt_lite.race.statistics import same
from jaxopt_lite.race.task import Task, name_of
from jaxopt_lite.race.track import Track
from jaxopt_lite.tree.structure import is_function

# What varies from seed to seed decides, where one seed is luck.
DEFAULT_SEEDS = 5
BOOK = ("sgd", "momentum", "adagrad", "adam")
# After these shares of the steps so many thirds of every optimizer's lanes go on.
RUNGS = {1 / 6: 2, 1 / 3: 1}
# Lanes times seeds that are computed side by side, so that memory does not grow with the race.
SIDE_BY_SIDE = 128
# Seconds between two looks at the clock, the table and the keyboard.
SECONDS_BETWEEN_LOOKS = 0.3


def race(
    loss: Callable[..., Any],
    params: Any,
    data: Any = None,
    optimizers: Any = BOOK,
    lrs: Any = (1e-4, 1.0, 9),
    *,
    seeds: int | Iterable[int] | None = None,
    steps: int = 2000,
    batch_size: int | str | None = None,
    eval: Callable[..., Any] | None = None,
    eval_data: Any = None,
    test_data: Any = None,
    mode: str | None = None,
    metric: str | None = None,
    target: float | None = None,
    prune: str | None = "halving",
    budget: float | None = None,
    on_chunk: Callable[[Result], Any] | None = None,
    show: str | bool | None = "auto",
) -> Result:
    """Train with every optimizer at every learning rate, side by side, and tell which wins.

    Args:
        loss: ``loss(params, batch)``, one real number that JAX can differentiate; ``loss(params)`` where there is no
            ``data``.
        params: the tree of parameters to start from, or ``params(key)``, which gives one for every seed.
        data: a tree of arrays whose first axis is examples (a tuple, dict, or array): mini-batches are drawn from them,
            every example once an epoch, the same for all lanes. Or a list or another iterable of batches. Or None.
        optimizers: names, optimizers, or functions from a learning rate to an optimizer; or a dict of these by their
            names in the table. An array among an optimizer's arguments is swept as well.
        lrs: (lowest, highest, how many) for a geometric grid, a list of rates, or a dict of these by name; None lets
            each run at its own. Of an optimizer with several rates, or with a schedule, it is the largest; the others
            keep their proportion, and a transform's rate follows where it is the same as the rule's.
        seeds: how many, or which: of ``params(key)`` and of the batches. Five by default, or one if nothing varies.
        steps: how many, at most.
        batch_size: examples in a batch; 100 by default, or all where there are fewer. "all": all, at every step.
        eval: ``eval(params, eval_data)``, one number to rank by; ``eval(params)`` where there is neither ``eval_data``
            nor arrays as ``data``. It gets the parameters themselves, not an average that an optimizer keeps of them.
            By default it is ``loss``, where there is ``eval_data`` or no ``data``. Else the ranking is by the mean loss
            of the last tenth of the steps.
        eval_data: any tree of arrays; ``data`` by default, where that is arrays.
        test_data: a tree like ``eval_data``. With it, ``eval_data`` chooses each optimizer's rate, and ``eval`` of
            ``test_data`` at the end is the score.
        mode: "max" if a higher number of ``eval`` is better, as of an accuracy, else "min"; ``eval`` needs it.
        metric: what ``eval`` measures, for tables and pictures; by default the function's name.
        target: the table tells how many steps each needs to it; by default it is 10% worse than the winner's score.
        prune: "halving": after a sixth of the steps, and after a third, the worst third of each optimizer's lanes is
            taken out. So are lanes that diverged. "diverged": only those. None: all run to the end.
        budget: seconds after which the race stops, and ranks by what there is.
        on_chunk: called with the `Result` so far after every chunk of steps.
        show: "auto" for a live table on terminals and in notebooks and lines elsewhere, "live", "plain", or None.

    Returns:
        The `Result`, also of a race that its budget, Ctrl-C, or the end of an iterable has stopped: ``.best`` is the
        optimizer to use, ``print(result)`` the table.

    Raises:
        TypeError: something is not of the kind that it should be.
        ValueError: something is out of range, or what the seeds shall vary does not vary.

    All lanes of a seed start alike and see the same batches. For one step, a lane equals the same run alone to within
    rounding. Over many steps the two drift apart, because training amplifies rounding.

    Example:
        >>> def loss(params):
        ...     return (params["x"] - 1) ** 2
        >>> result = race(loss, {"x": 0.0}, None, ["sgd", "adam"], [0.01, 0.1], steps=48, show=None)
        >>> print(result.best)
        sgd(lr=0.1)
    """
    began = time.perf_counter()
    if eval is not None and mode is None:
        raise ValueError("race: eval is given without mode; it is 'max' for an accuracy, and 'min' for a loss")
    if test_data is not None and eval is None:
        raise ValueError("race: test_data is given without eval, which would take it")
    chosen = DEFAULT_SEEDS if seeds is None else seeds
    chosen = tuple(map(operator.index, chosen if isinstance(chosen, Iterable) else range(operator.index(chosen))))
    mode = mode or "min"
    steps, target = operator.index(steps), None if target is None else float(target)
    _check(chosen, steps, mode, prune, budget)
    entrants = enter(optimizers, lrs, steps)
    batches = batches_of(data, batch_size, chosen)
    if len(chosen) > 1 and not is_function(params) and not batches.by_seed:
        if seeds is not None:
            count = len(chosen)
            raise ValueError(f"race: {count} seeds, and nothing varies with them: make params a function of a key")
        chosen = chosen[:1]
    if eval is None and data is None and eval_data is not None:
        raise ValueError("race: eval_data is given, and there is neither data nor eval to take it")
    if eval is None and (data is None or eval_data is not None):
        eval, metric = loss, metric or "loss"
    eval_data = batches.source if eval_data is None else jax.device_put(eval_data)
    test_data = None if test_data is None else jax.device_put(test_data)
    task = Task(loss, params, chosen, eval, eval_data, test_data, metric or name_of(eval))
    longest = min(-(-steps // MARK_COUNT) + 1, LONGEST_PROGRAM)
    track = Track(task, entrants, batches, _widths(entrants, len(chosen), prune), longest)
    so_far = Record(track, steps, mode, target, began)
    with progress_display(show, so_far) as look:
        _run(track, so_far, prune, budget, [look, *([on_chunk] if on_chunk else [])])
    result = so_far.result()
    for one, other in same(result):
        calls = f"{result.lanes[one].call} and {result.lanes[other].call}"
        warnings.warn(f"race: {calls} have the same losses: what differs between them has no effect", stacklevel=2)
    return result


def _check(seeds: tuple[int, ...], steps: int, mode: str, prune: str | None, budget: float | None) -> None:
    if not seeds or steps < 1:
        raise ValueError(f"race: steps and seeds must be at least 1, not {steps} and {len(seeds)}")
    for name, given, known in (("mode", mode, ("min", "max")), ("prune", prune, ("halving", "diverged", None))):
        if given not in known:
            raise ValueError(f"race: {name} must be one of {', '.join(map(repr, known))}, not {given!r}")
    if budget is not None and not budget > 0:
        raise ValueError(f"race: budget must be a positive number of seconds, not {budget}")


def _widths(entrants: Sequence[Entrant], seeds: int, prune: str | None) -> list[int]:
    """Return how many lanes of each entrant a block has: a third of them, where thirds are taken out."""
    blocks = -(-sum(len(e.lanes) for e in entrants) * seeds // SIDE_BY_SIDE)
    if prune == "halving":
        blocks = -(-blocks // 3) * 3
    return [-(-len(e.lanes) // blocks) for e in entrants]


def _run(
    track: Track, so_far: Record, prune: str | None, budget: float | None, hooks: Sequence[Callable[[Result], Any]]
) -> None:
    alive = [np.arange(len(e.lanes)) for e in track.entrants]
    rungs = {}
    if len(so_far.marks) == MARK_COUNT:  # too short a race tells nothing before its end
        rungs = {int(so_far.marks[round(MARK_COUNT * share) - 1]): thirds for share, thirds in RUNGS.items()}
    pace = 1
    try:
        while so_far.step < so_far.steps:
            mark = int(so_far.marks[so_far.marks > so_far.step][0])
            now = track.batches.take(min(pace, mark - so_far.step, track.longest))
            if now is None and not so_far.step:
                raise ValueError("race: data has no batches; an iterator that has been used up cannot be used again")
            if now is None:
                so_far.stopped = f"the data ended after {so_far.step} steps"
                break
            began = time.perf_counter()
            compiling = track.compile_seconds
            losses, values = track.run_chunk(now, so_far.step + len(jax.tree.leaves(now)[0]) == mark)
            so_far.add(losses, values, track.global_ids(alive), track.width)
            took = time.perf_counter() - began - (track.compile_seconds - compiling)
            pace = max(1, int(SECONDS_BETWEEN_LOOKS / took * losses.shape[-1]))
            result = so_far.result()
            for hook in hooks:
                hook(result)
            if so_far.step == mark and prune:
                alive = _survivors(result, track, alive, rungs.get(mark, 3) if prune == "halving" else 3)
                if not any(map(len, alive)):
                    so_far.stopped = f"every lane had diverged after {mark} steps"
                    break
                track.retain(alive)
            if budget is not None and time.perf_counter() - so_far.began > budget and so_far.step < so_far.steps:
                so_far.stopped = f"the budget of {budget:g} s was spent after {so_far.step} steps"
                break
    except KeyboardInterrupt:
        if not so_far.step:
            raise KeyboardInterrupt("race: interrupted while it compiled, before the first step") from None
        so_far.stopped = f"interrupted after {so_far.step} steps"
    if track.task.test_data is not None and so_far.step >= so_far.marks[0]:
        so_far.tested = track.test()


def _survivors(result: Result, track: Track, alive: list[np.ndarray], thirds: int) -> list[np.ndarray]:
    """Return the lanes that go on: the best that have not diverged, up to so many thirds of each entrant's."""
    kept, first = [], 0
    for e, mine in zip(track.entrants, alive, strict=True):
        sound = [i - first for i in result.ranked if i - first in mine and not result.diverged[i]]
        kept.append(np.sort(sound[: -(-len(e.lanes) * thirds // 3)]).astype(int))
        first += len(e.lanes)
    return kept
