"""Every optimizer against its float64 twin."""

import functools
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from conftest import AS_USERS_DO
from quick import REPRESENTATIVES, some_slow

from jaxopt_lite import adafactor, adam, adamw, apply_updates, asgd, madgrad, radam, registry, rmsprop, sm3, yogi
from jaxopt_lite.optimizers import RAdamState
from jaxopt_lite.testing.problems import quadratic

COMMON = {
    "lr": 0.03,
    "momentum": 0.7,
    "decay_rate": 0.8,
    "weight_decay": 0.2,
    "beta1": 0.6,
    "beta2": 0.95,
    "beta3": 0.9,
    "eps": 1e-3,
}
OWN = {
    "adagrad": {"h0": 0.2},
    "heavy_ball": {"dampening": 0.2, "nesterov": True},
    "nadam": {"momentum_decay": 0.3},
    "rmsprop": {"centered": True},
    "ademamix": {"alpha": 3.0, "warmup_steps": 30},
    "mars": {"gamma": 0.1},
    "rprop": {"eta_minus": 0.3, "eta_plus": 1.5, "min_scale": 0.1, "max_scale": 3.0},
    "lars": {"trust_coefficient": 0.02},
    "asgd": {"lambd": 0.3, "power": 0.6, "begin": 7},
    "adafactor": {"lr": 0.3, "power": 0.6, "clipping": 0.5, "eps1": 1e-3, "eps2": 0.8},
    "adam_mini": {"out_axis": 0},
    "muon": {"lr": 0.001, "nesterov": False, "method": "polar_express", "steps": 4, "scale": "match_rms_adamw"},
    "normuon": {"lr": 0.001, "nesterov": False, "method": "polar_express", "steps": 6, "scale": "match_rms_adamw"},
    "scion": {"radius": 3.0, "norm": "sign_fan_in", "constrained": False},
    "soap": {"every": 3, "shampoo_beta": 0.8},
    "kl_soap": {"every": 3, "shampoo_beta": 0.8},
    "shampoo": {"every": 3, "eps": 1e-3, "graft_eps": 1e-3},
    "sophia": {"gamma": 0.1, "every": 3, "clipping": 0.3},
    "psgd_kron": {"every": 2, "precond_lr": 0.3, "clipping": 0.7},
    "schedule_free_sgd": {"power": 1.5},
    "schedule_free_adamw": {"power": 1.5},
    "prodigy": {"lr": 0.7, "d0": 0.01, "d_coef": 2.0},
    "dadapt_adam": {"lr": 0.7, "d0": 0.01},
    "dog": {"lr": 0.7, "reps_rel": 0.1},
    "dowg": {"lr": 0.7, "reps_rel": 0.1},
    "polyak_sgd": {"max_lr": 0.02, "f_min": 0.05, "eps": 0.3},
}


def other_arguments(name):
    """For each argument that is a number another value, for some that are not as well."""
    return {key: COMMON[key] for key in registry[name].factory().arguments if key in COMMON} | OWN.get(name, {})


# A rule whose steps depend on a function has no path along given gradients; test_lbfgs.py follows it.
ALONG_GRADIENTS = [name for name, entry in registry.items() if "grad" not in entry.needs]
CASES = {
    **{f"{name}-default": (name, {}) for name in ALONG_GRADIENTS},
    **{f"{name}-other": (name, other_arguments(name)) for name in ALONG_GRADIENTS},
    **{
        f"{name}-{decay}": (name, other_arguments(name) | {"decay": decay})
        for name in ALONG_GRADIENTS
        for decay in ("decoupled", "l2")
        if "decay" in registry[name].factory().arguments
    },
    "adamw-independent": ("adamw", {"weight_decay": 0.3, "decay": "independent"}),
    "rmsprop-momentum": ("rmsprop", {"momentum": 0.7}),
    "scion-sign": ("scion", {"norm": "sign"}),
}


# What some rules are given beside the gradient, for each of a hundred steps.
GIVEN = {
    "polyak_sgd": {"value": np.linspace(3.0, 0.1, 100)},
    "sophia": {"curvatures": np.linspace(0.01, 40.0, 100) % 7},
}


def start(rng):
    """Three trees: of a matrix and a vector, of a number and a stack of matrices, of complex arrays."""

    def normal(*shape):
        return rng.standard_normal(shape)

    complex_matrix, complex_vector = normal(2, 3) + 1j * normal(2, 3), normal(2) + 1j * normal(2)
    return [
        {"W": normal(3, 4), "b": normal(4)},
        (normal(), [normal(2, 3, 2)]),
        {"z": complex_matrix, "y": complex_vector},
    ]


