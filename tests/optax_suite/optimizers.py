"""Say optax's optimizers in ours."""

import collections
import functools
import warnings

import jax
import jax.numpy as jnp
import optax
from optax import contrib
from optax._src import alias

import jaxopt_lite as ours
from jaxopt_lite import schedules
from optax_suite.shim import CannotBeSaid, as_optaxs, defaults_of, refuse, same, to_ours

# optax's name, our factory, and their arguments that USUAL does not name.
ALIKE = [
    (alias.adabelief, ours.adabelief, {}),
    (alias.adadelta, ours.adadelta, {"rho": "decay_rate"}),
    (alias.adafactor, ours.adafactor, {"decay_rate": "power", "clipping_threshold": "clipping", "eps": "eps1"}),
    (alias.adagrad, ours.adagrad, {"initial_accumulator_value": "h0"}),
    (alias.adamax, ours.adamax, {}),
    (alias.adan, ours.adan, {}),
    (alias.amsgrad, ours.amsgrad, {}),
    (alias.lamb, ours.lamb, {}),
    (alias.lars, ours.lars, {"trust_coefficient": "trust_coefficient"}),
    (alias.lion, ours.lion, {}),
    (alias.novograd, ours.novograd, {}),
    (alias.polyak_sgd, ours.polyak_sgd, {"max_learning_rate": "max_lr", "scaling": "lr", "f_min": "f_min"}),
    (alias.radam, ours.radam, {}),
    (alias.rmsprop, ours.rmsprop, {"decay": "decay_rate", "centered": "centered"}),
    (
        alias.rprop,
        ours.rprop,
        {"eta_minus": "eta_minus", "eta_plus": "eta_plus"},
    ),
    (alias.signum, ours.signum, {"beta": "beta1"}),
    (alias.sm3, ours.sm3, {}),
    (alias.yogi, ours.yogi, {}),
    (alias.lbfgs, ours.lbfgs, {"memory_size": "memory"}),
    (contrib.ademamix, ours.ademamix, {"alpha": "alpha"}),
    (contrib.adopt, ours.adopt, {}),
    (contrib.madgrad, ours.madgrad, {}),
    (contrib.dowg, ours.dowg, {}),
]


# The fields of our states that tests read by optax's names.
Moments = collections.namedtuple("Moments", ["count", "mu", "nu"])
Trace = collections.namedtuple("Trace", ["count", "trace"])


def adam(learning_rate, b1, b2, eps, nesterov=False, **rest):
    refuse("adam", defaults_of(alias.adam), **rest)
    if nesterov:
        return as_optaxs(ours.nadamw(learning_rate, b1, b2, eps, 0.0))
    return as_optaxs(ours.adam_standard(learning_rate, b1, b2, eps), view=Moments)


def adamw(learning_rate, b1, b2, eps, weight_decay, nesterov=False, **rest):
    refuse("adamw", defaults_of(alias.adamw), **rest)
    if nesterov:
        return as_optaxs(ours.nadamw(learning_rate, b1, b2, eps, weight_decay))
    return as_optaxs(ours.adamw(learning_rate, b1, b2, eps, weight_decay), view=Moments)


def adamaxw(learning_rate, b1, b2, eps, weight_decay, mask):
    refuse("adamaxw", defaults_of(alias.adamaxw), mask=mask)
    return as_optaxs(
        ours.chain(ours.adamax(learning_rate, b1, b2, eps), ours.weight_decay(weight_decay, learning_rate))
    )


def sgd(learning_rate, momentum, nesterov, accumulator_dtype):
    refuse("sgd", defaults_of(alias.sgd), accumulator_dtype=accumulator_dtype)
    if momentum is None:
        return as_optaxs(ours.sgd(learning_rate))
    return as_optaxs(ours.heavy_ball(learning_rate, momentum, nesterov=nesterov), view=Trace)


def sign_sgd(learning_rate):
    return as_optaxs(ours.signum(learning_rate, 0.0))


def noisy_sgd(learning_rate, eta, gamma, key, seed):
    return as_optaxs(ours.chain(ours.add_noise(eta, gamma, seed if key is None else key), ours.sgd(learning_rate)))


