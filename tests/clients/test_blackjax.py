"""Approximate a distribution with blackjax by a Gaussian, by particles, and by chains that adapt."""

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


def log_density(x):
    return -jnp.sum((x["a"] - 1) ** 2) / 2 - jnp.sum((x["b"] - x["a"][0] ** 2) ** 2)


@pytest.mark.parametrize("family", ["meanfield_vi", "fullrank_vi"])
def test_variational_inference_as_with_optax(family):
    blackjax = client("blackjax")

    def train(opt):
        algorithm = getattr(blackjax, family)(log_density, opt, num_samples=10)
        state = algorithm.init({"a": jnp.zeros(2), "b": jnp.zeros(3)})
        losses = []
        for key in jax.random.split(jax.random.key(0), 5):
            state, info = jax.jit(algorithm.step)(key, state)
            losses.append(info.elbo)
        return state._replace(opt_state=None), losses

    assert_trains_as_with_optax(train)


def test_trains_as_with_optax():
    blackjax = client("blackjax")
    keys = jax.random.split(jax.random.key(0))
    particles = {"a": jax.random.normal(keys[0], (10, 2)), "b": jax.random.normal(keys[1], (10, 3))}

    def train(opt):
        algorithm = blackjax.svgd(jax.grad(log_density), opt)
        state = algorithm.init(particles, {"length_scale": 1.0})
        for _ in range(5):
            state = jax.jit(algorithm.step)(state)
        return state.particles

    assert_trains_as_with_optax(train)


def test_chees_adapts_as_with_optax():
    blackjax = client("blackjax")
    chains, key = 8, jax.random.key(0)
    start = {"a": jax.random.normal(key, (chains, 2)), "b": jnp.zeros((chains, 3))}

    def train(opt):
        warmup = blackjax.chees_adaptation(log_density, num_chains=chains)
        (states, _), info = warmup.run(key, start, 0.1, opt, 10)
        return states.position, info.adaptation_state.trajectory_length

    assert_trains_as_with_optax(train)
