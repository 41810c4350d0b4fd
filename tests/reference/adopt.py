"""Taniguchi et al. (2024), arXiv:2411.02853, algorithm 2, with the clipping of its code."""

import numpy as np


def adopt(p, gradients, lr=0.001, beta1=0.9, beta2=0.9999, eps=1e-6):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for before, g in enumerate(gradients):
        if before == 0:
            v = np.abs(g) ** 2
        else:
            n = g / np.maximum(np.sqrt(v), eps)
            length = np.maximum(np.abs(n), 1e-300)
            m = beta1 * m + (1 - beta1) * n / length * np.minimum(length, before**0.25)
            p = p - lr * m
            v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        yield p, {"m": m, "v": v}
