"""Khaled, Mishchenko & Jin (2023), arXiv:2305.16284, algorithm 1; ε as in the authors' package dowg and in optax."""

import numpy as np


def length(x):
    return np.sqrt(np.sum(np.abs(x) ** 2))


def dowg(p, gradients, lr=1.0, eps=1e-4, reps_rel=1e-6):
    start, distance, squares = p, reps_rel * (1 + length(p)), 0.0
    for g in gradients:
        distance = max(distance, length(p - start))
        squares = squares + distance**2 * length(g) ** 2
        p = p - lr * distance**2 / (np.sqrt(squares) + eps) * g
        yield p, {"start": start, "distance": distance, "squares": squares}
