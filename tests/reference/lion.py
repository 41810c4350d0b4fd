"""Chen et al. (2023), arXiv:2302.06675, algorithm 2; the sign of a complex number is its direction."""

import numpy as np

from reference.decay import decay_of, with_l2


def lion(p, gradients, lr=1e-4, beta1=0.9, beta2=0.99, **decay):
    decay = {"weight_decay": 0.0} | decay
    m = np.zeros_like(p)
    for g in gradients:
        grad = with_l2(g, p, **decay)
        p = decay_of(p, lr * np.sign(beta1 * m + (1 - beta1) * grad), lr, **decay)
        m = beta2 * m + (1 - beta2) * grad
        yield p, {"m": m}
