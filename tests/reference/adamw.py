"""Loshchilov & Hutter (2019), arXiv:1711.05101, algorithm 2; "independent" as in its line 12, η_t = lr_t / peak_lr."""

import numpy as np


def adamw(
    p,
    gradients,
    lr=0.001,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    weight_decay=0.01,
    decay="decoupled",
    peak_lr=None,
):
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        lr_t = lr(t - 1) if callable(lr) else lr
        shrink = {"decoupled": lr_t, "independent": lr_t / (peak_lr or lr_t), "l2": 0}[decay] * weight_decay
        grad = g + weight_decay * p if decay == "l2" else g
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * np.abs(grad) ** 2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        p = p - lr_t * m_hat / (np.sqrt(v_hat) + eps) - shrink * p
        yield p, {"m": m, "v": v}
