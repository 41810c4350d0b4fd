"""Twins: each optimizer once more, for one array, in NumPy and float64, written from its source and nothing else.

A twin is a generator. Given the first parameters and the gradients of all steps, it yields after each step the
parameters and what the state should hold.
"""

from reference.adabelief import adabelief
from reference.adadelta import adadelta
from reference.adafactor import adafactor
from reference.adagrad import adagrad
from reference.adam import adam
from reference.adam_atan2 import adam_atan2
from reference.adam_mini import adam_mini
from reference.adamax import adamax
from reference.adamw import adamw
from reference.adan import adan
from reference.ademamix import ademamix
from reference.adopt import adopt
from reference.amsgrad import amsgrad
from reference.asgd import asgd
from reference.heavy_ball import heavy_ball
from reference.lamb import lamb
from reference.laprop import laprop
from reference.lars import lars
from reference.lion import lion
from reference.madgrad import madgrad
from reference.mars import mars
from reference.momentum import momentum
from reference.nadam import nadam
from reference.nadamw import nadamw
from reference.nesterov import nesterov
from reference.novograd import novograd
from reference.radam import radam
from reference.rmsprop import rmsprop
from reference.rprop import rprop
from reference.sgd import sgd
from reference.signum import signum
from reference.sm3 import sm3
from reference.stable_adamw import stable_adamw
from reference.yogi import yogi

__all__ = [
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adam_atan2",
    "adam_mini",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "asgd",
    "heavy_ball",
    "lamb",
    "laprop",
    "lars",
    "lion",
    "madgrad",
    "mars",
    "momentum",
    "nadam",
    "nadamw",
    "nesterov",
    "novograd",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "signum",
    "sm3",
    "stable_adamw",
    "yogi",
]
