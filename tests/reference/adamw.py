"""Loshchilov & Hutter (2019), arXiv:1711.05101, algorithm 2; "independent" as in its line 12, η_t = lr_t / peak_lr."""

import numpy as np

from reference.decay import decay_of, with_l2


def adamw(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, **decay):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        lr_t = lr(t - 1) if callable(lr) else lr
        grad = with_l2(g, p, **decay)
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * np.abs(grad) ** 2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        p = decay_of(p, lr_t * m_hat / (np.sqrt(v_hat) + eps), lr_t, **decay)
        yield p, {"m": m, "v": v}
