"""The value that a schedule is, and its sums, differences, products and quotients, which are schedules again."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import jax
import jax.numpy as jnp

from jaxopt_lite.core.value import Value, call
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import ScalarOrSchedule

P = ParamSpec("P")


class Schedule(Value):
    """A function of the step that remembers how it was made; see `Value` for what that gives.

    +, -, * and / take numbers, arrays and functions of the step on either side: ``0.1 - 0.5 * schedule``.
    """

    type_label = "a schedule"
    home = "jaxopt_lite.schedules."
    __array_ufunc__ = None  # NumPy's arrays leave the operators to us

    @functools.cached_property
    def implementation(self) -> Any:
        """Return the function of the step, in which a Python integer beyond those of JAX is a float."""
        arguments = self._arguments(map(to_compute_dtype, self.data))
        return call(self.factory.__wrapped__, jax.tree.map(_within_jax, arguments))  # type: ignore[attr-defined]

    def __call__(self, iter: Any) -> Any:
        """Return the number at step ``iter``: an integer, or an array of integers."""
        with jax.numpy_dtype_promotion("standard"):
            return self.implementation(jnp.asarray(iter))

    def __add__(self, other: ScalarOrSchedule) -> "Schedule":
        return add(self, other)

    def __sub__(self, other: ScalarOrSchedule) -> "Schedule":
        return subtract(self, other)

    def __rsub__(self, other: ScalarOrSchedule) -> "Schedule":
        return subtract(other, self)

    def __mul__(self, factor: ScalarOrSchedule) -> "Schedule":
        return scale(self, factor)

    def __truediv__(self, other: ScalarOrSchedule) -> "Schedule":
        return divide(self, other)

    def __rtruediv__(self, other: ScalarOrSchedule) -> "Schedule":
        return divide(other, self)

    def __neg__(self) -> "Schedule":
        return scale(self, -1)

    def __radd__(self, other: ScalarOrSchedule) -> "Schedule":
        return add(self, other)

    def __rmul__(self, factor: ScalarOrSchedule) -> "Schedule":
        return scale(self, factor)


def schedule(body: Callable[P, Any]) -> Callable[P, Schedule]:
    """Make a factory of schedules from a function of numbers that returns a function of the step.

    Example:
        >>> @schedule
        ... def decay(start, rate):
        ...     return lambda step: start * rate**step
        >>> print(decay(1.0, 0.5), decay(1.0, 0.5)(3))
        decay(start=1.0, rate=0.5) 0.125
    """
    return Schedule.make_factory(body)


def _within_jax(x: Any) -> Any:
    return float(x) if isinstance(x, int) and abs(x) >= 2**31 else x


def number_at(number: ScalarOrSchedule, iter: jax.Array) -> Any:
    """Return the number that a schedule gives at a step, or the number itself."""
    return number(iter) if callable(number) else number


def _float_at(number: ScalarOrSchedule, iter: jax.Array) -> Any:
    # A float, because products of integers end at 2³¹, and what is unsigned has no negative.
    return 1.0 * number_at(number, iter)


@schedule
def scale(schedule: ScalarOrSchedule, factor: ScalarOrSchedule):
    """Return the product factor · schedule, which ``factor * schedule`` gives; ``-schedule`` has the factor -1.

    Example:
        >>> print((0.5 * schedules.linear(1.0, 0.0, steps=4))(2))
        0.25
    """
    return lambda iter: _float_at(factor, iter) * _float_at(schedule, iter)


@schedule
def add(a: ScalarOrSchedule, b: ScalarOrSchedule):
    """Return the sum a + b, which ``a + b`` gives; either may be a number.

    Example:
        >>> print((schedules.linear(1.0, 0.0, steps=4) + 0.5)(2))
        1.0
    """
    return lambda iter: _float_at(a, iter) + _float_at(b, iter)


@schedule
def subtract(a: ScalarOrSchedule, b: ScalarOrSchedule):
    """Return the difference a - b, which ``a - b`` gives; either may be a number.

    Example:
        >>> print((1 - schedules.linear(1.0, 0.0, steps=4))(1))
        0.25
    """
    return lambda iter: _float_at(a, iter) - _float_at(b, iter)


@schedule
def divide(a: ScalarOrSchedule, b: ScalarOrSchedule):
    """Return the quotient a / b, which ``a / b`` gives; either may be a number. Where ``b`` is 0 it is not finite.

    Raises:
        ValueError: ``b`` is the Python number 0.

    Example:
        >>> print((1 / schedules.linear(1.0, 3.0, steps=4))(2))
        0.5
    """
    if isinstance(b, int | float) and b == 0:
        raise ValueError("divide: b is 0, and nothing can be divided by it")
    return lambda iter: jnp.divide(_float_at(a, iter), _float_at(b, iter))
