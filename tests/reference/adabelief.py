"""Zhuang et al. (2020), arXiv:2010.07468, algorithm 2."""

import numpy as np


def adabelief(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-16):
    m, s = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * np.abs(g - m) ** 2 + eps
        p = p - lr * m / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + eps)
        yield p, {"m": m, "s": s}
