"""Fit a hidden Markov model with dynamax, which gives its optimizer no parameters."""

import jax
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = [
    pytest.mark.slow,
    # tensorflow_probability, a dependency of dynamax, uses two deprecated calls of jax.
    pytest.mark.filterwarnings("ignore:jax.core.pytype_aval_mappings is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:shape requires ndarray or scalar arguments:DeprecationWarning"),
]


def test_trains_as_with_optax():
    hmm = client("dynamax.hidden_markov_model").DiagonalGaussianHMM(num_states=3, emission_dim=2)
    params, props = hmm.initialize(jax.random.key(0))
    _, data = hmm.sample(params, jax.random.key(1), num_timesteps=30)
    start, props = hmm.initialize(jax.random.key(2))

    def train(opt):
        return hmm.fit_sgd(start, props, data, optimizer=opt, num_epochs=5)

    assert_trains_as_with_optax(train)
