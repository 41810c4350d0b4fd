"""List how torch's own optimizer inputs are said in ours: tests run them both ways where torch is installed.

The inputs are those of ``torch.testing._internal.common_optimizers.optim_db``, torch 2.13. tools/pages.py prints the
counts.
"""

import inspect

import jaxopt_lite as ours
from jaxopt_lite import chain, maximize, weight_decay

# How many inputs torch has for each optimizer. A torch that has others is told by the test.
INPUTS = {
    "ASGD": 7,
    "Adadelta": 6,
    "Adafactor": 5,
    "Adagrad": 7,
    "Adam": 5,
    "AdamW": 5,
    "Adamax": 5,
    "LBFGS": 5,
    "Muon": 7,
    "NAdam": 7,
    "RAdam": 6,
    "RMSprop": 8,
    "Rprop": 5,
    "SGD": 9,
    "SparseAdam": 4,
}
NOT_COMPARABLE = {
    "LBFGS": "A call of torch's takes up to twenty steps, which no call of ours does.",
    "SparseAdam": "It is for sparse gradients, which JAX's optimizers do not get.",
}
# The inputs that fail, by torch's description of them, and the reasons.
FAILS: dict[tuple[str, str], str] = {}


def rtol(name, given):
    """Return how close both have to be: torch keeps ASGD's rates, and a rate that is a tensor, in float32."""
    return 1e-6 if name == "ASGD" or not isinstance(given.get("lr", 0.0), float) else 1e-10


def adadelta(lr, rho, eps):
    return ours.adadelta(lr, rho, eps)


def adafactor(lr, beta2_decay, eps, d):
    return ours.adafactor(lr, -beta2_decay, d, eps2=eps[1])


def adagrad(lr, lr_decay, initial_accumulator_value, eps):
    rate = (lambda iter: lr / (1 + iter * lr_decay)) if lr_decay else lr
    return ours.adagrad(rate, eps, initial_accumulator_value)


def adam(lr, betas, eps, amsgrad):
    return ours.amsgrad(lr, *betas, eps) if amsgrad else ours.adam_standard(lr, *betas, eps)


def adamax(lr, betas, eps):
    return ours.adamax(lr, *betas, eps)


def asgd(lr, lambd, alpha, t0):
    return ours.asgd(lr, lambd, alpha, int(t0))


def muon(lr, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn):
    return ours.muon(lr, momentum, nesterov, steps=ns_steps, coefficients=ns_coefficients, out_axis=-2)


def nadam(lr, betas, eps, momentum_decay):
    return ours.nadam(lr, *betas, eps, momentum_decay)


def radam(lr, betas, eps):
    return ours.radam(lr, *betas, eps)


def rmsprop(lr, alpha, eps, momentum, centered):
    return ours.rmsprop(lr, alpha, eps, momentum or None, centered)


def rprop(lr, etas, step_sizes):
    shortest, longest = step_sizes
    return ours.rprop(lr, *etas, min_scale=shortest / lr, max_scale=longest / lr)


def sgd(lr, momentum, dampening, nesterov):
    return ours.heavy_ball(lr, momentum, dampening, nesterov) if momentum else ours.sgd(lr)


RULES = {
    "ASGD": asgd,
    "Adadelta": adadelta,
    "Adafactor": adafactor,
    "Adagrad": adagrad,
    "Adam": adam,
    "AdamW": adam,
    "Adamax": adamax,
    "Muon": muon,
    "NAdam": nadam,
    "RAdam": radam,
    "RMSprop": rmsprop,
    "Rprop": rprop,
    "SGD": sgd,
}
DECOUPLED = {"AdamW", "Adafactor", "Muon"}


def in_ours(optimizer, given):
    """Return our optimizer for one of torch's.

    Args:
        optimizer: torch's class.
        given: the arguments of the input; the others are torch's defaults.
    """
    name, rule = optimizer.__name__, RULES[optimizer.__name__]
    defaults = {n: p.default for n, p in inspect.signature(optimizer).parameters.items() if p.default is not p.empty}
    arguments = defaults | given
    lr = arguments["lr"] = float(arguments["lr"])
    opt = rule(**{n: arguments[n] for n in inspect.signature(rule).parameters})
    if decay := arguments.get("weight_decay", 0):
        if name in DECOUPLED or arguments.get("decoupled_weight_decay"):
            opt = chain(opt, weight_decay(decay, lr))
        else:
            opt = chain(ours.l2_decay(decay), opt)
    return maximize(opt) if arguments.get("maximize") else opt
