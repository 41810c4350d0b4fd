"""Li et al. (2025), arXiv:2510.05491, algorithm 1; the length is kept as in the authors' zichongli5/NorMuon."""

import numpy as np

from reference.decay import decay_of, with_l2
from reference.orthogonal import orthogonal, scale_of


def normuon(
    p,
    gradients,
    lr=0.02,
    momentum=0.95,
    beta2=0.95,
    eps=1e-8,
    nesterov=True,
    weight_decay=0.0,
    decay="decoupled",
    peak_lr=None,
    method="newton_schulz",
    steps=5,
    scale="original",
):
    b = np.zeros_like(p)
    v = np.zeros((*p.shape[:-2], 1, p.shape[-1]))
    for t, g in enumerate(gradients):
        lr_t = lr(t) if callable(lr) else lr
        grad = with_l2(g, p, weight_decay, decay)
        b = momentum * b + (1 - momentum) * grad
        ahead = (1 - momentum) * grad + momentum * b if nesterov else b
        step = np.zeros_like(p)
        for i in np.ndindex(p.shape[:-2]):
            o = orthogonal(ahead[i], method, steps)
            v[i] = beta2 * v[i] + (1 - beta2) * np.mean(np.abs(o) ** 2, axis=0, keepdims=True)
            o_hat = o / (np.sqrt(v[i]) + eps)
            if np.any(o_hat):
                step[i] = o_hat * np.linalg.norm(o) / np.linalg.norm(o_hat)
        p = decay_of(p, lr_t * scale_of(p.shape, scale) * step, lr_t, weight_decay, decay, peak_lr)
        yield p, {"momentum": b, "v": v.copy()}
