"""What hyperparameters may be, by name, in one table."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import numpy as np


class Range(NamedTuple):
    """Says what a hyperparameter may be: a finite number in [low, high), or perhaps a schedule or None.

    ``closed``: ``high`` itself is one as well. ``static``: shapes or loops depend on it, so that it is a Python number.
    ``integer_array``: an array of it holds integers. ``several``: a tuple of it is one as well.
    """

    low: float = -np.inf
    high: float = np.inf
    closed: bool = False
    integer: bool = False
    schedule: bool = False
    none: bool = False
    static: bool = False
    integer_array: bool = False
    several: bool = False

    def __str__(self) -> str:
        bounds = (
            f" in [{self.low:g}, {self.high:g}{')]'[self.closed]}"
            if self.high < np.inf
            else f" of at least {self.low:g}"
        )
        number = ("a whole number" if self.integer else "a finite number") + (bounds if self.low > -np.inf else "")
        return number + " or a tuple of them" * self.several + " or a schedule" * self.schedule + " or None" * self.none


ANY, SHARE, COUNT, POSITIVE = Range(), Range(0, 1), Range(low=1, integer=True), Range(low=0)
STATIC, STEP = COUNT._replace(static=True), COUNT._replace(low=0)
AXIS = Range(integer=True, static=True)
AXES = AXIS._replace(several=True)
# In everyone's optimizers, as these names mean the same everywhere.
SHARED_RANGES = {
    "lr": Range(schedule=True),  # negative ones too: there are people who ascend
    "peak_lr": ANY,
    "weight_decay": Range(low=0, schedule=True),
    "momentum": SHARE,
    "decay_rate": SHARE,
    "beta1": SHARE,
    "beta2": SHARE,
    "beta3": SHARE,
    "eps": POSITIVE,
}
# In this package's alone: to somebody else a window may be anything. With a factory's name before it, in that one's.
PACKAGE_RANGES = {
    # rules
    "dampening": POSITIVE,
    "momentum_decay": POSITIVE,
    "gamma": POSITIVE,
    "lambd": POSITIVE,
    "eta_minus": SHARE,
    "eta_plus": Range(low=1),
    "max_scale": POSITIVE,
    "trust_coefficient": POSITIVE,
    "ademamix.alpha": POSITIVE,
    "ademamix.warmup_steps": COUNT,
    "eps1": POSITIVE,
    "eps2": POSITIVE,
    "schedule_free_sgd.beta1": Range(0.01, 1),  # x is found by dividing by it
    "schedule_free_adamw.beta1": Range(0.01, 1),
    "d0": POSITIVE,
    "h0": POSITIVE,
    "d_coef": POSITIVE,
    "reps_rel": POSITIVE,
    "max_lr": POSITIVE,
    "f_min": ANY,
    "radius": POSITIVE,
    "in_axis": AXIS._replace(none=True),
    **{f"{rule}.in_axis": AXES._replace(none=True) for rule in ("muon", "normuon", "scion")},
    "shampoo_beta": SHARE,
    "graft_eps": POSITIVE,
    "precond_lr": POSITIVE,
    "muon.steps": STATIC,
    "normuon.steps": STATIC,
    "scion.steps": STATIC,
    "longest": STATIC,
    "block": STATIC,
    "memory": STATIC,
    "c1": SHARE,
    "c2": SHARE,
    "max_evaluations": COUNT,
    # transforms
    "max_value": POSITIVE,
    "max_norm": POSITIVE,
    "noise_multiplier": POSITIVE,
    "clipping": POSITIVE,
    "floor": POSITIVE,
    "variance": Range(low=0, schedule=True),
    "amplify": POSITIVE,
    "optimism": Range(low=0, schedule=True),
    "seed": Range(integer=True, integer_array=True),
    # wrappers
    "ema": SHARE._replace(none=True),
    "every": COUNT,
    "accumulate.every": COUNT._replace(schedule=True),
    "alpha": Range(low=0, high=1, closed=True),
    "rho": POSITIVE,
    "deviations": POSITIVE,
    "window": STATIC._replace(low=2),
    "begin": STEP,
    "out_axis": AXIS,
    **{f"{rule}.out_axis": AXES for rule in ("muon", "normuon", "scion")},
    "patience": COUNT,
    "cooldown": STEP,
    "atol": POSITIVE,
    "min_scale": POSITIVE,
    "threshold": SHARE,
    "give_up_after": COUNT,
    # schedules
    "value": ANY,
    "start": ANY,
    "end": ANY,
    "peak": ANY,
    "rate": POSITIVE,
    "power": POSITIVE,
    "factor": Range(schedule=True),
    "then": Range(schedule=True),
    "schedule": Range(schedule=True),
    "a": Range(schedule=True),
    "b": Range(schedule=True),
    "warmup": SHARE._replace(static=True),
    "steps": COUNT,
    "one_cycle.steps": STATIC,
    "cosine_restarts.steps": STATIC,
    "growth": STATIC,
    "warmup_steps": COUNT,
    "stable_steps": COUNT,
    "decay_steps": COUNT,
}
# What no schedule can stand for, and why.
FIXED = {
    "peak_lr": "it is the largest of a schedule",
    "ademamix.warmup_steps": "alpha and beta3 may be schedules in its place",
    "h0": "nothing but the first step has it",
    "d0": "nothing but the first step has it",
    "reps_rel": "nothing but the first step has it",
    "schedule_free_sgd.beta1": "the averages are found by it from the state",
    "schedule_free_adamw.beta1": "the averages are found by it from the state",
}

# What may be chosen by name, in this package's factories.
CHOICES = {
    "decay": ("decoupled", "independent", "l2", "proximal"),
    "method": ("newton_schulz", "polar_express"),
    "scale": ("original", "match_rms_adamw", "spectral"),
    "preconditioning": ("frobenius", "schatten", "aol"),
    "between": ("step", "linear", "cosine"),
    "norm": ("spectral", "sign", "sign_fan_in"),
}


def ranges_of(factory: Callable[..., Any]) -> dict[str, Range]:
    """Return the valid ranges of a factory's hyperparameters, by name."""
    ours = str(factory.__module__).startswith("jaxopt_lite.")
    return _ranges_of_ours(factory.__name__) if ours else SHARED_RANGES


@functools.cache
def _ranges_of_ours(factory: str) -> dict[str, Range]:
    here = f"{factory}."
    return (
        SHARED_RANGES
        | PACKAGE_RANGES
        | {name.removeprefix(here): kind for name, kind in PACKAGE_RANGES.items() if name.startswith(here)}
    )


def schedules_of(value: Any) -> dict[str, Callable[..., Any]]:
    """Find the arguments that are schedules where the factory's body expects numbers."""
    ranges = ranges_of(value.factory)
    return {k: x for k, x in value.arguments.items() if callable(x) and k in ranges and not ranges[k].schedule}


def why_fixed(factory: Callable[..., Any], name: str) -> str:
    """Return the reason why a number takes no schedule; "" if it takes one."""
    annotation = inspect.signature(factory).parameters[name].annotation
    types = get_args(annotation) or (annotation,)
    if int in types and float not in types:
        return "it is one for all steps"
    return FIXED.get(name) or FIXED.get(f"{factory.__name__}.{name}", "")
