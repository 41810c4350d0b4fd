"""Bernstein et al. (2018), arXiv:1802.04434, algorithm 2; the sign of a complex number is its direction."""

import numpy as np


def signum(p, gradients, lr=1e-4, beta1=0.9):
    m = np.zeros_like(p)
    for g in gradients:
        m = beta1 * m + (1 - beta1) * g
        p = p - lr * np.sign(m)
        yield p, {"m": m}
