"""Kingma & Ba (2015), arXiv:1412.6980, algorithm 2; the epsilon is torch's."""

import numpy as np


def adamax(p, gradients, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    m, u = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + eps)
        p = p - lr / (1 - beta1**t) * m / u
        yield p, {"m": m, "u": u}
