"""Deep Learning from Scratch, §6.1.5."""

import numpy as np


def adagrad(p, gradients, lr=0.01, eps=1e-7, h0=0.0):
    h = np.full(p.shape, float(h0))
    for g in gradients:
        h = h + np.abs(g) ** 2
        p = p - lr * g / (np.sqrt(h) + eps)
        yield p, {"h": h}