def muon(
    learning_rate, ns_coeffs, ns_steps, beta, weight_decay, nesterov, preconditioning, consistent_rms, adam_b1,
    adam_b2, adam_weight_decay, adam_learning_rate, muon_weight_dimension_numbers, **rest
):  # fmt: skip
    rest.pop("eps")  # which keeps a matrix of zeros from 0 / 0 there, as ours does without
    refuse("muon", defaults_of(contrib.muon), **rest)
    if consistent_rms not in (None, 0.2):
        raise CannotBeSaid("Ours has the scales 'original', 'match_rms_adamw' and 'spectral' only.")
    if preconditioning == "spectral":
        raise CannotBeSaid("Ours has no decomposition before its steps.")
    coefficients = DION if ns_coeffs == "dion" else ns_coeffs
    lr = learning_rate if adam_learning_rate is None else adam_learning_rate
    others = ours.nadamw(lr, adam_b1, adam_b2, weight_decay=adam_weight_decay)
    of_matrices = ours.muon(
        learning_rate,
        beta,
        nesterov,
        weight_decay,
        steps=len(coefficients) if isinstance(coefficients[0], tuple) else ns_steps,
        coefficients=coefficients,
        preconditioning=preconditioning,
        scale="original" if consistent_rms is None else "match_rms_adamw",
    )
    if muon_weight_dimension_numbers is None:
        return as_optaxs(of_matrices.replace(others=others))

    def along(numbers):
        return of_matrices.replace(in_axis=numbers.reduction_axis, out_axis=numbers.output_axis, hidden="*")

    def in_groups(params):
        given = muon_weight_dimension_numbers
        numbers = given(params) if callable(given) else given
        groups = {}

        def named(branch_numbers, branch):
            name = str(branch_numbers)
            groups[name] = others if branch_numbers is None else along(branch_numbers)
            return jax.tree.map(lambda _: name, branch)

        is_numbers = lambda x: x is None or isinstance(x, contrib.MuonDimensionNumbers)  # noqa: E731
        label = jax.tree.map(named, numbers, params, is_leaf=is_numbers)
        return ours.partition(groups, label)

    def update(updates, state, params=None):
        return in_groups(updates if params is None else params).update(updates, state, params)

    return optax.GradientTransformation(lambda params: in_groups(params).init(params), update)


# optax's preset
DION = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def dog(learning_rate, init_step, eps, weight_decay, mask):
    kind, first = init_step
    if kind != "heuristic":
        raise CannotBeSaid("The first step of ours is a share of the parameters' norm.")
    refuse("dog", defaults_of(contrib.dog), weight_decay=weight_decay, mask=mask)
    return as_optaxs(ours.dog(learning_rate, eps, first))


def from_betas(factory, theirs, betas, estim_lr0, estim_lr_coef=None, **rest):
    """Build ``prodigy`` or ``dadapt_adam``, whose betas are one argument there."""
    more = {} if estim_lr_coef is None else {"d_coef": estim_lr_coef}
    lr, eps, decay = rest.pop("learning_rate"), rest.pop("eps"), rest.pop("weight_decay")
    refuse(theirs.__name__, defaults_of(theirs), **rest)
    return as_optaxs(factory(lr, betas[0], betas[1], eps, decay, d0=estim_lr0, **more))


def with_warmup(learning_rate, steps):
    return schedules.warmup(steps, learning_rate) if steps else learning_rate


def schedule_free_sgd(learning_rate, warmup_steps, b1, weight_decay, **rest):
    refuse("schedule_free_sgd", defaults_of(contrib.schedule_free_sgd), **rest)
    decay = 0.0 if weight_decay is None else weight_decay
    return as_optaxs(ours.schedule_free_sgd(with_warmup(learning_rate, warmup_steps), b1, decay))


def schedule_free_adamw(learning_rate, warmup_steps, b1, b2, eps, weight_decay, **rest):
    refuse("schedule_free_adamw", defaults_of(contrib.schedule_free_adamw), **rest)
    return as_optaxs(ours.schedule_free_adamw(with_warmup(learning_rate, warmup_steps), b1, b2, eps, weight_decay))


def schedule_free(base_optimizer, learning_rate, b1, **rest):
    refuse("schedule_free", defaults_of(contrib.schedule_free), **rest)
    base = to_ours(base_optimizer)
    arguments = dict(base.arguments) if base else {}
    if base and base.name in ("sgd", "heavy_ball") and not arguments.get("momentum"):
        return as_optaxs(ours.schedule_free_sgd(learning_rate, b1))
    if base and base.name == "adamw" and arguments["beta1"] == 0:
        rest = {name: arguments[name] for name in ("beta2", "eps", "weight_decay")}
        return as_optaxs(ours.schedule_free_adamw(learning_rate, b1, **rest))
    raise CannotBeSaid("Ours has no schedule-free wrapper: schedule_free_sgd and schedule_free_adamw are rules.")


def optimistic_gradient_descent(learning_rate, alpha, beta):
    return as_optaxs(ours.chain(ours.optimistic(beta / alpha), ours.sgd(scaled(learning_rate, alpha))))


