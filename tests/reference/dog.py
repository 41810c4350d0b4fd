"""Ivgi, Hinder & Carmon (2023), arXiv:2302.12022, and the authors' package dog-optimizer 1.0.3."""

import numpy as np


def length(x):
    return np.sqrt(np.sum(np.abs(x) ** 2))


def dog(p, gradients, lr=1.0, eps=1e-8, reps_rel=1e-6):
    start, distance, squares = p, reps_rel * (1 + length(p)), 0.0
    for g in gradients:
        distance = max(distance, length(p - start))
        squares = squares + length(g) ** 2
        p = p - lr * distance / np.sqrt(squares + eps) * g
        yield p, {"start": start, "distance": distance, "squares": squares}
