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


def orthogonal(x, method="newton_schulz", steps=5):
    if not np.any(x):
        return x
    x = x / np.linalg.norm(x) / MARGIN[method]
    rows = COEFFICIENTS[method]
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
    raise ValueError(scale)
