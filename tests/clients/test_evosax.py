"""Evolve a population with evosax. Its optimizer moves the mean of the population."""

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["Open_ES", "PGPE"])
def test_trains_as_with_optax(name):
    strategies = client("evosax.algorithms")
    start = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}
    fitness = jax.vmap(lambda x: jnp.sum((x["w"] - 3) ** 2) + jnp.sum((x["b"] + x["w"][0]) ** 2))

    def train(opt):
        strategy = getattr(strategies, name)(population_size=8, solution=start, optimizer=opt)
        start_key, params = jax.random.key(0), strategy.default_params
        state = strategy.init(start_key, start, params)
        for key in jax.random.split(start_key, 5):
            population, state = strategy.ask(key, state, params)
            state, _ = strategy.tell(key, population, fitness(population), state, params)
        return strategy.get_mean(state)

    assert_trains_as_with_optax(train)
