"""Liu et al. (2024), arXiv:2305.14342, algorithm 3, with the estimates of the Hessian's diagonal given."""

import numpy as np


def sophia(
    p,
    gradients,
    curvatures,
    lr=0.001,
    beta1=0.965,
    beta2=0.99,
    gamma=0.01,
    eps=1e-12,
    weight_decay=0.1,
    every=10,
    clipping=1.0,
):
    m, h = np.zeros_like(p), np.zeros(p.shape)
    for t, (g, estimate) in enumerate(zip(gradients, curvatures, strict=True)):
        if t % every == 0:
            h = beta2 * h + (1 - beta2) * estimate
        m = beta1 * m + (1 - beta1) * g
        ratio = m / np.maximum(gamma * h, eps)
        clipped = ratio / np.maximum(1, np.abs(ratio) / clipping)  # of a complex number the magnitude
        p = p - lr * weight_decay * p - lr * clipped
        yield p, {"m": m, "h": h}
