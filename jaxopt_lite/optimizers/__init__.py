"""The rules, one idea a file: docstring, state, factory; in it ``init``, ``update``, and the rule for one array."""

from jaxopt_lite.optimizers.adagrad import AdaGradState, adagrad
from jaxopt_lite.optimizers.adam import AdamState, adam
from jaxopt_lite.optimizers.adamw import AdamWState, adamw
from jaxopt_lite.optimizers.momentum import MomentumState, momentum
from jaxopt_lite.optimizers.nesterov import NesterovState, nesterov
from jaxopt_lite.optimizers.rmsprop import RMSPropState, rmsprop
from jaxopt_lite.optimizers.sgd import SGDState, sgd

__all__ = [
    "AdaGradState",
    "AdamState",
    "AdamWState",
    "MomentumState",
    "NesterovState",
    "RMSPropState",
    "SGDState",
    "adagrad",
    "adam",
    "adamw",
    "momentum",
    "nesterov",
    "rmsprop",
    "sgd",
]
