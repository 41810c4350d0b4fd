"""Train a model of named axes with penzai, whose step takes its optimizer as a static argument."""

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


def test_trains_as_with_optax():
    pz, training = client("penzai.pz"), client("penzai.toolshed.basic_training")
    models = client("penzai.models.simple_mlp")
    x = jax.random.normal(jax.random.key(0), (20, 3))
    inputs = pz.nx.wrap(x).tag("batch", "features")
    targets = pz.nx.wrap(jnp.sin(x[:, :1])).tag("batch", "features")

    def loss(model, state, rng, x, y):
        value = pz.nx.nmap(jnp.mean)(((model(x) - y) ** 2).untag("batch", "features")).unwrap()
        return value, state, value

    def train(opt):
        model = models.MLP.from_config(init_base_rng=jax.random.key(1), feature_sizes=[3, 8, 1])
        trainer = training.StatefulTrainer.build(jax.random.key(2), model, opt, loss)
        losses = [trainer.step(x=inputs, y=targets) for _ in range(5)]
        _, params = pz.unbind_params(model, freeze=True)
        return [param.value.untag(*param.value.named_shape).unwrap() for param in params], losses

    assert_trains_as_with_optax(train)
