"""Dozat (2016) with the decay of Loshchilov & Hutter (2019)."""

import numpy as np

from reference.decay import decay_of, with_l2


def nadamw(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, **decay):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        grad = with_l2(g, p, **decay)
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * np.abs(grad) ** 2
        m_tilde = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * grad / (1 - beta1**t)
        p = decay_of(p, lr * m_tilde / (np.sqrt(v / (1 - beta2**t)) + eps), lr, **decay)
        yield p, {"m": m, "v": v}
