"""Schedules where rules expect numbers, and weight decay of 0, without parameters."""

import inspect

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from quick import some_slow

from jaxopt_lite import (
    adam,
    adam_standard,
    adamw,
    adan,
    apply_updates,
    chain,
    clip_by_global_norm,
    from_optax,
    hyperparams,
    lion,
    optimizer,
    registry,
    sam,
    schedules,
    sgd,
    skip_nonfinite,
    weight_decay,
)
from jaxopt_lite.core.hyperparameters import ranges_of, why_fixed
from jaxopt_lite.core.scheduled import CountedState
from jaxopt_lite.testing.problems import quadratic, small_tree, update

NUMBERS = [
    (name, number)
    for name, entry in registry.items()
    for number, value in entry.factory().arguments.items()
    if number in ranges_of(entry.factory) and not ranges_of(entry.factory)[number].schedule
    if not why_fixed(entry.factory, number) and isinstance(value, int | float)
]
QUICK = [("adam", "beta1"), ("ademamix", "alpha"), ("muon", "momentum"), ("rmsprop", "decay_rate")]


def path(opt_at, steps=4):
    params = small_tree()
    state = opt_at(0).init(params)
    for t in range(steps):
        updates, state = update(opt_at(t), jax.tree.map(lambda p, t=t: p + 0.3 * t, params), state, params)
        params = apply_updates(params, updates)
    return params


@pytest.mark.parametrize(("name", "number"), some_slow(NUMBERS, QUICK))
def test_each_step_is_taken_with_the_number_of_that_step(name, number):
    make = registry[name].build
    first = registry[name].factory().arguments[number]
    falling = schedules.linear(first, 0.9 * first, steps=5)
    scheduled = make(**{number: falling})
    by_hand = [make(**{number: falling(t)}) for t in range(4)]
    ours, expected = path(lambda t: scheduled), path(by_hand.__getitem__)
    chex.assert_trees_all_close(ours, expected, rtol=1e-5, atol=1e-7)


def test_in_optax_numbers_are_injected():
    beta = schedules.linear(0.5, 0.9, steps=5)
    theirs = optax.inject_hyperparams(optax.adam)(0.1, b1=beta)
    with jax.numpy_dtype_promotion("standard"):
        expected = path(lambda t: from_optax(theirs))
    chex.assert_trees_all_close(path(lambda t: adam_standard(0.1, beta1=beta)), expected, rtol=1e-5)


class TestCounting:
    def test_a_state_that_counts_is_as_it_is(self):
        assert type(adam(beta1=schedules.constant(0.9)).init(1.0)) is type(adam().init(1.0))

    @pytest.mark.parametrize(
        "opt",
        [
            chain(clip_by_global_norm(schedules.step(1.0, 0.5, at=(1,))), sgd(1.0)),
            sam(sgd(1.0), rho=schedules.step(0.5, 0.0, at=(1,))),
        ],
    )
    def test_what_does_not_count_is_counted_for(self, opt):
        state = opt.init(jnp.asarray(9.0))
        seen = []
        for _ in range(2):
            updates, state = opt.update(jnp.asarray(9.0), state, jnp.asarray(9.0), value_fn=lambda p: p * p / 2)
            seen.append(-float(updates))
        assert seen in ([1.0, 0.5], [9.5, 9.0])
        counted = state[0] if isinstance(state[0], CountedState) else state
        assert counted.iter == 2

    def test_it_is_logged(self):
        opt = chain(
            clip_by_global_norm(schedules.linear(1.0, 0.0, steps=4)), adam(beta1=schedules.step(0.5, 0.5, (1,)))
        )
        state = opt.init(jnp.ones(3))
        _, state = opt.update(jnp.ones(3), state)
        numbers = hyperparams(opt, state)
        assert (numbers["beta1"], numbers["clip_by_global_norm.max_norm"]) == (0.25, 0.75)
        searching = sam(adam(0.1), rho=schedules.linear(1.0, 0.0, steps=4))
        assert hyperparams(searching, searching.init(1.0)) == {"rho": 1.0, "lr": 0.1}


def test_ones_own_rule_has_it_too():
    @optimizer
    def halves(lr=1.0, momentum=0.5):
        return lambda params: (), lambda grads, state, params=None: (-lr * momentum * grads, state)

    opt = halves(momentum=lambda iter: 0.5 ** (iter + 1))
    state, seen = opt.init(jnp.asarray(1.0)), []
    for _ in range(3):
        updates, state = opt.update(jnp.asarray(1.0), state)
        seen.append(float(updates))
    assert seen == [-0.5, -0.25, -0.125]


def test_one_compiled_step_serves_a_whole_scan():
    opt = adam(0.1, beta1=schedules.linear(0.5, 0.9, steps=50))

    def step(carry, _):
        params, state = carry
        updates, state = opt.update(jax.grad(quadratic)(params), state, params)
        return (apply_updates(params, updates), state), quadratic(params)

    start = small_tree()
    _, losses = jax.lax.scan(step, (start, opt.init(start)), length=100)
    assert losses[-1] < 0.1 * losses[0]


# Rules that look at parameters for nothing but decay.
DECAYING = [name for name, entry in registry.items() if "decay" in entry.needs]


class TestWithoutParameters:
    @pytest.mark.parametrize("name", some_slow(DECAYING, ["adamw", "muon", "novograd"]))
    def test_a_decay_of_0_needs_none(self, name):
        beside = {"others": adam_standard()} if "matrices" in registry[name].needs else {}
        opt = registry[name].factory(weight_decay=0, **beside)
        params = small_tree()
        state = opt.init(params)
        for _ in range(2):
            alone, new = opt.update(params, state)
            with_params, state = opt.update(params, state, params)
            chex.assert_trees_all_close((alone, new), (with_params, state), rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("name", DECAYING)
    def test_any_other_needs_them(self, name):
        beside = {"others": adam_standard()} if "matrices" in registry[name].needs else {}
        for number in (0.1, jnp.zeros(()), schedules.constant(0.0)):
            assert "params" in registry[name].factory(weight_decay=number, **beside).needs

    def test_in_a_wrapper_and_beside_a_transform_too(self):
        for opt in (skip_nonfinite(adamw(weight_decay=0)), chain(lion(weight_decay=0.0), weight_decay(0))):
            assert opt.needs == frozenset()
            updates, _ = opt.update(1.0, opt.init(1.0))
            np.testing.assert_allclose(updates, -opt.children[0].arguments["lr"], rtol=1e-5)

    @pytest.mark.parametrize("decay", ["decoupled", "independent", "l2", "proximal"])
    def test_whatever_the_decay_means(self, decay):
        opt = adan(weight_decay=0.0, decay=decay)
        expected, _ = opt.update(jnp.ones(3), opt.init(jnp.ones(3)), jnp.ones(3))
        updates, _ = opt.update(jnp.ones(3), opt.init(jnp.ones(3)))
        chex.assert_trees_all_close(updates, expected, rtol=1e-4)

    def test_every_rule_with_a_weight_decay_says_what_it_needs_parameters_for(self):
        decaying = [
            name for name, entry in registry.items() if "weight_decay" in inspect.signature(entry.factory).parameters
        ]
        elsewhere = {"lamb", "lars", "prodigy", "schedule_free_sgd", "schedule_free_adamw", "sophia"}
        assert set(decaying) - set(DECAYING) == elsewhere
