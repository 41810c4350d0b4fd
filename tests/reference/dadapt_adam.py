"""Defazio & Mishchenko (2023), arXiv:2301.07733, for Adam, as in the package dadaptation 3.2, decay decoupled."""

import numpy as np


def dadapt_adam(p, gradients, lr=1.0, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, d0=1e-6):
    root = np.sqrt(beta2)
    d, r, m, v, s = d0, 0.0, np.zeros_like(p), np.zeros(p.shape), np.zeros_like(p)
    for t, g in enumerate(gradients, start=1):
        step = d * (lr(t - 1) if callable(lr) else lr)
        r = root * r + (1 - root) * step * np.sum(np.real(np.conj(g) * s / (np.sqrt(v) + eps)))
        m = beta1 * m + (1 - beta1) * step * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        s = root * s + (1 - root) * step * g
        norm = np.sum(np.abs(s))
        if norm > 0:
            d = max(d, r / ((1 - root) * norm))
        p = p - step * weight_decay * p - m / (np.sqrt(v) + eps)
        yield p, {"d": d, "r": r, "m": m, "v": v, "s": s}
