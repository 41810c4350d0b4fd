"""Optimizers for JAX that read like their papers: pure ``init``/``update`` pairs with explicit, named state."""

from jaxopt_lite import schedules
from jaxopt_lite.core import counterparts
from jaxopt_lite.core.declarations import optimizer, registry, transform
from jaxopt_lite.core.protocol import Optimizer, Transform, apply_updates
from jaxopt_lite.core.scheduled import at
from jaxopt_lite.inspection import describe, hyperparams
from jaxopt_lite.interop import from_optax, to_optax, transform_from_optax
from jaxopt_lite.ops.each import each
from jaxopt_lite.ops.numerics import abs2, bias_correction, sqrt
from jaxopt_lite.optimizers import (
    adabelief,
    adadelta,
    adafactor,
    adagrad,
    adam,
    adam_atan2,
    adam_mini,
    adam_standard,
    adamax,
    adamw,
    adan,
    ademamix,
    adopt,
    amsgrad,
    asgd,
    dadapt_adam,
    dog,
    dowg,
    heavy_ball,
    kl_soap,
    lamb,
    laprop,
    lars,
    lbfgs,
    lion,
    madgrad,
    mars,
    momentum,
    muon,
    nadam,
    nadamw,
    nesterov,
    normuon,
    novograd,
    polyak_sgd,
    prodigy,
    psgd_kron,
    radam,
    rmsprop,
    rprop,
    schedule_free_adamw,
    schedule_free_sgd,
    scion,
    sgd,
    shampoo,
    signum,
    sm3,
    soap,
    sophia,
    stable_adamw,
    yogi,
)
from jaxopt_lite.packing import pack, repack, unpack
from jaxopt_lite.privacy import private_mean
from jaxopt_lite.schedules import Schedule, schedule
from jaxopt_lite.sharding import state_shardings
from jaxopt_lite.states import averaged_params, evaluation_params, find, value_and_grad_from_state
from jaxopt_lite.training import perturbed_params, pmean_fn, train_step
from jaxopt_lite.transforms import (
    adaptive_clip,
    add_noise,
    cautious,
    centralize,
    chain,
    clip,
    clip_by_global_norm,
    clip_by_norm,
    grokfast,
    hyperball,
    l2_decay,
    lr_multiplier,
    normalize,
    optimistic,
    reduce_on_plateau,
    weight_decay,
)
from jaxopt_lite.tree.zeros import next_step, zero_steps, zeros_like
from jaxopt_lite.wrappers import (
    accumulate,
    average,
    freeze,
    lookahead,
    maximize,
    partition,
    sam,
    skip_nonfinite,
    skip_spikes,
)

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - grouped by use, in the order in which a reader meets them
    # a training loop
    "apply_updates",
    "train_step",
    "perturbed_params",
    "pmean_fn",
    "private_mean",
    # many small leaves
    "pack",
    "unpack",
    "repack",
    # the optimizers: the book's
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    "adam_standard",
    # Adam and what came of it
    "adamw",
    "nadam",
    "nadamw",
    "radam",
    "adamax",
    "amsgrad",
    "adabelief",
    "yogi",
    "adan",
    "adopt",
    "ademamix",
    "mars",
    "laprop",
    "stable_adamw",
    "adam_atan2",
    # other adaptive ones
    "adadelta",
    "madgrad",
    # first order
    "heavy_ball",
    "asgd",
    # signs
    "lion",
    "signum",
    "rprop",
    # layer by layer
    "lars",
    "lamb",
    "novograd",
    # small states
    "adafactor",
    "sm3",
    "adam_mini",
    # no learning rate to tune
    "schedule_free_sgd",
    "schedule_free_adamw",
    "evaluation_params",
    "prodigy",
    "dadapt_adam",
    "dog",
    "dowg",
    # matrices as matrices
    "muon",
    "normuon",
    "scion",
    "shampoo",
    "soap",
    "kl_soap",
    "psgd_kron",
    # the loss itself
    "polyak_sgd",
    "sophia",
    "lbfgs",
    "value_and_grad_from_state",
    # learning rates that change
    "schedules",
    # before and after a rule
    "chain",
    "clip",
    "clip_by_norm",
    "clip_by_global_norm",
    "adaptive_clip",
    "centralize",
    "normalize",
    "add_noise",
    "grokfast",
    "optimistic",
    "weight_decay",
    "cautious",
    "hyperball",
    "l2_decay",
    "lr_multiplier",
    "reduce_on_plateau",
    # around them
    "accumulate",
    "average",
    "averaged_params",
    "lookahead",
    "sam",
    "skip_nonfinite",
    "skip_spikes",
    "maximize",
    # groups of parameters
    "partition",
    "freeze",
    "describe",
    # looking into a state
    "find",
    "hyperparams",
    "state_shardings",
    # other libraries
    "to_optax",
    "from_optax",
    "transform_from_optax",
    # writing one
    "optimizer",
    "transform",
    "schedule",
    "each",
    "at",
    "zeros_like",
    "zero_steps",
    "next_step",
    "abs2",
    "sqrt",
    "bias_correction",
    # what there is
    "Optimizer",
    "Transform",
    "Schedule",
    "registry",
]


def __getattr__(name: str) -> object:
    """Refuse a name that is not here, and say what is meant."""
    raise AttributeError(f"module 'jaxopt_lite' has no attribute {name!r}{counterparts.meant(name, __all__)}")
