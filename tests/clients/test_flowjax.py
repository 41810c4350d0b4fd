"""Fit a normalizing flow to samples with flowjax."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


def test_trains_as_with_optax():
    flows, distributions, fit = (client(f"flowjax.{name}") for name in ("flows", "distributions", "train"))
    data = jnp.sin(jax.random.normal(jax.random.key(0), (100, 2)))
    flow = flows.coupling_flow(
        jax.random.key(1), base_dist=distributions.Normal(jnp.zeros(2)), flow_layers=2, nn_width=8
    )

    def train(opt):
        trained, losses = fit.fit_to_data(
            jax.random.key(2), flow, data, optimizer=opt, max_epochs=3, batch_size=30, show_progress=False
        )
        return eqx.filter(trained, eqx.is_inexact_array), losses

    assert_trains_as_with_optax(train)
