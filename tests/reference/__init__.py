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
from reference.adam_standard import adam_standard
from reference.adamax import adamax
from reference.adamw import adamw
from reference.adan import adan
from reference.ademamix import ademamix
from reference.adopt import adopt
from reference.amsgrad import amsgrad
from reference.asgd import asgd
from reference.dadapt_adam import dadapt_adam
from reference.dog import dog
from reference.dowg import dowg
from reference.heavy_ball import heavy_ball
from reference.kl_soap import kl_soap
from reference.lamb import lamb
from reference.laprop import laprop
from reference.lars import lars
from reference.lion import lion
from reference.madgrad import madgrad
from reference.mars import mars
from reference.momentum import momentum
from reference.muon import muon
from reference.nadam import nadam
from reference.nadamw import nadamw
from reference.nesterov import nesterov
from reference.normuon import normuon
from reference.novograd import novograd
from reference.polyak_sgd import polyak_sgd
from reference.prodigy import prodigy
from reference.psgd_kron import psgd_kron
from reference.radam import radam
from reference.rmsprop import rmsprop
from reference.rprop import rprop
from reference.schedule_free_adamw import schedule_free_adamw
from reference.schedule_free_sgd import schedule_free_sgd
from reference.scion import scion
from reference.sgd import sgd
from reference.shampoo import shampoo
from reference.signum import signum
from reference.sm3 import sm3
from reference.soap import soap
from reference.sophia import sophia
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
    "adam_standard",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "asgd",
    "dadapt_adam",
    "dog",
    "dowg",
    "heavy_ball",
    "kl_soap",
    "lamb",
    "laprop",
    "lars",
    "lion",
    "madgrad",
    "mars",
    "momentum",
    "muon",
    "nadam",
    "nadamw",
    "nesterov",
    "normuon",
    "novograd",
    "polyak_sgd",
    "prodigy",
    "psgd_kron",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "scion",
    "sgd",
    "shampoo",
    "signum",
    "sm3",
    "soap",
    "sophia",
    "stable_adamw",
    "yogi",
]
