"""Loizou et al. (2021), arXiv:2002.10542, SPS_max with c = 1; eps as in polyak_sgd of optax 0.2.8."""

import numpy as np


def polyak_sgd(p, gradients, value, lr=1.0, max_lr=1.0, f_min=0.0, eps=0.0):
    for g, f in zip(gradients, value, strict=True):
        size = np.sum(np.abs(g) ** 2) + eps
        eta = lr * min(max(f - f_min, 0) / size, max_lr) if size > 0 else 0.0
        p = p - eta * g
        yield p, {}
