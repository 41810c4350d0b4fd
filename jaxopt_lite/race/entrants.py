"""Who races: optimizers as a user names them, each at each of its learning rates."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite import schedules
from jaxopt_lite.core.protocol import Optimizer, Transform
from jaxopt_lite.core.value import Value
from jaxopt_lite.race.files import optimizer_of
from jaxopt_lite.tree.structure import format_leaf


class Entrant(NamedTuple):
    """One optimizer in the race, in as many lanes as it has learning rates, times its other swept numbers.

    ``lanes``: the optimizer of each lane, as one would use it alone. ``lrs``: their learning rates, NaN where an
    optimizer has none of its own. ``build(numbers)`` is the optimizer of one lane, where ``numbers`` is what differs
    from lane to lane: a tree of arrays with a leading axis of lanes, for ``vmap``. ``calls``: what to call a lane where
    its optimizer cannot tell how it was made, else "".
    """

    name: str
    lanes: tuple[Optimizer, ...]
    lrs: np.ndarray
    numbers: Any
    build: Callable[[Any], Optimizer]
    calls: tuple[str, ...]


def enter(optimizers: Any, lrs: Any, steps: int) -> tuple[Entrant, ...]:
    """Return the entrants, from what ``race`` takes as ``optimizers`` and ``lrs``.

    Raises:
        TypeError: something among ``optimizers`` is no optimizer.
        ValueError: there is none, or none of that name; a learning rate is not positive.
    """
    named = _named(optimizers)
    if isinstance(lrs, Mapping):
        for unknown in lrs.keys() ^ named.keys():
            raise ValueError(f"race: lrs has {', '.join(lrs)}, and the optimizers are {', '.join(named)}: {unknown!r}")
    entrants = []
    for name, given in named.items():
        rates = grid(lrs[name] if isinstance(lrs, Mapping) else lrs)
        if isinstance(given, Optimizer):
            entrants.append(_of_value(name, given, rates, steps))
        else:
            entrants.append(_of_function(name, given, rates))
    return tuple(entrants)


def grid(lrs: Any) -> np.ndarray | None:
    """Return the rates: of a tuple (lowest, highest, how many) a geometric grid, rounded to three digits.

    Raises:
        ValueError: they are not positive, finite numbers.
    """
    if lrs is None:
        return None
    if isinstance(lrs, tuple):
        if len(lrs) != 3 or not isinstance(lrs[2], int) or lrs[2] < 1:
            raise ValueError(f"race: lrs as a tuple is (lowest, highest, how many), not {lrs}; a list is the rates")
        low, high, count = lrs
        if not 0 < low <= high < math.inf:
            raise ValueError(f"race: lrs must be positive and rise, from {low} to {high} they do not")
        # Three digits, so that the rate that is printed is the one that ran.
        return np.array([float(f"{lr:.3g}") for lr in np.geomspace(low, high, count)])
    rates = np.atleast_1d(np.asarray(lrs, np.float64))
    if rates.ndim != 1 or not rates.size or not np.all((rates > 0) & np.isfinite(rates)):
        raise ValueError(f"race: lrs must be positive numbers, not {lrs}")
    return rates


def _named(optimizers: Any) -> dict[str, Any]:
    """Return optimizers, or functions from a learning rate to one, by their names in the table."""
    if isinstance(optimizers, Mapping):
        named = {str(name): _resolved(f"optimizers[{name!r}]", given) for name, given in optimizers.items()}
    else:
        alone = isinstance(optimizers, str | Transform) or callable(optimizers) or hasattr(optimizers, "update")
        alone = alone or not isinstance(optimizers, Iterable)
        named = {}
        for given in (optimizers,) if alone else optimizers:
            opt = _resolved("optimizers", given)
            called = opt.name if isinstance(opt, Optimizer) else getattr(opt, "__name__", "optimizer")
            called = given if isinstance(given, str) else called
            again = sum(name.partition(" ")[0] == called for name in named)
            named[f"{called} {again + 1}" if again else called] = opt
    if not named:
        raise ValueError("race: optimizers is empty")
    return named


def _resolved(where: str, given: Any) -> Any:
    if isinstance(given, str):
        given = optimizer_of(given, "race: ")
    if isinstance(given, Optimizer):
        return given
    if getattr(given, "makes", "") == Optimizer.type_label:
        return given.entry.build()
    if isinstance(given, Value) or hasattr(given, "makes") or not callable(given):
        hint = "; from_optax(…) makes one of optax's" if hasattr(given, "update") else ""
        noun = getattr(given, "type_label", None) or format_leaf(given)
        raise TypeError(f"race: {where} has {noun}, where a name or an optimizer is meant{hint}")
    return given


def _of_function(name: str, make: Callable[[Any], Any], rates: np.ndarray | None) -> Entrant:
    if rates is None:
        raise ValueError(f"race: {name} is a function of the learning rate, and lrs is None")
    lanes = tuple(make(float(lr)) for lr in rates)
    for opt in lanes:
        if not isinstance(opt, Optimizer):
            raise TypeError(f"race: {name} must return an optimizer, not {format_leaf(opt)}")
    return Entrant(
        name, lanes, rates, rates.astype(jnp.result_type(float)), make, tuple(f"{name} at {lr:g}" for lr in rates)
    )


def _of_value(name: str, opt: Optimizer, rates: np.ndarray | None, steps: int) -> Entrant:
    """Combine each learning rate with each of the numbers that stand in arrays among the optimizer's arguments."""
    lengths = {np.shape(x) for x in opt.data if np.ndim(x)}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(f"race: the arrays in {name} must be vectors of one length, not {sorted(lengths)}")
    count = lengths.pop()[0] if lengths else 1
    variants = [jax.tree.map(lambda x, i=i: x[i] if np.ndim(x) else x, opt) for i in range(count)]
    tops = [max((_peak(lr, steps) for lr in _rates(variant)), default=None) for variant in variants]
    if any(top is not None and top <= 0 for top in tops):
        raise ValueError(f"race: {name} has no positive learning rate; maximize(…) goes uphill")
    if rates is None or tops[0] is None or any(np.ndim(x) for lr in _rates(opt) for x in jax.tree.leaves(lr)):
        lanes = [(variant, top, top) for variant, top in zip(variants, tops, strict=True)]
    else:
        lanes = [(variant, top, float(lr)) for variant, top in zip(variants, tops, strict=True) for lr in rates]
    alone = tuple(_at_rate(_plain(variant), top, lr, float) for variant, top, lr in lanes)
    stacked = [
        _at_rate(variant, top, lr, lambda x: np.asarray(x, jnp.result_type(float))) for variant, top, lr in lanes
    ]
    numbers = jax.tree.map(lambda *x: np.stack([np.asarray(y) for y in x]), *stacked)
    return Entrant(
        name, alone, np.array([lr or np.nan for _, _, lr in lanes]), numbers, lambda opt: opt, ("",) * len(alone)
    )


