"""You et al. (2020), arXiv:1904.00962, algorithm 2."""

import numpy as np


def lamb(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        r = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p
        of_p, of_r = (np.sqrt(np.sum(np.abs(x) ** 2)) for x in (p, r))
        p = p - lr * (of_p / of_r if of_p > 0 and of_r > 0 else 1) * r
        yield p, {"m": m, "v": v}