def small_start(rng):
    """A matrix and a complex vector, for cases that differ from another one by their arguments alone."""
    return {"W": rng.standard_normal((3, 4)), "y": rng.standard_normal(2) + 1j * rng.standard_normal(2)}


def random_gradients(rng, params, steps, scale):
    """Gradients for all steps, stacked, about as large as ``scale``; one entry in ten is zero."""

    def leaf(p):
        shape = (steps, *np.shape(p))
        g = rng.standard_normal(shape) + 1j * rng.standard_normal(shape) * np.iscomplexobj(p)
        g = scale * g * 10.0 ** rng.uniform(-1, 1, shape) * (rng.random(shape) > 0.1)
        return g if np.iscomplexobj(p) else g.real

    return jax.tree.map(leaf, params)


def fit_for(name, tree):
    """What a rule for matrices can take of a tree; other rules take all of it."""
    return jax.tree.map(lambda x: x if "matrices" not in registry[name].needs or np.ndim(x) > 1 else None, tree)


def given(name, steps):
    return {keyword: values[:steps] for keyword, values in GIVEN.get(name, {}).items()}


def follow(opt, compiler_options=None):
    """A function of parameters and gradients, compiled once: parameters and state after all steps."""

    def step(carry, given):
        (params, state), (grads, extra) = carry, given
        if "curvatures" in extra:
            curvature = extra["curvatures"]
            extra = {"value_fn": lambda params: curvature * quadratic(params)}
        updates, state = opt.update(grads, state, params if "params" in opt.needs else None, **extra)
        return (apply_updates(params, updates), state), None

    @functools.partial(jax.jit, compiler_options=compiler_options)
    def steps(carry, given):
        carry, _ = jax.lax.scan(step, carry, given)
        return carry

    def after_all(params, gradients):
        params, gradients = jax.tree.map(jnp.asarray, (params, gradients))
        extra = jax.tree.map(jnp.asarray, given(opt.name, len(jax.tree.leaves(gradients)[0])))
        return steps((params, opt.init(params)), (gradients, extra))

    return after_all


def run(opt, params, gradients):
    return follow(opt)(params, gradients)


def last(generator):
    return deque(generator, maxlen=1).pop()


def in_one(tree, kept=0):
    """A tree whose leaves are one array, but for the first axes, which are kept."""
    return np.concatenate([np.reshape(x, (*np.shape(x)[:kept], -1)) for x in jax.tree.leaves(tree)], axis=-1)