def _is_value(x: Any) -> bool:
    return isinstance(x, Value)


def _plain(value: Any) -> Any:
    """Return the same call with numbers for its arrays of one number, to be printed and used as it is."""

    def plain(x: Any) -> Any:
        if not isinstance(x, jax.Array | np.ndarray) or x.ndim:
            return _plain(x) if _is_value(x) else x
        # The shortest number that is this one in its own precision: 0.1, not 0.10000000149011612.
        return float(str(x)) if jnp.issubdtype(x.dtype, jnp.floating) else x.item()

    return value.replace(**{k: jax.tree.map(plain, v, is_leaf=_is_value) for k, v in value.arguments.items()})


def _rates(opt: Transform) -> list[Any]:
    """Find the learning rates that steps are taken at: those of rules, or of the transforms in their place."""
    inside = [x for x in opt.children if isinstance(x, Transform)]
    inside = [x for x in inside if x.entry.sets_rate] or inside
    steps = isinstance(opt, Optimizer) or opt.entry.sets_rate
    own = [opt.arguments["lr"]] if steps and opt.arguments.get("lr") is not None else []
    return own + [lr for x in inside for lr in _rates(x)]


def _peak(lr: Any, steps: int) -> float:
    """Return a rate's largest value in a race of so many steps."""
    if callable(lr):
        lr = jax.vmap(lambda t: jnp.asarray(lr(t), float))(jnp.arange(steps))
    return float(np.max(np.asarray(lr, np.float64)))


def _scaled(schedule: Any, factor: float) -> Any:
    """Return ``factor`` times a schedule, as the same schedule with other numbers where that is equal."""
    if factor == 1:
        return schedule
    steps = jnp.asarray(np.unique(np.geomspace(1, 1e6, 200).astype(int) - 1))
    expected = factor * jnp.asarray(schedule(steps))
    for units in (("start", "end", "value", "values", "then"), ("peak",), ("factor",)):
        given = schedule.arguments if isinstance(schedule, schedules.Schedule) else {}
        in_unit = {k: _times(x, factor) for k, x in given.items() if k in units and x is not None}
        if in_unit and jnp.allclose(schedule.replace(**in_unit)(steps), expected, rtol=1e-5, atol=0):
            return schedule.replace(**in_unit)
    return schedules.scale(schedule, factor)


def _times(x: Any, factor: float) -> Any:
    if callable(x):
        return _scaled(x, factor)
    return tuple(_times(y, factor) for y in x) if isinstance(x, tuple) else float(f"{factor * float(x):.9g}")


def _at_rate(opt: Any, top: float | None, lr: float | None, number: Callable[[float], Any]) -> Any:
    """Return the optimizer at this rate, which replaces its largest, ``top``; its other rates follow."""
    if top is None or lr is None:
        return opt
    of_rules = _rates(opt)

    def rate(x: Any) -> Any:
        if callable(x):
            # To be stacked, all lanes have to be made alike; to be pasted, a schedule should be short.
            return _scaled(x, lr / top) if number is float else schedules.scale(x, number(lr / top))
        return number(lr if x == top else float(f"{lr * float(x) / top:.9g}"))

    def follows(x: Transform, name: str, argument: Any) -> bool:
        """Return whether an argument is a rule's rate, its peak, or the same rate in a transform beside it."""
        if argument is None or name not in {"lr", "peak_lr"}:
            return False
        steps = isinstance(x, Optimizer) or x.entry.sets_rate
        return steps or any(argument is r or bool(argument == r) for r in of_rules)

    def inside(x: Any) -> Any:
        if not isinstance(x, Transform):
            return x
        new = {k: jax.tree.map(inside, v, is_leaf=_is_value) for k, v in x.arguments.items()}
        return x.replace(**{k: rate(v) if follows(x, k, v) else v for k, v in new.items()})

    return inside(opt)
