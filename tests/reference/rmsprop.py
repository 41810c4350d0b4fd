"""Deep Learning from Scratch, the code of chapter 6."""

import numpy as np


def rmsprop(p, gradients, lr=0.01, decay_rate=0.99, eps=1e-7):
    h = np.zeros(p.shape)
    for g in gradients:
        h = decay_rate * h + (1 - decay_rate) * np.abs(g) ** 2
        p = p - lr * g / (np.sqrt(h) + eps)
        yield p, {"h": h}
