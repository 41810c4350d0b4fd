"""Learn by PPO with brax, whose step gives its optimizer no parameters."""

import functools

import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = [
    pytest.mark.slow,
    # jaxopt, a dependency of brax, warns on import.
    pytest.mark.filterwarnings("ignore:JAXopt is no longer maintained:DeprecationWarning"),
]


def test_trains_as_with_optax():
    envs, gradients, acting = client("brax.envs"), client("brax.training.gradients"), client("brax.training.acting")
    losses, networks = client("brax.training.agents.ppo.losses"), client("brax.training.agents.ppo.networks")
    env = envs.training.wrap(envs.get_environment("fast"), episode_length=20)
    # The networks are small, because Adam amplifies rounding in the nearly zero gradients of brax's wide ones.
    sizes = {"policy_hidden_layer_sizes": (8,), "value_hidden_layer_sizes": (8,)}
    network = networks.make_ppo_networks(env.observation_size, env.action_size, **sizes)
    loss = functools.partial(losses.compute_ppo_loss, ppo_network=network)
    key = jax.random.PRNGKey(0)  # not jax.random.key: brax indexes the shape of a key
    start = losses.PPONetworkParams(policy=network.policy_network.init(key), value=network.value_network.init(key))

    def train(opt):
        update = gradients.gradient_update_fn(loss, opt, pmap_axis_name=None, has_aux=True)

        @jax.jit
        def step(params, state, env_state, key):
            policy = networks.make_inference_fn(network)((None, params.policy, params.value))
            env_state, data = acting.generate_unroll(env, env_state, policy, key, 10, extra_fields=("truncation",))
            data = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), data)
            (value, _), params, state = update(params, None, data, key, optimizer_state=state)
            return params, state, env_state, value

        params, state, values = start, opt.init(start), []
        env_state = jax.jit(env.reset)(jax.random.split(key, 4))
        for each in jax.random.split(key, 5):
            params, state, env_state, value = step(params, state, env_state, each)
            values.append(value)
        return params, values

    assert_trains_as_with_optax(train)
