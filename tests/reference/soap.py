"""Vyas et al. (2025), arXiv:2409.11321, algorithms 3 and 4, in the order of the authors' code (nikhilvyas/SOAP)."""

import numpy as np


def eigenbasis(factor):
    return np.linalg.eigh(factor)[1][:, ::-1]


def rotated(x, left, right):
    x = x if left is None else left.conj().T @ x
    return x if right is None else x @ right


def unrotated(x, left, right):
    x = x if left is None else left @ x
    return x if right is None else x @ right.conj().T


def soap_of_one(p, gradients, lr, beta1, beta2, shampoo_beta, eps, weight_decay, every, max_dim):
    has = [n <= max_dim for n in p.shape]
    factors = [np.zeros((n, n), p.dtype) if h else None for n, h in zip(p.shape, has, strict=True)]
    bases = [None, None]
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients):
        if t > 0:
            lr_t = lr(t) if callable(lr) else lr
            turned = rotated(g, *bases)
            m = beta1 * m + (1 - beta1) * turned
            v = beta2 * v + (1 - beta2) * np.abs(turned) ** 2
            size = lr_t * np.sqrt(1 - beta2**t) / (1 - beta1**t)
            p = (1 - lr_t * weight_decay) * p - size * unrotated(m / (np.sqrt(v) + eps), *bases)
        m = unrotated(m, *bases)
        for side, outer in enumerate((g @ g.conj().T, g.conj().T @ g)):
            if has[side]:
                factors[side] = shampoo_beta * factors[side] + (1 - shampoo_beta) * outer
                if t == 0:
                    bases[side] = eigenbasis(factors[side])
                elif t % every == 0:
                    q = bases[side]
                    order = np.argsort(-np.real(np.diag(q.conj().T @ factors[side] @ q)), kind="stable")
                    v = np.take(v, order, axis=side)
                    bases[side] = np.linalg.qr(factors[side] @ q[:, order])[0]
        m = rotated(m, *bases)
        yield p, {"m": m, "v": v, "factors": tuple(factors), "bases": tuple(bases)}


def soap(
    p,
    gradients,
    lr=0.003,
    beta1=0.95,
    beta2=0.95,
    shampoo_beta=0.95,
    eps=1e-8,
    weight_decay=0.01,
    every=10,
    max_dim=10000,
):
    gradients = list(gradients)
    rest = lr, beta1, beta2, shampoo_beta, eps, weight_decay, every, max_dim
    yield from stacked(p.shape[:-2], lambda i: soap_of_one(p[i], [g[i] for g in gradients], *rest))


def stacked(stack, run):
    """Runs side by side, one for each matrix of a stack, and their parameters and states as stacks."""

    def joined(xs):
        if xs[0] is None:
            return None
        if isinstance(xs[0], dict):
            return {key: joined([x[key] for x in xs]) for key in xs[0]}
        if isinstance(xs[0], tuple | list):
            return type(xs[0])(joined(list(x)) for x in zip(*xs, strict=True))
        return np.stack(xs).reshape(*stack, *xs[0].shape)

    for now in zip(*(run(i) for i in np.ndindex(stack)), strict=True):
        yield joined([p for p, _ in now]), joined([state for _, state in now])
