"""Gupta et al. (2018), arXiv:1802.09568, algorithm 1, with the averages, blocks and grafting of arXiv:2309.06497."""

import numpy as np

from reference.soap import stacked


def inverse_fourth_root(factor, eps):
    eigenvalues, q = np.linalg.eigh(factor)
    if eigenvalues[-1] <= 0:
        return np.eye(len(factor), dtype=factor.dtype)
    return (q * (np.maximum(eigenvalues, 0) + eps * eigenvalues[-1]) ** -0.25) @ q.conj().T


def shampoo_of_one(p, gradients, lr, beta1, beta2, eps, graft_eps, weight_decay, every, block):
    rows, columns = ([slice(i, min(i + block, n)) for i in range(0, n, block)] for n in p.shape)
    blocks = [(r, c) for r in rows for c in columns]
    lefts = [np.zeros((len(range(*r.indices(p.shape[0]))),) * 2, p.dtype) for r, _ in blocks]
    rights = [np.zeros((len(range(*c.indices(p.shape[1]))),) * 2, p.dtype) for _, c in blocks]
    left_roots, right_roots = list(lefts), list(rights)
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients, start=1):
        lr_t = lr(t - 1) if callable(lr) else lr
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * np.abs(g) ** 2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        u = np.zeros_like(p)
        for k, at in enumerate(blocks):
            lefts[k] = beta2 * lefts[k] + (1 - beta2) * g[at] @ g[at].conj().T
            rights[k] = beta2 * rights[k] + (1 - beta2) * g[at].conj().T @ g[at]
            if (t - 1) % every == 0:
                left_roots[k] = inverse_fourth_root(lefts[k], eps)
                right_roots[k] = inverse_fourth_root(rights[k], eps)
            u[at] = left_roots[k] @ m[at] @ right_roots[k]
        length = np.linalg.norm(u)
        u = u * (np.linalg.norm(m_hat / (np.sqrt(v_hat) + graft_eps)) / length if length > 0 else 0)
        p = (1 - lr_t * weight_decay) * p - lr_t * u
        yield p, {"m": m, "v": v, "factors": first(lefts, rights), "roots": first(left_roots, right_roots)}


def first(lefts, rights):
    """What is kept of the first block, or of the only one, in a grid of blocks."""
    return lefts[0][None, None], rights[0][None, None]


def shampoo(
    p,
    gradients,
    lr=0.003,
    beta1=0.95,
    beta2=0.95,
    eps=1e-6,
    graft_eps=1e-8,
    weight_decay=0.01,
    every=10,
    block=1024,
):
    gradients = list(gradients)
    rest = lr, beta1, beta2, eps, graft_eps, weight_decay, every, block
    yield from stacked(p.shape[:-2], lambda i: shampoo_of_one(p[i], [g[i] for g in gradients], *rest))
