"""Dozat (2016), as torch's documentation of NAdam writes it down."""

import numpy as np


def nadam(p, gradients, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=0.004):
    m, v, product = np.zeros_like(p), np.zeros(p.shape), 1.0
    for t, g in enumerate(gradients, start=1):
        mu_t = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product = product * mu_t
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu_t) * g / (1 - product)
        p = p - lr * m_hat / (np.sqrt(v / (1 - beta2**t)) + eps)
        yield p, {"product": product, "m": m, "v": v}