def optimistic_adam(learning_rate, optimism, b1, b2, eps, nesterov, **rest):
    warnings.warn("please use `optimistic_adam_v2` instead.", DeprecationWarning, stacklevel=2)
    refuse("optimistic_adam", defaults_of(alias.optimistic_adam), **rest)
    optimism = 1.0 if optimism is None else optimism / learning_rate
    return optimistic(learning_rate, optimism, b1, b2, eps, nesterov)


def optimistic_adam_v2(learning_rate, alpha, beta, b1, b2, eps, nesterov, **rest):
    refuse("optimistic_adam_v2", defaults_of(alias.optimistic_adam_v2), **rest)
    return optimistic(scaled(learning_rate, alpha), beta / alpha, b1, b2, eps, nesterov)


def optimistic(lr, optimism, b1, b2, eps, nesterov):
    rule = ours.nadamw(lr, b1, b2, eps, 0.0) if nesterov else ours.adam_standard(lr, b1, b2, eps)
    return as_optaxs(ours.chain(rule, ours.optimistic(optimism)))


def scaled(learning_rate, factor):
    return (lambda step: factor * learning_rate(step)) if callable(learning_rate) else factor * learning_rate


def sophia(learning_rate, clip_threshold, update_interval, **rest):
    names = {"b1": "beta1", "b2": "beta2", "gamma": "gamma", "eps": "eps", "weight_decay": "weight_decay"}
    known = {names[name]: rest.pop(name) for name in names}
    rest.pop("hessian_diagonal_fn")
    refuse("sophia", defaults_of(contrib.sophia), **rest)
    opt = ours.sophia(learning_rate, **known, clipping=clip_threshold, every=update_interval)
    return as_optaxs(
        opt, keywords=lambda extra: {"value_fn" if name == "obj_fn" else name: x for name, x in extra.items()}
    )


def sam(optimizer, adv_optimizer, sync_period, opaque_mode, **rest):
    refuse("sam", defaults_of(contrib.sam), **rest)
    if not opaque_mode or sync_period != 2:
        raise CannotBeSaid("Each call of ours is a whole step: both gradients are taken in it.")
    adversary = to_ours(adv_optimizer)
    parts = [part.name for part in adversary.children] if adversary else []
    if parts != ["normalize", "sgd"]:
        raise CannotBeSaid("Our sam goes to its worst place by one normalized step of length rho, not by an optimizer.")

    def value_fn_of(extra):
        grad_fn = extra["grad_fn"]

        def value_fn(params):
            """Return a number whose gradient is grad_fn's, as ours takes the function and theirs its gradient."""
            grads = jax.lax.stop_gradient(grad_fn(params, 0))
            return sum(jax.tree.leaves(jax.tree.map(lambda g, p: jnp.sum(g * p), grads, params)))

        return {"value_fn": value_fn}

    rho = dict(adversary.children[1].arguments)["lr"]
    return as_optaxs(ours.sam(to_ours(optimizer), rho), keywords=value_fn_of)


REPLACEMENTS = [
    *((theirs.__name__, theirs, same(factory, theirs, **names)) for theirs, factory, names in ALIKE),
    ("adam", alias.adam, adam),
    ("adamw", alias.adamw, adamw),
    ("nadam", alias.nadam, adam),
    ("nadamw", alias.nadamw, adamw),
    ("adamaxw", alias.adamaxw, adamaxw),
    ("sgd", alias.sgd, sgd),
    ("sign_sgd", alias.sign_sgd, sign_sgd),
    ("noisy_sgd", alias.noisy_sgd, noisy_sgd),
    ("optimistic_gradient_descent", alias.optimistic_gradient_descent, optimistic_gradient_descent),
    ("optimistic_adam", alias.optimistic_adam, optimistic_adam),
    ("optimistic_adam_v2", alias.optimistic_adam_v2, optimistic_adam_v2),
    ("muon", contrib.muon, muon),
    ("dog", contrib.dog, dog),
    ("prodigy", contrib.prodigy, functools.partial(from_betas, ours.prodigy, contrib.prodigy)),
    ("dadapt_adamw", contrib.dadapt_adamw, functools.partial(from_betas, ours.dadapt_adam, contrib.dadapt_adamw)),
    ("schedule_free_sgd", contrib.schedule_free_sgd, schedule_free_sgd),
    ("schedule_free_adamw", contrib.schedule_free_adamw, schedule_free_adamw),
    ("schedule_free", contrib.schedule_free, schedule_free),
    ("schedule_free_eval_params", contrib.schedule_free_eval_params, ours.evaluation_params),
    ("sophia", contrib.sophia, sophia),
    ("sam", contrib.sam, sam),
]
