"""Jordan et al. (2024), kellerjordan.github.io/posts/muon; Liu et al. (2025), arXiv:2502.16982; torch.optim.Muon."""

import numpy as np

from reference.decay import decay_of, with_l2
from reference.orthogonal import orthogonal, scale_of


def muon(
    p,
    gradients,
    lr=0.02,
    momentum=0.95,
    nesterov=True,
    weight_decay=0.0,
    decay="decoupled",
    peak_lr=None,
    method="newton_schulz",
    steps=5,
    scale="original",
    coefficients=None,
    preconditioning="frobenius",
):
    b = np.zeros_like(p)
    for t, g in enumerate(gradients):
        lr_t = lr(t) if callable(lr) else lr
        grad = with_l2(g, p, weight_decay, decay)
        b = momentum * b + (1 - momentum) * grad
        ahead = (1 - momentum) * grad + momentum * b if nesterov else b
        x = np.zeros_like(p)
        for i in np.ndindex(p.shape[:-2]):
            x[i] = orthogonal(ahead[i], method, steps, coefficients, preconditioning)
        p = decay_of(p, lr_t * scale_of(p.shape, scale) * x, lr_t, weight_decay, decay, peak_lr)
        yield p, {"momentum": b}
