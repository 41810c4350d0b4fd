"""Pethick et al. (2025), arXiv:2502.07529, algorithms 1 and 2, with the scales of the authors' LIONS-EPFL/scion."""

import numpy as np

from reference.orthogonal import orthogonal


def direction(m, norm, method, steps):
    fan_in, fan_out = m.shape
    if norm == "spectral":
        return np.sqrt(fan_out / fan_in) * orthogonal(m, method, steps)
    size = np.abs(m)
    return m / np.where(size > 0, size, 1) / (fan_in if norm == "sign_fan_in" else 1)


def scion(
    p,
    gradients,
    lr=0.00025,
    momentum=0.9,
    radius=50.0,
    norm="spectral",
    constrained=True,
    method="newton_schulz",
    steps=5,
):
    m = np.zeros_like(p)
    for t, g in enumerate(gradients):
        lr_t = lr(t) if callable(lr) else lr
        m = momentum * m + (1 - momentum) * g
        lmo = np.zeros_like(p)
        for i in np.ndindex(p.shape[:-2]):
            lmo[i] = direction(m[i], norm, method, steps)
        p = (1 - lr_t if constrained else 1) * p - lr_t * radius * lmo
        yield p, {"momentum": m}
