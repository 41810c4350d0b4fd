"""The dtype promise: whatever gradients and learning rate are, a step moves no dtype, and there is one trace."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from composed import AROUND, WRAPPERS
from quick import REPRESENTATIVES, some_slow

from jaxopt_lite import adam, apply_updates, registry
from jaxopt_lite.core.value import Value
from jaxopt_lite.testing.problems import assert_ulps, small_tree, update

LR = 0.25
KINDS_OF_LR = {
    "float": lambda: LR,
    "np.float32": lambda: np.float32(LR),
    "np.float64": lambda: np.float64(LR),
    "strong array": lambda: jnp.full((), LR, jnp.float32),
    "weak array": lambda: jnp.asarray(LR),
    "schedule of floats": lambda: lambda iter: LR,
    "schedule of arrays": lambda: lambda iter: LR / (1 + iter),
}


def grid(real):
    """Pairs of dtypes: of the parameters and the gradients."""
    complex_ones = [jnp.complex64] if jnp.float64 not in real else [jnp.complex64, jnp.complex128]
    yield from itertools.product(real, real)
    yield from itertools.product(complex_ones, [*real, *complex_ones])


# Every kind of lr; for the rules beyond these, those kinds that differ most: what becomes of lr is ``at``'s affair.
EVERY_KIND = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]


def kinds_of_lr(name):
    return list(KINDS_OF_LR) if name in EVERY_KIND else ["float", "np.float64", "schedule of arrays"]


def assert_no_dtype_moves(name, pairs):
    """Hold a step to the dtypes that it was given, with a leaf for each pair of dtypes."""
    # Side by side in a rule that looks at its whole tree, one pair might hide what another does.
    trees = [[pair] for pair in pairs] if "tree" in registry[name].needs else [pairs]
    for kind, tree in itertools.product(kinds_of_lr(name), trees):
        lr = KINDS_OF_LR[kind]
        opt = registry[name].build(**{"lr": lr()} if "lr" in registry[name].build().arguments else {})
        assert_a_step_moves_no_dtype(opt, tree, with_params=True)
        alike = [
            (p, g) for p, g in tree if jnp.issubdtype(p, jnp.complexfloating) == jnp.issubdtype(g, jnp.complexfloating)
        ]
        if "params" not in opt.needs and alike:
            assert_a_step_moves_no_dtype(opt, alike, with_params=False)


def assert_a_step_moves_no_dtype(opt, pairs, *, with_params):
    grads = [jax.ShapeDtypeStruct((2,), dtype) for _, dtype in pairs]

    def begin():
        params = [jnp.ones(2, dtype) for dtype, _ in pairs]
        return params, opt.init(params)

    def step(grads, params, state):
        updates, state = update(opt, grads, state, params if with_params else None)
        assert [u.dtype for u in updates] == [p.dtype for p in (params if with_params else grads)]
        return apply_updates(params, updates), state

    first = jax.eval_shape(begin)
    # What jit's cache is keyed by, weak types included: if that is the same, there is no second trace.
    assert jax.eval_shape(step, grads, *first) == first, f"{opt}, {pairs}"
    for leaf in jax.tree.leaves(first[1]):
        assert leaf.dtype.name in {"int32", "uint32", "float32", "float64", "complex64", "complex128"}


@pytest.mark.parametrize("name", some_slow(registry, ["adam", "schedule_free_sgd"]))
def test_grid(name):
    pairs = list(grid([jnp.float16, jnp.bfloat16, jnp.float32]))
    assert len(KINDS_OF_LR) * len(pairs) >= 63
    assert_no_dtype_moves(name, pairs)


@pytest.mark.parametrize("name", some_slow(registry, ["sgd", "adam", "adamw", "nadam", "adafactor"]))
def test_grid_in_double_precision(x64, name):
    pairs = list(grid([jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64]))
    assert len(KINDS_OF_LR) * len(pairs) >= 112
    assert_no_dtype_moves(name, pairs)


# Of parameters, gradients, state and hyperparameters; of any two of them, each pair of dtypes stands in one row.
PRECISIONS = jnp.bfloat16, jnp.float32, jnp.float64
UNLIKE = [[PRECISIONS[k % 3] for k in (a, b, a + b, a + 2 * b)] for a in range(3) for b in range(3)]

RULES = {name: registry[name].build for name in registry}
ONCE = {f"{name} around adam": lambda around=around: around(adam()) for name, around in AROUND.items()}
TWICE = {f"{name} twice": lambda around=around: around(around(adam())) for name, around in WRAPPERS.items()}
ALL = RULES | ONCE | TWICE
QUICK = [*REPRESENTATIVES, "kl_soap", "shampoo", *(f"{name} around adam" for name in WRAPPERS), "accumulate twice"]


def with_floats_in(dtype, tree):
    """Cast the floats of a tree, of a state for instance, and leave its counters and keys alone."""
    return jax.tree.map(lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def with_numbers_in(dtype, argument):
    """Make arrays of the numbers of an optimizer, and of those inside it."""
    if isinstance(argument, Value):
        return argument.replace(**{name: with_numbers_in(dtype, x) for name, x in argument.arguments.items()})
    if isinstance(argument, tuple | dict):
        return jax.tree.map(lambda x: with_numbers_in(dtype, x), argument, is_leaf=lambda x: isinstance(x, Value))
    return jnp.asarray(argument, dtype) if type(argument) is float else argument


@pytest.mark.parametrize("name", some_slow(ALL, QUICK))
def test_parameters_gradients_state_and_numbers_may_each_have_another_dtype(x64, name):
    def step(dtype_of_params, dtype_of_grads, dtype_of_state, dtype_of_numbers):
        opt, params = with_numbers_in(dtype_of_numbers, ALL[name]()), small_tree(dtype_of_params)
        state = with_floats_in(dtype_of_state, opt.init(params))
        return (params, state), update(opt, small_tree(dtype_of_grads), state, params)

    for dtypes in UNLIKE:
        before, after = jax.eval_shape(lambda dtypes=dtypes: step(*dtypes))
        assert before == after, dtypes


@pytest.mark.parametrize("name", some_slow(ALL, QUICK))
def test_gradients_and_parameters_may_be_in_eight_bits(name):
    def step(dtype_of_params, dtype_of_grads):
        opt, params = ALL[name](), small_tree(dtype_of_params)
        state = opt.init(params)
        updates, new = update(opt, small_tree(dtype_of_grads), state, params)
        return (params, state), (apply_updates(params, updates), new)

    eight = jnp.float8_e4m3fn, jnp.float8_e5m2
    for dtypes in [*itertools.product((jnp.bfloat16, jnp.float32), eight), eight]:
        before, after = jax.eval_shape(lambda dtypes=dtypes: step(*dtypes))
        assert before == after, dtypes
        assert not any(x.dtype in eight for x in jax.tree.leaves(before[1]))


@pytest.mark.parametrize("dtype", [jnp.float8_e4m3fn, jnp.float8_e5m2])
def test_a_gradient_in_eight_bits_is_worked_on_in_float32(dtype):
    opt, params = adam(0.1), small_tree()
    grads = small_tree(dtype)
    wide = jax.tree.map(lambda g: g.astype(jnp.float32), grads)
    chex.assert_trees_all_equal(*(opt.update(g, opt.init(params), params) for g in (grads, wide)))


@pytest.mark.parametrize("name", some_slow(ALL, ["average around adam", "lookahead around adam", "dog"]))
def test_a_state_in_half_precision_is_worked_on_in_float32(name):
    opt, params = ALL[name](), small_tree(jnp.bfloat16)
    state = with_floats_in(jnp.bfloat16, opt.init(params))
    step = jax.jit(lambda state: update(opt, params, state, params))
    expected = with_floats_in(jnp.bfloat16, step(with_floats_in(jnp.float32, state)))
    assert_ulps(step(state), expected, ulps=1)
