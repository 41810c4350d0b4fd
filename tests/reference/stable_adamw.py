"""Wortsman et al. (2023), arXiv:2304.13013, algorithm 2, whose rates correct the biases by themselves."""

import numpy as np

from reference.decay import decay_of, with_l2


def stable_adamw(p, gradients, lr=0.001, beta1=0.9, beta2=0.99, eps=1e-8, **decay):
    m_hat, v_hat = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        grad = with_l2(g, p, **decay)
        rate1, rate2 = (beta * (1 - beta ** (t - 1)) / (1 - beta**t) for beta in (beta1, beta2))
        m_hat = rate1 * m_hat + (1 - rate1) * grad
        v_hat = rate2 * v_hat + (1 - rate2) * np.abs(grad) ** 2
        rms = np.sqrt(np.mean(np.abs(grad) ** 2 / np.maximum(v_hat, eps**2)))
        whole = decay_of(p, lr * m_hat / (np.sqrt(v_hat) + eps), lr, **decay)
        p = p + (whole - p) / max(1, rms)
        yield p, {"m": (1 - beta1**t) * m_hat, "v": (1 - beta2**t) * v_hat}
