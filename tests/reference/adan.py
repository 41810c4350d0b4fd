"""Xie et al. (2022), arXiv:2208.06677, algorithm 1, in the authors' rates: their 1 - β is beta here."""

import numpy as np

from reference.decay import decay_of, with_l2


def adan(p, gradients, lr=0.001, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8, **decay):
    decay = {"weight_decay": 0.0, "decay": "proximal"} | decay
    m, d, n, last = np.zeros_like(p), np.zeros_like(p), np.zeros(p.shape), None
    for t, gradient in enumerate(gradients, start=1):
        g = with_l2(gradient, p, **decay)
        difference = np.zeros_like(g) if last is None else g - last
        m = beta1 * m + (1 - beta1) * g
        d = beta2 * d + (1 - beta2) * difference
        n = beta3 * n + (1 - beta3) * np.abs(g + beta2 * difference) ** 2
        step = m / (1 - beta1**t) + beta2 * d / (1 - beta2**t)
        p = decay_of(p, lr * step / (np.sqrt(n / (1 - beta3**t)) + eps), lr, **decay)
        last = g
        yield p, {"m": m, "d": d, "n": n, "g": g}
