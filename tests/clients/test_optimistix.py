"""Minimise a function with optimistix."""

import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


def test_trains_as_with_optax():
    optx = client("optimistix")

    def rosenbrock(y, scale):
        return jnp.sum(scale * (y["b"] - y["a"] ** 2) ** 2 + (1 - y["a"]) ** 2)

    def train(opt):
        solver = optx.OptaxMinimiser(opt, rtol=1e-8, atol=1e-8)
        start = {"a": jnp.zeros(2), "b": jnp.ones(2)}
        solution = optx.minimise(rosenbrock, solver, start, args=jnp.asarray(3.0), max_steps=20, throw=False)
        return solution.value

    assert_trains_as_with_optax(train)
