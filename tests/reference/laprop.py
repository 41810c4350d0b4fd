"""Ziyin et al. (2020), arXiv:2002.04839, algorithm 1."""

import numpy as np


def laprop(p, gradients, lr=4e-4, beta1=0.9, beta2=0.999, eps=1e-15):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        m = beta1 * m + (1 - beta1) * g / (np.sqrt(v / (1 - beta2**t)) + eps)
        p = p - lr * m / (1 - beta1**t)
        yield p, {"m": m, "v": v}
