"""Optimizers for JAX that read like their papers: pure ``init``/``update`` pairs with explicit, named state."""

from jaxopt_lite.core import Optimizer, apply_updates, optimizer, registry
from jaxopt_lite.numerics import abs2, bias_correction, next_step, sqrt
from jaxopt_lite.optimizers import adagrad, adam, momentum, nesterov, rmsprop, sgd
from jaxopt_lite.rules import at, each
from jaxopt_lite.trees import zero_steps, zeros_like
from jaxopt_lite.wrappers import skip_nonfinite

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - grouped by use, in the order in which a reader meets them
    # a training loop
    "apply_updates",
    # the optimizers
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    # around them
    "skip_nonfinite",
    # writing one
    "optimizer",
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
    "registry",
]
