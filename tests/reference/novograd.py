"""Ginsburg et al. (2019), arXiv:1905.11286, algorithm 1."""

import numpy as np


def novograd(p, gradients, lr=0.001, beta1=0.95, beta2=0.98, eps=1e-8, weight_decay=0.0):
    v = m = None
    for g in gradients:
        squared = np.sum(np.abs(g) ** 2)
        v = squared if v is None else beta2 * v + (1 - beta2) * squared
        direction = g / (np.sqrt(v) + eps) + weight_decay * p
        m = direction if m is None else beta1 * m + direction
        p = p - lr * m
        yield p, {"m": m, "v": v}
