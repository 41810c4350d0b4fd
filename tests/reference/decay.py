"""Loshchilov & Hutter (2019), arXiv:1711.05101: algorithms 1 and 2; the proximal form is that of Adan's algorithm 1."""


def with_l2(g, p, weight_decay=0.01, decay="decoupled", peak_lr=None):
    return g + weight_decay * p if decay == "l2" else g


def decay_of(p, step, lr, weight_decay=0.01, decay="decoupled", peak_lr=None):
    """The parameters after a step along ``-step``."""
    if decay == "decoupled":
        return (1 - lr * weight_decay) * p - step
    if decay == "independent":
        return (1 - weight_decay * lr / (peak_lr or lr)) * p - step
    if decay == "proximal":
        return (p - step) / (1 + lr * weight_decay)
    return p - step
