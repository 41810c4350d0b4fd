"""Pagliardini et al. (2024), arXiv:2409.03137, algorithm 1 and its schedulers, in the paper's form."""

import numpy as np

from reference.decay import decay_of, with_l2


def ademamix(
    p, gradients, lr=0.001, beta1=0.9, beta2=0.999, beta3=0.9999, eps=1e-8, alpha=5.0, warmup_steps=None, **decay
):
    decay = {"weight_decay": 0.0} | decay
    m1, m2, v = np.zeros_like(p), np.zeros_like(p), np.zeros(p.shape)
    for t, gradient in enumerate(gradients, start=1):
        g = with_l2(gradient, p, **decay)
        alpha_t, beta3_t = alpha, beta3
        if warmup_steps is not None:
            x, low, high = t / warmup_steps, np.log(beta1), np.log(beta3)
            alpha_t = min(x * alpha, alpha)
            if x < 1:
                beta3_t = min(np.exp(low * high / ((1 - x) * high + x * low)), beta3)
        m1 = beta1 * m1 + (1 - beta1) * g
        m2 = beta3_t * m2 + (1 - beta3_t) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        step = (m1 / (1 - beta1**t) + alpha_t * m2) / (np.sqrt(v / (1 - beta2**t)) + eps)
        p = decay_of(p, lr * step, lr, **decay)
        yield p, {"m1": m1, "m2": m2, "v": v}
