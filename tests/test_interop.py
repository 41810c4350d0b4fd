"""Other people's training loops take these optimizers as they stand."""

import chex
import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState

from jaxopt_lite import adam, apply_updates, registry

PARAMS = {"w": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(0.5)}


def expected(opt, steps=3):
    params, state = PARAMS, opt.init(PARAMS)
    for _ in range(steps):
        updates, state = opt.update(params, state, params)
        params = apply_updates(params, updates)
    return params


@pytest.mark.parametrize("name", registry)
def test_flax_train_state(name):
    opt = registry[name].factory()
    state = TrainState.create(apply_fn=None, params=PARAMS, tx=opt)
    for _ in range(3):
        state = jax.jit(lambda state: state.apply_gradients(grads=state.params))(state)
    chex.assert_trees_all_close(state.params, expected(opt), rtol=1e-6)


@pytest.mark.parametrize("name", registry)
def test_optax_chain(name):
    opt = registry[name].factory()
    chained = optax.chain(optax.clip(10.0), opt)
    params, state = PARAMS, chained.init(PARAMS)
    for _ in range(3):
        updates, state = chained.update(params, state, params, value=1.0)
        params = optax.apply_updates(params, updates)
    chex.assert_trees_all_close(params, expected(opt), rtol=1e-6)


def test_nnx_optimizer():
    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    before = jax.tree.map(jnp.array, nnx.state(model))
    optimizer = nnx.Optimizer(model, adam(lr=0.1), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer):
        optimizer.update(model, nnx.grad(lambda model: jnp.sum(model(jnp.ones((1, 2)))))(model))

    step(model, optimizer)
    moved = jax.tree.map(lambda a, b: a - b, nnx.state(model), before)
    chex.assert_trees_all_close(moved, jax.tree.map(lambda x: jnp.full_like(x, -0.1), before), rtol=1e-4)


def test_optax_schedules_are_schedules():
    schedule = optax.cosine_decay_schedule(0.1, decay_steps=3)
    opt, state = adam(lr=schedule), adam().init(PARAMS)
    for count in range(4):
        by_number, _ = adam(lr=float(schedule(count))).update(PARAMS, state)
        updates, state = opt.update(PARAMS, state)
        chex.assert_trees_all_close(updates, by_number, rtol=1e-5)
