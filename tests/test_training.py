"""The loop in one line is the loop."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxopt_lite import (
    adam,
    adamw,
    apply_updates,
    chain,
    clip_by_global_norm,
    perturbed_params,
    registry,
    sgd,
    train_step,
)
from jaxopt_lite.testing.problems import assert_ulps, quadratic, small_tree

X, T = jnp.arange(12.0).reshape(4, 3) / 10, jnp.arange(4.0)


def loss(params, x, t=T):
    return jnp.mean((x @ params["w"] + params["b"] - t) ** 2)


def fresh():
    return {"w": jnp.ones(3), "b": jnp.zeros(())}


def test_it_is_the_explicit_loop():
    opt = adam(0.1)

    @jax.jit
    def explicit(params, state, x):
        value, grads = jax.value_and_grad(loss)(params, x)
        updates, state = opt.update(grads, state, params)
        return apply_updates(params, updates), state, value

    step = train_step(loss, opt)
    ours = theirs = (fresh(), opt.init(fresh()))
    ours = jax.tree.map(jnp.copy, ours)
    for _ in range(5):
        *ours, value = step(*ours, X)
        *theirs, expected = explicit(*theirs, X)
        assert_ulps((ours, value), (theirs, expected), ulps=8)
    assert step._cache_size() == 1


def test_arguments_of_the_loss_come_after_the_state():
    step = train_step(loss, sgd())
    _, _, at_zero = step(fresh(), sgd().init(fresh()), X, t=jnp.zeros(4))
    np.testing.assert_allclose(at_zero, loss(fresh(), X, jnp.zeros(4)))


def test_parameters_and_state_are_donated():
    params, state = fresh(), adam().init(fresh())
    train_step(loss, adam())(params, state, X)
    assert all(x.is_deleted() for x in jax.tree.leaves((params, state)))


OLD = pytest.mark.skipif(jax.__version_info__ < (0, 8), reason="XLA copied what a loop goes through, as the norm does")
CLIPPED = pytest.param(chain(clip_by_global_norm(1.0), adamw()), marks=OLD)


@pytest.mark.parametrize("opt", [sgd(), adam(), CLIPPED], ids=str)
def test_a_donated_step_takes_no_memory_beside_parameters_state_and_gradients(opt):
    params = {"W": jnp.ones((1000, 1000)), "b": jnp.ones(1000)}
    state = opt.init(params)

    def step(params, state, grads):
        updates, state = opt.update(grads, state, params)
        return apply_updates(params, updates), state

    memory = jax.jit(step, donate_argnums=(0, 1)).lower(params, state, params).compile().memory_analysis()
    arguments = sum(x.nbytes for x in jax.tree.leaves((params, state, params)))
    new = memory.output_size_in_bytes - memory.alias_size_in_bytes
    assert memory.argument_size_in_bytes + new + memory.temp_size_in_bytes <= 1.001 * arguments


def test_what_is_beside_the_value_comes_out_and_rules_see_the_value_alone():
    def with_aux(params, x):
        return loss(params, x), {"weight": params["w"][0]}

    for name in ("polyak_sgd", "lbfgs", "sophia", "adam"):
        opt = registry[name].factory()
        params, _, (value, aux) = train_step(with_aux, opt, has_aux=True)(fresh(), opt.init(fresh()), X)
        expected, _, plain = train_step(loss, opt)(fresh(), opt.init(fresh()), X)
        assert_ulps((params, value), (expected, plain), ulps=8)
        assert aux["weight"] == 1


def test_gradients_of_complex_parameters_go_downhill():
    params = small_tree(jnp.complex64)
    step, state, before = train_step(quadratic, sgd(0.1)), sgd(0.1).init(params), quadratic(params)
    for _ in range(3):
        params, state, _ = step(params, state)
    assert quadratic(params) < 0.6 * before


def test_a_thousand_rates_given_as_arrays_compile_one_program():
    @jax.jit
    def step(opt, state):
        return opt.update(fresh(), state)[1]

    state = adam().init(fresh())
    for i in range(1000):
        state = step(adam(lr=jnp.float32(0.01 * 0.99**i)), state)
    assert step._cache_size() == 1
    assert state.iter == 1000


def test_constants_among_the_arrays_of_an_optimizer_are_its_own():
    slow, fast = (train_step(loss, sgd(jnp.asarray(lr))) for lr in (0.01, 0.1))
    moved = [step(fresh(), sgd().init(fresh()), X)[0]["w"] - 1 for step in (slow, fast)]
    chex.assert_trees_all_close(10 * moved[0], moved[1], rtol=1e-4)


def test_what_stands_at_two_places_is_named():
    """XLA takes the memory of a donated array once; what it says of a second time names a position."""
    w = jnp.ones(3)
    tied, opt = {"embed": {"w": w}, "head": [w]}, adam()
    step = train_step(quadratic, opt)
    with pytest.raises(
        ValueError, match=r"^train_step: params\['embed'\]\['w'\] and params\['head'\]\[0\] are one array"
    ):
        step(tied, opt.init(tied))
    params = {"w": jnp.ones(3)}
    with pytest.raises(ValueError, match=r"^train_step: params\['w'\] and state.m\['w'\] are one array"):
        step(params, opt.init(params)._replace(m=params))


class TestPerturbedParams:
    def test_it_is_as_far_away_as_it_should_be_and_uphill(self):
        params, grads = {"w": jnp.ones(2), "b": jnp.zeros(())}, {"w": jnp.asarray([3e30, 0.0]), "b": jnp.asarray(4e30)}
        for perturbed in (perturbed_params, jax.jit(perturbed_params)):
            there = perturbed(params, grads, rho=0.5)
            np.testing.assert_allclose(there["w"], [1.3, 1.0], rtol=1e-6)
            np.testing.assert_allclose(there["b"], 0.4, rtol=1e-6)
        np.testing.assert_allclose(perturbed_params(params, grads)["b"], 0.04, rtol=1e-6)

    def test_without_a_slope_it_is_where_it_was(self):
        zeros = jax.tree.map(jnp.zeros_like, fresh())
        chex.assert_trees_all_equal(perturbed_params(fresh(), zeros), fresh())

    def test_it_keeps_what_has_no_gradient_and_every_dtype(self):
        params = {"w": jnp.ones(4, jnp.bfloat16), "z": jnp.asarray(1j, jnp.complex64), "name": "dense", "f": jnp.tanh}
        grads = {"w": jnp.full(4, 0.5), "z": jnp.zeros((), jnp.complex64), "name": None, "f": None}
        there = perturbed_params(params, grads, 1.0)
        assert (there["w"].dtype, there["z"].dtype) == (jnp.bfloat16, jnp.complex64)
        assert (there["name"], there["f"]) == ("dense", jnp.tanh)
        assert np.all(there["w"] == 1.5)