def pairs(name, params, state, start, gradients, **arguments):
    """Each array of the parameters and of the state with what the twin has for it, and the path of its leaf.

    What a rule does that depends on its whole tree its twin does to all leaves in one array.
    """
    treedef = jax.tree.structure(start)
    if "tree" in registry[name].needs and treedef != jax.tree.structure(0):
        whole = {field: in_one(x) if jax.tree.structure(x) == treedef else x for field, x in state._asdict().items()}
        yield from pairs(
            name, in_one(params), state._replace(**whole), in_one(start), in_one(gradients, kept=1), **arguments
        )
        return
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(start)]
    columns = {"params": treedef.flatten_up_to(params)}
    for field, tree in state._asdict().items():
        if field not in {"iter", "key"} and tree is not None:
            columns[field] = [tree] * len(paths) if isinstance(tree, jax.Array) else treedef.flatten_up_to(tree)
    for i, (p, gs) in enumerate(zip(treedef.flatten_up_to(start), treedef.flatten_up_to(gradients), strict=True)):
        theirs, fields = last(getattr(reference, name)(np.asarray(p), gs, **given(name, len(gs)), **arguments))
        fields = {"params": theirs} | fields
        assert columns.keys() == fields.keys()
        for field, expected in fields.items():
            arrays, twins = jax.tree.leaves(columns[field][i]), jax.tree.leaves(expected)
            yield from ((f"{field}{paths[i]}", a, np.asarray(b)) for a, b in zip(arrays, twins, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_equal_the_twin(x64, waves_for_noise, case):
    name, arguments = CASES[case]
    rng = np.random.default_rng(0)
    after_all = follow(registry[name].factory(**arguments))
    for scale in (1e-8, 1.0, 1e4):
        params = fit_for(name, start(rng) if case.endswith("-other") else small_start(rng))
        gradients = random_gradients(rng, params, 100, scale)
        after, state = after_all(params, gradients)
        assert state.iter == 100
        for where, a, b in pairs(name, after, state, params, gradients, **arguments):
            assert a.dtype == b.dtype, where
            assert a.shape == b.shape, where
            assert np.max(np.abs(a - b)) <= 1e-10 * np.max(np.abs(b)), where


@pytest.mark.parametrize("name", some_slow(ALONG_GRADIENTS, set(REPRESENTATIVES) - {"lbfgs"}))
def test_from_zeros_along_gradients_some_of_which_are_zero(x64, waves_for_noise, name):
    params = fit_for(name, {"W": np.zeros((2, 3)), "still": np.zeros(2), "too": np.zeros((2, 2))})
    gradients = jax.tree.map(lambda p: np.zeros((20, *p.shape)), params)
    gradients["W"][5:] = np.random.default_rng(0).standard_normal((15, 2, 3))
    after, state = run(registry[name].factory(), params, gradients)
    for where, a, b in pairs(name, after, state, params, gradients):
        np.testing.assert_allclose(a, b, rtol=1e-10, err_msg=where)


def in_ulp(ours, exact):
    """The largest difference, in units in the last place of the largest entry, in float32."""
    unit = np.spacing(np.float32(np.max(np.abs(exact))))
    return np.max(np.abs(np.asarray(ours, np.result_type(exact)) - exact)) / unit


# Sums of products that cancel, and bases, have lost some digits in float32 before they are rounded; and of a distance
# of 1e-6 between numbers of about 1 there is hardly one, so that it starts from a larger one here.
ULP = {"dadapt_adam": 64, "prodigy": 64, "soap": 256, "kl_soap": 256, "shampoo": 256, "psgd_kron": 256}
FURTHER = {"dog": {"reps_rel": 0.1}, "dowg": {"reps_rel": 0.1}, "prodigy": {"d0": 0.1}}


def in_precision(bits, tree):
    dtypes = {32: (np.float32, np.complex64), 64: (np.float64, np.complex128)}[bits]
    return jax.tree.map(lambda x: np.asarray(x, dtypes[np.iscomplexobj(x)]), tree)


@pytest.mark.parametrize("name", some_slow(ALONG_GRADIENTS, ["adam", "adamw", "dog", "lamb", "muon", "rmsprop"]))
def test_fifty_steps_in_float32(waves_for_noise, name):
    rng = np.random.default_rng(0)
    params = in_precision(32, fit_for(name, start(rng)))
    gradients = in_precision(32, random_gradients(rng, params, 50, scale=1.0))
    arguments = FURTHER.get(name, {})
    opt = registry[name].factory(**arguments)
    after, state = follow(opt, AS_USERS_DO)(params, gradients)
    exact = in_precision(64, (params, gradients))
    for where, a, b in pairs(name, after, state, *exact, **arguments):
        assert in_ulp(a, b) <= ULP.get(name, 16), where


@pytest.mark.parametrize("beta2", [0.95, 0.99, 0.999, 0.9999])
def test_adams_first_update_in_float32(beta2):
    g = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    opt = adam(beta2=beta2)
    ours, _ = opt.update(jnp.asarray(g), opt.init(jnp.asarray(g)))
    exact, _ = last(reference.adam(np.zeros(1000), [g.astype(np.float64)], beta2=beta2))
    assert np.max(np.abs(np.asarray(ours, np.float64) - exact) / np.spacing(np.abs(exact).astype(np.float32))) <= 8


def test_adam_in_float32_after_a_hundred_steps():
    g = np.random.default_rng(0).standard_normal((100, 1000)).astype(np.float32)
    ours, _ = run(adam(), np.zeros(1000, np.float32), g)
    exact, _ = last(reference.adam(np.zeros(1000), g.astype(np.float64)))
    assert in_ulp(ours, exact) <= 8


@pytest.mark.parametrize("decay", ["decoupled", "independent", "l2", "proximal"])
def test_adamw_with_a_schedule_decays_as_its_twin(x64, decay):
    arguments = {"lr": lambda t: 0.1 / (1 + t), "weight_decay": 0.3, "decay": decay, "peak_lr": 0.1}
    rng = np.random.default_rng(0)
    begin, gradients = rng.standard_normal(5), rng.standard_normal((50, 5))
    params, _ = run(adamw(**arguments), begin, gradients)
    expected, _ = last(reference.adamw(begin, gradients, **arguments))
    np.testing.assert_allclose(params, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["lars", "lamb", "novograd"])
def test_a_scheduled_decay_within_the_rule_acts_as_the_number_of_its_step(x64, name):
    rng = np.random.default_rng(0)
    params, gradients = jnp.asarray(rng.standard_normal(5)), jnp.asarray(rng.standard_normal((3, 5)))
    opt = registry[name].factory(weight_decay=lambda t: 0.5 / (1 + t))
    state = opt.init(params)
    for step, g in enumerate(gradients):
        expected, _ = opt.replace(weight_decay=0.5 / (1 + step)).update(g, state, params)
        updates, state = opt.update(g, state, params)
        np.testing.assert_allclose(updates, expected, rtol=1e-12)


def test_madgrad_climbs_where_the_rate_is_negative_and_stays_finite_where_it_is_large():
    params = jnp.array([1.0, -2.0])
    up, down = (madgrad(lr=lr).update(params, madgrad().init(params), params)[0] for lr in (-0.1, 0.1))
    np.testing.assert_allclose(up, -down, rtol=1e-6)
    _, state = madgrad(lr=10.0).update(params * 1e30, madgrad().init(params), params)
    assert np.all(np.isfinite(state.v))


def test_adafactor_slows_down_by_a_whole_power(x64):
    start, gradients = np.ones(3), np.random.default_rng(0).standard_normal((20, 3))
    params, _ = run(adafactor(power=1), start, gradients)
    expected, _ = last(reference.adafactor(start, gradients, power=1.0))
    np.testing.assert_allclose(params, expected, rtol=1e-10)


@pytest.mark.parametrize("t", [100, 249, 250, 2000])
def test_radam_rectifies_exactly_where_the_series_ends(x64, t):
    beta1, beta2, one = 0.9, 0.999, jnp.ones(())
    updates, _ = radam(lr=1.0, eps=0.0).update(one, RAdamState(jnp.asarray(t - 1, jnp.int32), one, one))
    longest = 2 / (1 - beta2) - 1
    rho = longest - 2 * t * beta2**t / (1 - beta2**t)
    r = np.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
    np.testing.assert_allclose(updates, -r * np.sqrt(1 - beta2**t) / (1 - beta1**t), rtol=2e-11)


def test_sm3_says_that_an_entry_sees_its_whole_leaf():
    """A row and a column that hold something large elsewhere slow the entry down where they meet."""
    ones, large = jnp.ones((2, 2)), jnp.array([[10.0, 1.0], [1.0, 10.0]])
    second = [sm3().update(ones, sm3().update(first, sm3().init(ones))[1])[0] for first in (ones, large)]
    assert abs(second[1][0, 1]) < abs(second[0][0, 1])
    assert "leaf" in sm3().needs


def test_yogi_stands_where_its_second_moment_is_right_and_saturates_where_it_grows():
    at_two, large = jnp.full((), 2.0), jnp.full((), 1e30)
    state = yogi().init(at_two)._replace(v=jnp.full((), 4.0))
    assert yogi().update(at_two, state)[1].v == 4
    full = state._replace(v=jnp.full((), 0.9999 * jnp.finfo(jnp.float32).max))
    assert jnp.isfinite(yogi().update(large, full)[1].v)


def test_asgd_climbs_where_the_rate_is_negative():
    """Its rate falls by the size of lr: were the sign in it, the base of the power would be negative here."""
    params = jnp.array([1.0, -2.0])
    steps = []
    for lr in (-3.0, 3.0):
        opt = asgd(lr, lambd=1.0)
        _, state = opt.update(params, opt.init(params), params)
        steps.append(opt.update(params, state, params)[0])
    np.testing.assert_allclose(steps[0], -steps[1], rtol=1e-6)


def test_rmsprop_stays_finite_where_the_variance_is_nothing_but_rounding():
    g = jnp.asarray(np.random.default_rng(0).standard_normal(1000), jnp.float32)
    opt = rmsprop(centered=True, decay_rate=0.5)
    step, state = jax.jit(opt.update), opt.init(g)
    for _ in range(100):
        updates, state = step(g, state)
        assert np.all(np.isfinite(updates))
    assert np.any(state.h < state.mean**2)
