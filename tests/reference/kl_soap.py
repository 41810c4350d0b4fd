"""Lin et al. (2025), arXiv:2509.03378, in the order of the authors' yorkerlin/KL-Methods, but without its clamp."""

import numpy as np

from reference.soap import eigenbasis, rotated, stacked, unrotated


def kl_soap_of_one(p, gradients, lr, beta1, beta2, shampoo_beta, eps, weight_decay, every):
    fan_in, fan_out = p.shape
    left, right = (np.zeros((n, n), p.dtype) for n in p.shape)
    of_left, of_right = (np.full(n, 0.1) for n in p.shape)
    q_left = q_right = None
    m, v = np.zeros_like(p), np.zeros(p.shape)
    for t, g in enumerate(gradients):
        if t == 0:
            left = (1 - shampoo_beta) * g @ g.conj().T / fan_out
            right = (1 - shampoo_beta) * g.conj().T @ g / fan_in
            q_left, q_right = eigenbasis(left), eigenbasis(right)
        else:
            lr_t = lr(t) if callable(lr) else lr
            turned = rotated(g, q_left, q_right)
            m = beta1 * m + (1 - beta1) * turned
            v = beta2 * v + (1 - beta2) * np.abs(turned) ** 2
            p = (1 - lr_t * weight_decay) * p - lr_t * unrotated(m / (np.sqrt(v) + eps), q_left, q_right)
            # all four from the eigenvalues and the bases of the step before
            across, along = g @ q_right, q_left.conj().T @ g
            new_left = (across / of_right) @ across.conj().T / fan_out
            new_right = along.conj().T @ (along / of_left[:, None]) / fan_in
            new_of_left = np.mean(np.abs(turned) ** 2 / of_right, axis=1)
            new_of_right = np.mean(np.abs(turned) ** 2 / of_left[:, None], axis=0)
            left = shampoo_beta * left + (1 - shampoo_beta) * new_left
            right = shampoo_beta * right + (1 - shampoo_beta) * new_right
            of_left = shampoo_beta * of_left + (1 - shampoo_beta) * new_of_left
            of_right = shampoo_beta * of_right + (1 - shampoo_beta) * new_of_right
            if t % every == 0:
                m = unrotated(m, q_left, q_right)
                q_left, q_right = np.linalg.qr(left @ q_left)[0], np.linalg.qr(right @ q_right)[0]
                m = rotated(m, q_left, q_right)
        yield (
            p,
            {
                "m": m,
                "v": v,
                "factors": (left, right),
                "bases": (q_left, q_right),
                "eigenvalues": (of_left, of_right),
            },
        )


def kl_soap(p, gradients, lr=0.003, beta1=0.95, beta2=0.95, shampoo_beta=0.95, eps=1e-8, weight_decay=0.01, every=10):
    gradients = list(gradients)
    rest = lr, beta1, beta2, shampoo_beta, eps, weight_decay, every
    yield from stacked(p.shape[:-2], lambda i: kl_soap_of_one(p[i], [g[i] for g in gradients], *rest))
