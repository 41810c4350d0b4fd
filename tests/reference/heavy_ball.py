"""Polyak (1964), as torch's documentation of SGD writes it down."""

import numpy as np


def heavy_ball(p, gradients, lr=0.01, momentum=0.9, dampening=0.0, nesterov=False):
    b = None
    for g in gradients:
        b = g if b is None else momentum * b + (1 - dampening) * g
        p = p - lr * (g + momentum * b if nesterov else b)
        yield p, {"b": np.asarray(b)}
