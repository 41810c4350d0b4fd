"""Schedules: numbers that change with the step, which is counted from 0. Values, as optimizers are.

A hyperparameter that may be a schedule takes one of these, or any function of the step. These print,
compare, hash and pickle; arrays among their arguments are data, to be swept by ``vmap``; what +, -, * and / make of
them are schedules again: ``0.5 * schedule``, ``1 - a / b``. ``start``, ``end`` and ``peak`` are in the unit of what is
scheduled, ``steps`` are updates. Each takes one step or an array of them, and stays finite through 2³¹ of them.
"""

from jaxopt_lite.core import counterparts
from jaxopt_lite.schedules.algebra import Schedule, add, divide, scale, schedule, subtract
from jaxopt_lite.schedules.curves import plot
from jaxopt_lite.schedules.shapes import (
    constant,
    cosine,
    cosine_restarts,
    exponential,
    inverse_sqrt,
    join,
    linear,
    one_cycle,
    piecewise,
    polynomial,
    step,
    warmup,
    warmup_stable_decay,
)

__all__ = [
    "Schedule",
    "add",
    "constant",
    "cosine",
    "cosine_restarts",
    "divide",
    "exponential",
    "inverse_sqrt",
    "join",
    "linear",
    "one_cycle",
    "piecewise",
    "plot",
    "polynomial",
    "scale",
    "schedule",
    "step",
    "subtract",
    "warmup",
    "warmup_stable_decay",
]


def __getattr__(name: str) -> object:
    """Refuse a name that is not here, and say what is meant."""
    raise AttributeError(f"module 'jaxopt_lite.schedules' has no attribute {name!r}{counterparts.meant(name, __all__)}")
