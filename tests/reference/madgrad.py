"""Defazio & Jelassi (2021), arXiv:2101.11075, algorithm 1, with c_k = 1 - momentum."""

import numpy as np


def madgrad(p, gradients, lr=0.01, momentum=0.9, eps=1e-6):
    start, s, v = p, np.zeros_like(p), np.zeros(p.shape)
    for k, g in enumerate(gradients):
        weight = lr * np.sqrt(k + 1)
        s = s + weight * g
        v = v + weight * np.abs(g) ** 2
        z = start - s / (np.cbrt(v) + eps)
        p = momentum * p + (1 - momentum) * z
        yield p, {"s": s, "v": v, "x0": start}
