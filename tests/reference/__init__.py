"""Twins: each optimizer once more, for one array, in NumPy and float64, written from its source and nothing else.

A twin is a generator. Given the first parameters and the gradients of all steps, it yields after each step the
parameters and what the state should hold.
"""

from reference.adagrad import adagrad
from reference.adam import adam
from reference.adamw import adamw
from reference.momentum import momentum
from reference.nesterov import nesterov
from reference.rmsprop import rmsprop
from reference.sgd import sgd

__all__ = ["adagrad", "adam", "adamw", "momentum", "nesterov", "rmsprop", "sgd"]
