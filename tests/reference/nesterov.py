"""Deep Learning from Scratch, the code of chapter 6, written in the old velocity as there."""

import numpy as np


def nesterov(p, gradients, lr=0.01, momentum=0.9):
    velocity = np.zeros_like(p)
    for g in gradients:
        p = p + momentum * momentum * velocity - (1 + momentum) * lr * g
        velocity = momentum * velocity - lr * g
        yield p, {"velocity": velocity}
