"""Fit a guide to a model with numpyro, which takes optax's own type, or an optimizer wrapped by hand."""

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client
from jaxopt_lite import to_optax

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("wrapped", ["by numpyro", "by hand"])
def test_trains_as_with_optax(wrapped):
    numpyro, infer, optim = client("numpyro"), client("numpyro.infer"), client("numpyro.optim")
    distributions = client("numpyro.distributions")
    x = jax.random.normal(jax.random.key(0), (50, 3))
    y = x @ jnp.arange(3.0) + 0.1

    def model(x, y):
        w = numpyro.sample("w", distributions.Normal(jnp.zeros(3), 1.0).to_event(1))
        deviation = numpyro.sample("deviation", distributions.HalfNormal(1.0))
        with numpyro.plate("data", len(x)):
            numpyro.sample("y", distributions.Normal(x @ w, deviation), obs=y)

    def train(opt):
        tx = to_optax(opt) if wrapped == "by numpyro" else optim.optax_to_numpyro(opt)
        svi = infer.SVI(model, infer.autoguide.AutoNormal(model), tx, infer.Trace_ELBO())
        found = svi.run(jax.random.key(1), 5, x, y, progress_bar=False)
        return found.params, found.losses

    assert_trains_as_with_optax(train)
