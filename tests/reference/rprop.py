"""Riedmiller & Braun (1993), without weight backtracking, entry by entry."""

import numpy as np


def rprop(p, gradients, lr=0.01, eta_minus=0.5, eta_plus=1.2, min_scale=1e-4, max_scale=5000.0):
    p = p.copy()
    delta, last = np.full(p.shape, lr), np.zeros_like(p)
    for gradient in gradients:
        g = np.asarray(gradient).copy()
        for i in np.ndindex(p.shape):
            agreement = (g[i] * np.conj(last[i])).real
            if agreement > 0:
                delta[i] = min(delta[i] * eta_plus, lr * max_scale)
            elif agreement < 0:
                delta[i] = max(delta[i] * eta_minus, lr * min_scale)
                g[i] = 0
            p[i] = p[i] - delta[i] * np.sign(g[i])
        last = np.asarray(np.sign(g))
        yield p.copy(), {"scale": delta / lr, "sign": last}
