"""Zhang et al. (2024), arXiv:2406.16793, algorithm 2: a block for each output of a matrix, one for any vector."""

import numpy as np

from reference.decay import decay_of, with_l2


def adam_mini(p, gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, out_axis=-1, **decay):
    decay = {"weight_decay": 0.0} | decay
    m = np.zeros_like(p)
    blocks = np.moveaxis(np.zeros(p.shape), out_axis, 0) if p.ndim > 1 else np.zeros((1, *p.shape))
    v = np.zeros(len(blocks))
    for t, g in enumerate(gradients, start=1):
        grad = with_l2(g, p, **decay)
        m = beta1 * m + (1 - beta1) * grad
        per_block = np.moveaxis(grad, out_axis, 0) if p.ndim > 1 else [grad]
        v = np.array([beta2 * a + (1 - beta2) * np.mean(np.abs(b) ** 2) for a, b in zip(v, per_block, strict=True)])
        shape = [1] * p.ndim
        if p.ndim > 1:
            shape[out_axis] = len(v)
        kept = v.reshape(shape)
        p = decay_of(p, lr * m / (1 - beta1**t) / (np.sqrt(kept / (1 - beta2**t)) + eps), lr, **decay)
        yield p, {"m": m, "v": kept}
