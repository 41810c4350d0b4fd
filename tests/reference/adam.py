"""Deep Learning from Scratch, §6.1.6."""

import numpy as np


def adam(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-7):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        lr_t = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (np.abs(g) ** 2 - v)
        p = p - lr_t * m / (np.sqrt(v) + eps)
        yield p, {"m": m, "v": v}
