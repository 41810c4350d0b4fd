"""Check the arguments of a factory; each error message is one sentence."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.hyperparameters import ANY, CHOICES, SHARED_RANGES, STEP, Range, ranges_of, why_fixed
from jaxopt_lite.tree.structure import format_leaf


def checked(factory: Callable[..., Any], arguments: dict[str, Any], takes_schedules: bool = False) -> dict[str, Any]:
    """Return the arguments of a factory; raise if no step can be taken with one of them.

    Returns:
        The arguments. A whole number in a float (as read from a file) becomes an integer.
    """
    ranges, parameters = ranges_of(factory), inspect.signature(factory).parameters
    choices = CHOICES if ranges is not SHARED_RANGES else {}
    for name, argument in arguments.items():
        where = f"{factory.__name__}: {name}"
        for leaf in jax.tree.leaves(argument):
            if noun := getattr(leaf, "makes", None):
                call = leaf.__name__ + ("()" if noun == "an optimizer" else "(…)")
                raise TypeError(f"{where} is the factory {leaf.__name__}, where {noun} is meant: {call}")
            if not isinstance(leaf, jax.Array | np.ndarray):
                _check_hashable(where, leaf)
        is_optimizer = getattr(argument, "type_label", "") == "an optimizer"
        if (name == "opt" or (name == "others" and choices and argument is not None)) and not is_optimizer:
            raise TypeError(f"{where} must be an optimizer, not {format_leaf(argument)}")
        if name in choices and argument not in choices[name]:
            raise ValueError(
                f"{where} must be one of {', '.join(map(repr, choices[name]))}, not {format_leaf(argument)}"
            )
        if choices and isinstance(parameters[name].default, bool) and not isinstance(argument, bool | np.bool_):
            raise TypeError(f"{where} must be True or False, not {format_leaf(argument)}")
        if (
            name == "peak_lr"
            and argument is None
            and arguments.get("decay") == "independent"
            and callable(arguments["lr"])
        ):
            raise ValueError(f"{where} is missing: with decay='independent' a scheduled lr is measured by its largest")
        if name in ranges:
            kind = ranges[name]
            fixed = why_fixed(factory, name) if takes_schedules else ""
            kind = kind._replace(
                none=kind.none or parameters[name].default is None,
                schedule=kind.schedule or (takes_schedules and not fixed),
            )
            arguments = arguments | {name: checked_number(where, argument, kind, fixed)}
    return arguments


def _check_hashable(where: str, leaf: Any) -> None:
    try:
        hash(leaf)
    except TypeError:
        raise TypeError(
            f"{where} is {format_leaf(leaf)}, which cannot be hashed, so that jit cannot tell one from another: "
            "make it a function or a frozen dataclass"
        ) from None


def checked_number(where: str, argument: Any, kind: Range, fixed: str = "") -> Any:
    """Return the number in the form that its range asks for. ``where`` begins the error message."""
    if (callable(argument) and kind.schedule) or (argument is None and kind.none):
        return argument
    if kind.several and isinstance(argument, tuple):
        one = kind._replace(several=False, none=False)
        return tuple(checked_number(where, x, one) for x in argument)
    if not _is_real_number(argument):
        what = "a function" if callable(argument) else format_leaf(argument)
        raise TypeError(f"{where} must be {kind}, not {what}" + f": {fixed}" * bool(fixed))
    traced = isinstance(argument, jax.core.Tracer)
    if kind.static and (traced or np.ndim(argument)):
        raise TypeError(f"{where} must be {kind}, not {format_leaf(argument)}: it is one Python number of the program")
    if traced:
        if kind.integer_array and not jnp.issubdtype(argument.dtype, jnp.integer):
            raise TypeError(f"{where} must be {kind}, not {format_leaf(argument)}")
        return argument
    values = np.asarray(argument, np.float64)
    sound = np.isfinite(values) & (kind.low <= values) & ((values < kind.high) | (kind.closed & (values == kind.high)))
    wrong = values[~(sound & ((values == np.round(values)) | (not kind.integer)))]
    if wrong.size:
        raise ValueError(f"{where} must be {kind}, not {wrong.flat[0]:g}")
    return _converted(argument, kind)


def _converted(argument: Any, kind: Range) -> Any:
    """Convert a valid number to the form that its range asks for; an array stays one, unless the range is static."""
    if hasattr(argument, "shape") and (kind.static or isinstance(argument, np.generic)):
        argument = argument.item()
    if not kind.integer:
        return argument
    if hasattr(argument, "shape"):
        needs_integers = kind.integer_array and not jnp.issubdtype(argument.dtype, jnp.integer)
        return argument.astype(int) if needs_integers else argument
    # A number beyond int32 (a step that never comes) becomes a float, because JAX's integers end there.
    # A seed stays an integer, because no arithmetic is done with a seed.
    return float(argument) if abs(argument) >= 2**31 and not (kind.static or kind.integer_array) else int(argument)


def check_steps(schedule: str, at: Any, values: Any = None, kind: Range = ANY) -> None:
    """Raise for wrong steps at which a schedule changes, or for wrong values between them (one more than steps)."""
    if values is not None:
        if not isinstance(values, tuple | list):
            raise TypeError(f"{schedule}: values must be a tuple of numbers, not {format_leaf(values)}")
        for i, value in enumerate(values):
            checked_number(f"{schedule}: value {i}", value, kind)
    if isinstance(at, tuple | list):
        for i, begin in enumerate(at):
            checked_number(f"{schedule}: at[{i}]", begin, STEP)
    known = isinstance(at, tuple | list) and not any(isinstance(x, jax.core.Tracer) or np.ndim(x) for x in at)
    if not isinstance(at, tuple | list) or (known and list(at) != sorted(at)):
        raise ValueError(f"{schedule}: at must be a tuple of steps in rising order, not {at!r}")
    if values is not None and len(at) != len(values) - 1:
        needed = f"{len(values)} values need {len(values) - 1} steps"
        raise ValueError(f"{schedule}: {needed} to change at, not {len(at)}")


def check_scheduled(schedule: Callable[..., Any], value: Any) -> None:
    """Raise unless a schedule returned one number."""
    if not _is_real_number(value) or np.ndim(value):
        name = getattr(schedule, "__qualname__", schedule)
        raise TypeError(f"the schedule {name} gave {format_leaf(value)}, where one number is needed")


def _is_real_number(x: Any) -> bool:
    dtype = getattr(x, "dtype", type(x))
    return jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)
