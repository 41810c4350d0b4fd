"""Defazio et al. (2024), arXiv:2405.15682, algorithm 1; weights, v̂ and ε as in the package schedulefree 1.4.1."""

import numpy as np


def schedule_free_adamw(p, gradients, lr=0.0025, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, power=0.0):
    x, y, z, v = p, p, p, np.zeros(p.shape)
    lr_max = weight_sum = 0.0
    for t, g in enumerate(gradients, start=1):
        lr_t = lr(t - 1) if callable(lr) else lr
        lr_max = max(lr_max, lr_t)
        weight = t**power * lr_max**2
        weight_sum = weight_sum + weight
        c = weight / weight_sum if weight_sum > 0 else 0.0
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        d = np.sqrt(v / (1 - beta2**t)) + eps
        z = z - lr_t * (g / d + weight_decay * y)
        x = (1 - c) * x + c * z
        y = (1 - beta1) * z + beta1 * x
        yield y, {"beta1": beta1, "lr_max": lr_max, "weight_sum": weight_sum, "z": z, "v": v}
