"""Zaheer et al. (2018), algorithm 2, with corrected biases as in optax."""

import numpy as np


def yogi(p, gradients, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-3):
    m, v = np.zeros_like(p), np.full(p.shape, 1e-6)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = v - (1 - beta2) * np.sign(v - np.abs(g) ** 2) * np.abs(g) ** 2
        p = p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        yield p, {"m": m, "v": v}
