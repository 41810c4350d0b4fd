"""Polyak & Juditsky (1992), as torch's documentation of ASGD and Bottou (2012) write it down."""

import numpy as np


def asgd(p, gradients, lr=0.01, lambd=1e-4, power=0.75, begin=1_000_000):
    average = np.zeros_like(p)
    for t, g in enumerate(gradients):
        eta = lr / (1 + lambd * lr * t) ** power
        p = (1 - lambd * eta) * p - eta * g
        average = p if t <= begin else average + (p - average) / (t - begin)
        yield p, {"average": average}
