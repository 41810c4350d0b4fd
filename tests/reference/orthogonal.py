"""Jordan et al. (2024), kellerjordan.github.io/posts/muon, and Amsel et al. (2025), arXiv:2505.16932, on one matrix."""

import numpy as np

COEFFICIENTS = {
    "newton_schulz": [(3.4445, -4.7750, 2.0315)],
    "polar_express": [
        (8.15655, -22.4833, 15.8788),
        (4.04293, -2.80892, 0.500018),
        (3.89167, -2.77248, 0.506065),
        (3.28575, -2.36813, 0.464490),
        (2.34654, -1.70978, 0.423236),
    ],
}
MARGIN = {"newton_schulz": 1.0, "polar_express": 1.02}


def divided(x, preconditioning):
    if preconditioning == "frobenius":
        return x / np.linalg.norm(x)
    tall = x.shape[0] > x.shape[1]
    x = x.conj().T if tall else x
    gram = x @ x.conj().T
    if preconditioning == "schatten":  # Grishina et al. (2025), arXiv:2506.10935
        x = x / np.sqrt(np.linalg.norm(gram))
    elif preconditioning == "aol":  # Boissin et al. (2025), arXiv:2512.04632
        sums = np.sum(np.abs(gram), axis=1)
        x = np.diag(np.where(sums > 0, sums, 1) ** -0.5) @ x
    else:
        raise ValueError(preconditioning)
    return x.conj().T if tall else x


def orthogonal(x, method="newton_schulz", steps=5, coefficients=None, preconditioning="frobenius"):
    if not np.any(x):
        return x
    x = divided(x, preconditioning) / (MARGIN[method] if coefficients is None else 1)
    rows = COEFFICIENTS[method]
    if coefficients is not None:
        rows = np.reshape(coefficients, (-1, 3))
    for k in range(steps):
        a, b, c = rows[min(k, len(rows) - 1)]
        gram = x @ x.conj().T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def scale_of(shape, scale):
    fan_in, fan_out = shape[-2:]
    if scale == "original":
        return np.sqrt(max(1, fan_out / fan_in))
    if scale == "match_rms_adamw":
        return 0.2 * np.sqrt(max(fan_out, fan_in))
    if scale == "spectral":
        return np.sqrt(fan_out / fan_in)
    raise ValueError(scale)
