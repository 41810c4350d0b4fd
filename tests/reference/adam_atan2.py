"""Everett et al. (2024), arXiv:2407.05872, §4.3; a complex moment keeps its phase."""

import numpy as np

from reference.decay import decay_of, with_l2


def adam_atan2(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, **decay):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        grad = with_l2(g, p, **decay)
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * np.abs(grad) ** 2
        angle = np.arctan2(np.abs(m) / (1 - beta1**t), np.sqrt(v / (1 - beta2**t)))
        p = decay_of(
            p, lr * angle * np.exp(1j * np.angle(m)) if np.iscomplexobj(m) else lr * angle * np.sign(m), lr, **decay
        )
        yield p, {"m": m, "v": v}
