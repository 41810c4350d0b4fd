"""Yuan et al. (2024), arXiv:2411.10438, algorithm 2, in the approximate form of its code."""

import numpy as np

from reference.decay import decay_of, with_l2


def mars(p, gradients, lr=0.003, beta1=0.95, beta2=0.99, eps=1e-8, gamma=0.025, **decay):
    decay = {"weight_decay": 0.0} | decay
    m, v, last = np.zeros_like(p), np.zeros(p.shape), np.zeros_like(p)
    for t, gradient in enumerate(gradients, start=1):
        g = with_l2(gradient, p, **decay)
        c = g + gamma * beta1 / (1 - beta1) * (g - last)
        norm = np.sqrt(np.sum(np.abs(c) ** 2))
        c = c / norm if norm > 1 else c
        m = beta1 * m + (1 - beta1) * c
        v = beta2 * v + (1 - beta2) * np.abs(c) ** 2
        p = decay_of(p, lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), lr, **decay)
        last = g
        yield p, {"m": m, "v": v, "g": g}
