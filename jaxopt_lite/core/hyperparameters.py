"""Valid ranges of hyperparameters by name, in one table."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import numpy as np


class Range(NamedTuple):
    """The valid values of a hyperparameter: finite numbers in [low, high), and perhaps a schedule or None.

    ``closed``: ``high`` itself is valid as well. ``static``: a Python number, because shapes or loops depend on it.
    ``integer_array``: an array must hold integers. ``several``: a tuple of valid numbers is valid as well.
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
# Ranges for all factories, a user's as well, because these names mean the same everywhere.
SHARED_RANGES = {
    "lr": Range(schedule=True),  # negative rates are valid, because some people ascend
    "peak_lr": ANY,
    "weight_decay": Range(low=0, schedule=True),
    "momentum": SHARE,
    "decay_rate": SHARE,
    "beta1": SHARE,
    "beta2": SHARE,
    "beta3": SHARE,
    "eps": POSITIVE,
}
# Ranges for this package's factories alone, because a user's ``window`` may be anything.
# A name such as ``muon.steps`` is for the factory ``muon`` alone.
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
    "schedule_free_sgd.beta1": Range(0.01, 1),  # because x is computed by a division by beta1
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
# Hyperparameters that cannot be schedules, with the reasons.
FIXED = {
    "peak_lr": "it is the largest of a schedule",
    "ademamix.warmup_steps": "alpha and beta3 may be schedules in its place",
    "h0": "nothing but the first step has it",
    "d0": "nothing but the first step has it",
    "reps_rel": "nothing but the first step has it",
    "schedule_free_sgd.beta1": "the averages are found by it from the state",
    "schedule_free_adamw.beta1": "the averages are found by it from the state",
}

# Valid strings for arguments of this package's factories.
CHOICES = {
    "decay": ("decoupled", "independent", "l2", "proximal"),
    "method": ("newton_schulz", "polar_express"),
    "scale": ("original", "match_rms_adamw", "spectral"),
    "preconditioning": ("frobenius", "schatten", "aol"),
    "between": ("step", "linear", "cosine"),
    "norm": ("spectral", "sign", "sign_fan_in"),
}


def ranges_of(factory: Callable[..., Any]) -> dict[str, Range]:
    """Return the valid ranges of a factory's hyperparameters, for all names in the tables."""
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
    """Return the arguments that are schedules although the factory's body expects numbers."""
    ranges = ranges_of(value.factory)
    return {k: x for k, x in value.arguments.items() if callable(x) and k in ranges and not ranges[k].schedule}


def why_fixed(factory: Callable[..., Any], name: str) -> str:
    """Return the reason why a hyperparameter cannot be a schedule; "" if it can."""
    annotation = inspect.signature(factory).parameters[name].annotation
    types = get_args(annotation) or (annotation,)
    if int in types and float not in types:
        return "it is one for all steps"
    return FIXED.get(name) or FIXED.get(f"{factory.__name__}.{name}", "")
