"""You et al. (2017), arXiv:1708.03888, algorithm 1."""

import numpy as np


def lars(p, gradients, lr=1.0, momentum=0.9, weight_decay=0.0, trust_coefficient=0.001):
    velocity = np.zeros_like(p)
    for g in gradients:
        of_p, of_g = (np.sqrt(np.sum(np.abs(x) ** 2)) for x in (p, g))
        below = of_g + weight_decay * of_p
        local = trust_coefficient * of_p / below if of_p > 0 and below > 0 else 1
        velocity = momentum * velocity - lr * local * (g + weight_decay * p)
        p = p + velocity
        yield p, {"velocity": velocity}
