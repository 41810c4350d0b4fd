"""Shazeer & Stern (2018), arXiv:1804.04235, algorithms 4 to 6, matrix by matrix."""

import numpy as np


def rms(x):
    return np.sqrt(np.mean(np.abs(x) ** 2))


def adafactor(p, gradients, lr=0.01, power=0.8, clipping=1.0, eps1=1e-30, eps2=1e-3):
    shape = p.shape
    rows = np.zeros(shape[:-1]) if p.ndim > 1 else None
    columns = np.zeros(shape[:-2] + shape[-1:]) if p.ndim > 1 else None
    whole = np.zeros(shape)
    for t, g in enumerate(gradients, start=1):
        beta = 1 - t**-power
        squares = np.abs(g) ** 2 + eps1
        if p.ndim > 1:
            rows = beta * rows + (1 - beta) * squares.mean(axis=-1)
            columns = beta * columns + (1 - beta) * squares.mean(axis=-2)
            estimate = np.zeros(shape)
            for i in np.ndindex(shape[:-2]):
                estimate[i] = np.outer(rows[i], columns[i]) / rows[i].mean()
            state = [rows, columns]
        else:
            whole = beta * whole + (1 - beta) * squares
            estimate, state = whole, whole
        u = g / np.sqrt(estimate)
        u = u / max(1, rms(u) / clipping)
        p = p - max(eps2, rms(p)) * min(lr, 1 / np.sqrt(t)) * u
        yield p, {"v": state}
