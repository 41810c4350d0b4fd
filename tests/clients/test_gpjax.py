"""Fit a Gaussian process with gpjax, which takes optax's own type only."""

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client
from jaxopt_lite import to_optax

pytestmark = pytest.mark.slow


def test_trains_as_with_optax():
    gpx = client("gpjax")
    jax.config.update("jax_enable_x64", True)  # as its users do
    x = jnp.linspace(0, 1, 20).reshape(-1, 1)
    data = gpx.Dataset(X=x, y=jnp.sin(6 * x))
    prior = gpx.gps.Prior(mean_function=gpx.mean_functions.Constant(), kernel=gpx.kernels.RBF())

    def train(opt):
        return gpx.fit(
            model=prior * gpx.likelihoods.Gaussian(),
            objective=lambda model, data: -gpx.objectives.conjugate_mll(model, data),
            train_data=data,
            optim=to_optax(opt),
            num_iters=5,
            verbose=False,
        )

    assert_trains_as_with_optax(train, rtol=1e-10, atol=1e-10)
