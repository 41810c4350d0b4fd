"""Every transform and every wrapper around the optimizers: the laws, and the forms of all pairs."""

import functools
import itertools
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import pytest
from composed import AFTER, AROUND, BEFORE, OPTIMIZERS, WRAPPERS
from quick import some_slow

from jaxopt_lite import adam, adamw, apply_updates, find, optimizer, registry, schedules, transforms, wrappers
from jaxopt_lite.testing import check, laws
from jaxopt_lite.testing.problems import quadratic, small_tree, start, update

OF_ARITHMETIC = [name for name, law in laws.items() if law.__module__.endswith("arithmetic")]


def test_nothing_is_left_out():
    factories = {name for module in (transforms, wrappers) for name in module.__all__ if not name.endswith("State")}
    tried = {t.name for t in (BEFORE | AFTER).values()} | {around(adam()).name for around in WRAPPERS.values()}
    assert factories == tried | {"chain", "freeze"}


class Seen(NamedTuple):
    loss: Any


@optimizer
def asking():
    def update(grads, state, params=None, *, value, value_fn):
        assert callable(value_fn)
        return grads, Seen(jnp.asarray(value))

    return lambda params: Seen(jnp.zeros(())), update


@pytest.mark.parametrize("around", AROUND)
def test_keywords_reach_what_is_inside(around):
    opt = AROUND[around](asking())
    params = small_tree()
    state = opt.init(params)
    for _ in range(2):
        _, state = opt.update(params, state, params, value=-3.0, value_fn=quadratic, epoch="first")
    loss = state["all"].loss if opt.name == "partition" else find(state, "loss")
    assert abs(loss) == 3


@pytest.mark.parametrize("around", some_slow(AROUND, ["accumulate"]))
def test_around_adam_all_laws_hold(around):
    check(AROUND[around](adam()))


@pytest.mark.parametrize("around", AROUND)
def test_around_adam_needs_are_as_they_are_declared(around):
    check(AROUND[around](adam()), only=["follows_the_protocol", "keeps_nan_where_it_is", "may_be_donated"])


# Everything around some rules, and every rule in something.
PAIRS = set(zip(itertools.cycle(AROUND), registry))
WITH_ARITHMETIC = ["sgd", "momentum", "adagrad", "rmsprop", "adamw"]


# On a sphere gradients never vanish, and D-Adaptation's rate grows as long as they point the same way.
DIVERGE = {("hyperball", "dadapt_adam")}
EVERY = sorted((PAIRS | {*itertools.product(AROUND, WITH_ARITHMETIC)}) - DIVERGE)


@pytest.mark.parametrize(("around", "rule"), some_slow(EVERY, [("average", "adamw"), ("cautious", "momentum")]))
def test_around_other_rules_the_laws_of_arithmetic_hold(around, rule):
    check(AROUND[around](registry[rule].build()), only=OF_ARITHMETIC)


def assert_no_form_changes(opt, *dtypes):
    for dtype in dtypes:
        params, state = jax.eval_shape(lambda dtype=dtype: start(opt, small_tree(dtype)))
        assert jax.eval_shape(lambda p, s: update(opt, p, s, p), params, state) == (params, state)


@pytest.mark.parametrize(
    ("around", "rule"),
    some_slow(sorted({*EVERY, *itertools.product(AROUND, ["nesterov", "adam"])}), itertools.product(AROUND, ["adam"])),
)
def test_a_step_changes_no_form(around, rule):
    opt = AROUND[around](registry[rule].build())
    assert_no_form_changes(opt, jnp.float16, jnp.bfloat16, jnp.float32, jnp.complex64)


@pytest.mark.parametrize("around", some_slow(AROUND, ["grokfast", "hyperball", "average", "skip_spikes"]))
def test_a_step_changes_no_form_in_double_precision(x64, around):
    opt = AROUND[around](adamw(schedules.warmup(5, schedules.cosine(0.1, 10))))
    assert_no_form_changes(opt, jnp.bfloat16, jnp.float32, jnp.float64, jnp.complex64, jnp.complex128)


MATRIX = jnp.arange(6.0).reshape(2, 3)


def first_step(opt, number, matrix=MATRIX):
    """What the first step gives of a matrix and of one number, in that form, with gradients in that form too."""
    params = {"w": matrix, "number": number}
    updates, state = update(opt, params, opt.init(params), params)
    return updates, state, apply_updates(params, updates)


def form(step, *arrays):
    return jax.tree.map(lambda x: (x.shape, x.dtype), jax.eval_shape(step, *arrays))


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("name", some_slow(OPTIMIZERS, ["adam", "muon", "sophia", "lbfgs", "hyperball with adam"]))
@pytest.mark.parametrize("number", [0.5, 0.5j])
def test_a_python_float_is_an_array_of_it(name, number):
    """Outside of a trace, where jit makes an array of it, and within one, where it comes as it is."""
    opt = OPTIMIZERS[name]
    for given in ((), (MATRIX,)):
        plain, array = (functools.partial(first_step, opt, x) for x in (number, jnp.asarray(number)))
        assert form(plain, *given) == form(array, *given)


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("name", ["adam", "muon", "sophia", "hyperball with adam", "sam with adam"])
def test_a_step_of_a_python_float_is_that_of_the_array(name):
    chex.assert_trees_all_equal(*(first_step(OPTIMIZERS[name], x) for x in (0.5, jnp.asarray(0.5))))
