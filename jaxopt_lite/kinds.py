"""What hyperparameters may be, by name, in one table; and the sentence that others are refused with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.trees import describe


class Kind(NamedTuple):
    """What a hyperparameter of some name may be: a finite number in [low, high), or perhaps a schedule or None."""

    low: float = -np.inf
    high: float = np.inf
    schedule: bool = False
    none: bool = False

    def __str__(self) -> str:
        bounds = f" in [{self.low:g}, {self.high:g})" if self.high < np.inf else f" of at least {self.low:g}"
        number = "a finite number" + (bounds if self.low > -np.inf else "")
        return number + " or a schedule" * self.schedule + " or None" * self.none


SHARE = Kind(0, 1)
KINDS = {
    "lr": Kind(schedule=True),  # negative ones too: there are people who ascend
    "weight_decay": Kind(low=0, schedule=True),
    "momentum": SHARE,
    "decay": SHARE,
    "beta1": SHARE,
    "beta2": SHARE,
    "eps": Kind(low=0),
    "give_up_after": Kind(low=1, none=True),
}


def check_arguments(factory: str, arguments: dict[str, Any]) -> None:
    """Refuses, when an optimizer is made, hyperparameters that no step can be taken with."""
    for name, argument in arguments.items():
        where = f"{factory}: {name}"
        for leaf in jax.tree.leaves(argument):
            if hasattr(leaf, "entry"):
                raise TypeError(
                    f"{where} is the factory {leaf.__name__}, where an optimizer is meant: {leaf.__name__}()"
                )
            if not isinstance(leaf, jax.Array | np.ndarray):
                _check_hashable(where, leaf)
        if name == "opt" and not hasattr(argument, "pair"):
            raise TypeError(f"{where} must be an optimizer, not {describe(argument)}")
        if name in KINDS:
            _check_number(where, argument, KINDS[name])


def _check_hashable(where: str, leaf: Any) -> None:
    try:
        hash(leaf)
    except TypeError:
        raise TypeError(
            f"{where} is {describe(leaf)}, which cannot be hashed, so that jit cannot tell one from another: "
            "make it a function or a frozen dataclass"
        ) from None


def _check_number(where: str, argument: Any, kind: Kind) -> None:
    if (callable(argument) and kind.schedule) or (argument is None and kind.none):
        return
    if not _is_real_number(argument):
        what = "a function" if callable(argument) else describe(argument)
        raise TypeError(f"{where} must be {kind}, not {what}")
    if isinstance(argument, jax.core.Tracer):
        return
    values = np.asarray(argument, np.float64)
    wrong = values[~(np.isfinite(values) & (kind.low <= values) & (values < kind.high))]
    if wrong.size:
        raise ValueError(f"{where} must be {kind}, not {wrong.flat[0]:g}")


def check_scheduled(schedule: Callable[..., Any], value: Any) -> None:
    """What ``at`` refuses of a schedule."""
    if not _is_real_number(value) or np.ndim(value):
        name = getattr(schedule, "__qualname__", schedule)
        raise TypeError(f"the schedule {name} gave {describe(value)}, where one number is needed")


def _is_real_number(x: Any) -> bool:
    dtype = getattr(x, "dtype", type(x))
    return jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)
