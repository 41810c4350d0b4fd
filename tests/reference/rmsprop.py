"""Deep Learning from Scratch, the code of chapter 6; momentum and centering as Graves (2013), arXiv:1308.0850."""

import numpy as np


def rmsprop(p, gradients, lr=0.01, decay_rate=0.99, eps=1e-7, momentum=None, centered=False):
    h, mean, b = np.zeros(p.shape), np.zeros_like(p), np.zeros_like(p)
    for g in gradients:
        h = decay_rate * h + (1 - decay_rate) * np.abs(g) ** 2
        mean = decay_rate * mean + (1 - decay_rate) * g
        variance = np.maximum(h - np.abs(mean) ** 2, 0) if centered else h
        b = (momentum or 0) * b + g / (np.sqrt(variance) + eps)
        p = p - lr * b
        kept = {"mean": mean} if centered else {}
        yield p, {"h": h, **kept, **({} if momentum is None else {"b": b})}
