"""Mishchenko & Defazio (2023), arXiv:2306.06101, for Adam; prodigyopt 1.1.2 has r and s over (1 - β₃) d₀."""

import numpy as np


def prodigy(p, gradients, lr=1.0, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, d0=1e-6, d_coef=1.0):
    start, beta3 = p, np.sqrt(beta2)
    d, r, m, v, s = d0, 0.0, np.zeros_like(p), np.zeros(p.shape), np.zeros_like(p)
    for t, g in enumerate(gradients, start=1):
        step = d * (lr(t - 1) if callable(lr) else lr)
        m = beta1 * m + (1 - beta1) * d * g
        v = beta2 * v + (1 - beta2) * d**2 * np.abs(g) ** 2
        r = beta3 * r + (1 - beta3) * step * d * np.sum(np.real(np.conj(g) * (start - p)))
        s = beta3 * s + (1 - beta3) * step * d * g
        p = p - step * (weight_decay * p + m / (np.sqrt(v) + d * eps))
        norm = np.sum(np.abs(s))
        if norm > 0:
            d = max(d, d_coef * r / norm)
        yield p, {"d": d, "r": r, "m": m, "v": v, "s": s, "start": start}
