"""Deep Learning from Scratch, §6.1.4."""

import numpy as np


def momentum(p, gradients, lr=0.01, momentum=0.9):
    velocity = np.zeros_like(p)
    for g in gradients:
        velocity = momentum * velocity - lr * g
        p = p + velocity
        yield p, {"velocity": velocity}
