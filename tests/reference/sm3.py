"""Anil et al. (2019), arXiv:1901.11150, algorithm SM3-II, whose sets are the slices of an array, entry by entry."""

import numpy as np


def sm3(p, gradients, lr=0.1, momentum=0.9):
    m = np.zeros_like(p)
    covers = [np.zeros(n) for n in p.shape] or [np.zeros(())]
    for g in gradients:
        nu = np.empty(p.shape)
        for i in np.ndindex(p.shape):
            nu[i] = min((cover[k] for cover, k in zip(covers, i, strict=False)), default=covers[0]) + np.abs(g[i]) ** 2
        covers = [np.array([np.max(np.take(nu, k, axis)) for k in range(n)]) for axis, n in enumerate(p.shape)] or [nu]
        with np.errstate(invalid="ignore"):
            m = momentum * m + (1 - momentum) * np.where(nu > 0, g / np.sqrt(nu), 0)
        p = p - lr * m
        shapes = [tuple(n if a == axis else 1 for a in range(p.ndim)) for axis, n in enumerate(p.shape)] or [()]
        yield p, {"m": m, "mu": [cover.reshape(shape) for cover, shape in zip(covers, shapes, strict=True)]}
