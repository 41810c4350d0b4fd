"""Li (2015), arXiv:1512.04202, and (2024), arXiv:2402.04553: whitening by two triangular factors; as in kron_torch."""

import numpy as np

from reference.soap import stacked

DAMPING = np.sqrt(np.finfo(np.float32).eps)


def estimated_norm(x):
    """A lower bound of the spectral norm of a Hermitian matrix."""
    longest = x[:, np.argmax(np.sum(np.abs(x) ** 2, axis=0))]
    along = x @ longest
    return np.linalg.norm(x @ (along / np.linalg.norm(along)))


def fitted(q, a, b, precond_lr):
    of_a, of_b = a @ a.conj().T, b @ b.conj().T
    return q - precond_lr * np.triu(of_a - of_b) @ q / estimated_norm(of_a + of_b)


def waves(t, shape):
    """Numbers in place of random ones, for tests: others at each step, about as large."""
    return 1.4 * np.sin(1.7 * np.arange(1, np.prod(shape, dtype=int) + 1) + t).reshape(shape)


def psgd_kron_of_one(p, gradients, noises, lr, beta1, precond_lr, clipping, weight_decay, every):
    q1, q2 = (np.eye(n, dtype=p.dtype) for n in p.shape)
    m = np.zeros_like(p)
    for t, (g, noise) in enumerate(zip(gradients, noises, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        u = m / (1 - beta1**t)
        if t % every == 0 and np.any(u):
            u = u + DAMPING * np.mean(np.abs(u)) * noise
            a = q1 @ u @ q2.conj().T
            b = np.linalg.inv(q1).conj().T @ noise @ np.linalg.inv(q2)
            q1, q2 = fitted(q1, a, b, precond_lr), fitted(q2, a.conj().T, b.conj().T, precond_lr)
        u = q1.conj().T @ q1 @ u @ q2.conj().T @ q2
        u = u * min(1, clipping / (np.sqrt(np.mean(np.abs(u) ** 2)) + 1e-12))
        p = (1 - lr * weight_decay) * p - lr * u
        yield p, {"m": m, "factors": (q1, q2)}


def psgd_kron(p, gradients, lr=3e-4, beta1=0.9, precond_lr=0.1, clipping=1.1, weight_decay=0.0, every=1, noise=waves):
    gradients = list(gradients)
    noises = [noise(t, p.shape) for t in range(len(gradients))]
    rest = lr, beta1, precond_lr, clipping, weight_decay, every

    def run(i):
        return psgd_kron_of_one(p[i], [g[i] for g in gradients], [n[i] for n in noises], *rest)

    yield from stacked(p.shape[:-2], run)
