"""Names that users bring from optax, torch or memory, and what they are called here."""

import difflib
import re
from collections.abc import Iterable

NAMES = {
    "MultiSteps": "accumulate",
    "apply_every": "accumulate",
    "apply_if_finite": "skip_nonfinite",
    "zero_nans": "skip_nonfinite",
    "skip_not_finite": "skip_nonfinite",
    "skip_large_updates": "skip_spikes",
    "ema": "average",
    "params_ema": "average",
    "AveragedModel": "average",
    "multi_transform": "partition",
    "masked": "partition",
    "set_to_zero": "freeze",
    "inject_hyperparams": "schedules, of which any number may be one, and hyperparams to read them",
    "add_decayed_weights": "l2_decay before a rule, weight_decay after it",
    "add_noise": "add_noise",
    "clip_by_block_rms": "transform_from_optax(optax.clip_by_block_rms(…))",
    "adaptive_grad_clip": "adaptive_clip",
    "clip_grad_norm_": "clip_by_global_norm",
    "clip_grad_value_": "clip",
    "scale_by_adam": "adam_standard",
    "scale_by_schedule": "the argument lr, which may be a schedule",
    "ReduceLROnPlateau": "reduce_on_plateau",
    "optimistic_gradient_descent": "chain(optimistic(), sgd())",
    "optimistic_adam": "chain(adam_standard(), optimistic())",
    "adamaxw": "chain(adamax(), weight_decay())",
    "sign_sgd": "signum(beta1=0.0)",
    "SGDM": "momentum",
    "KFAC": "shampoo",
    "warmup_cosine_decay_schedule": "schedules.warmup(steps, schedules.cosine(…))",
    "cosine_decay_schedule": "schedules.cosine",
    "linear_schedule": "schedules.linear",
    "constant_schedule": "schedules.constant",
    "exponential_decay": "schedules.exponential",
    "polynomial_schedule": "schedules.polynomial",
    "piecewise_constant_schedule": "schedules.piecewise",
    "sgdr_schedule": "schedules.cosine_restarts",
    "cosine_onecycle_schedule": "schedules.one_cycle",
    "join_schedules": "schedules.join",
    "CosineAnnealingLR": "schedules.cosine",
    "StepLR": "schedules.step",
    "OneCycleLR": "schedules.one_cycle",
}
ARGUMENTS = {
    "learning_rate": "lr",
    "b1": "beta1",
    "b2": "beta2",
    "b3": "beta3",
    "betas": "beta1 and beta2",
    "epsilon": "eps",
    "momentum": "the argument of the optimizers momentum and heavy_ball",
    "nesterov": "the optimizer nesterov, nadam or nadamw",
    "amsgrad": "the optimizer amsgrad",
    "weight_decay": "the transform weight_decay, in a chain after the rule",
    "mask": "partition, which gives each group of leaves an optimizer of its own",
    "mu_dtype": "no argument: moments are at least float32",
    "accumulator_dtype": "no argument: moments are at least float32",
    "maximize": "the wrapper maximize",
    "every_k_schedule": "every",
    "memory_size": "memory",
    "decay_steps": "steps",
    "transition_steps": "steps",
    "init_value": "start",
    "end_value": "end",
    "peak_value": "peak",
    "transition_begin": "schedules.join, which begins a schedule at a step",
}


def _simple(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that refuses a name: what is meant by it here, or ""."""
    simple = {_simple(x): x for x in known}
    theirs = {_simple(x): ours for x, ours in NAMES.items()}
    if counterpart := theirs.get(_simple(name)):
        return f"; here it is {counterpart}"
    exact = [simple[_simple(name)]] if _simple(name) in simple else []
    near = exact or [simple[x] for x in difflib.get_close_matches(_simple(name), simple, n=2)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def argument_meant(names: Iterable[str], parameters: Iterable[str]) -> str:
    """Return the end of a sentence that refuses arguments: what the first unknown one is here, or ""."""
    known = list(parameters)
    name = next((name for name in names if name not in known), "")
    counterpart = ARGUMENTS.get(name, "")
    if counterpart and (counterpart in known or not counterpart.isidentifier()):
        return f"; here it is {counterpart}"
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
