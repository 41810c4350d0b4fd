"""Zeiler (2012), arXiv:1212.5701, algorithm 1."""

import numpy as np


def adadelta(p, gradients, lr=1.0, decay_rate=0.9, eps=1e-6):
    v, u = np.zeros(p.shape), np.zeros(p.shape)
    for g in gradients:
        v = decay_rate * v + (1 - decay_rate) * np.abs(g) ** 2
        delta = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = decay_rate * u + (1 - decay_rate) * np.abs(delta) ** 2
        p = p - lr * delta
        yield p, {"v": v, "u": u}
