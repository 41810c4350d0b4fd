"""Reddi et al. (2018), arXiv:1904.09237, algorithm 2, with torch's correction of biases."""

import numpy as np


def amsgrad(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, v_max = np.zeros_like(p), np.zeros(p.shape), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        v_max = np.maximum(v_max, v)
        p = p - lr * m / (1 - beta1**t) / (np.sqrt(v_max / (1 - beta2**t)) + eps)
        yield p, {"m": m, "v": v, "v_max": v_max}
