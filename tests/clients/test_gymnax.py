"""Balance gymnax's pole by PPO in a loop like purejaxrl's: all is compiled, and the network is flax's."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest
from flax.training.train_state import TrainState

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow

ENVS, STEPS, EPOCHS, MINIBATCHES, UPDATES = 4, 16, 2, 2, 3
GAMMA, LAMBDA, CLIP = 0.99, 0.95, 0.2


class ActorCritic(nn.Module):
    @nn.compact
    def __call__(self, x):
        logits = nn.Dense(2, kernel_init=nn.initializers.orthogonal(0.01))(nn.tanh(nn.Dense(16)(x)))
        return logits, nn.Dense(1)(nn.tanh(nn.Dense(16)(x)))[..., 0]


def log_probability(logits, action):
    return jnp.take_along_axis(jax.nn.log_softmax(logits), action[..., None], axis=-1)[..., 0]


def advantages(rewards, dones, values, last):
    """Return the generalized advantage estimates."""

    def back(carry, now):
        advantage, following = carry
        reward, done, value = now
        error = reward + GAMMA * following * (1 - done) - value
        advantage = error + GAMMA * LAMBDA * (1 - done) * advantage
        return (advantage, value), advantage

    return jax.lax.scan(back, (jnp.zeros_like(last), last), (rewards, dones, values), reverse=True)[1]


def loss(params, apply, batch):
    observation, action, before, value, advantage = batch
    logits, predicted = apply(params, observation)
    ratio = jnp.exp(log_probability(logits, action) - before)
    scaled = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    actor = -jnp.minimum(ratio * scaled, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * scaled).mean()
    critic = jnp.mean((predicted - (value + advantage)) ** 2)
    entropy = -jnp.sum(jax.nn.softmax(logits) * jax.nn.log_softmax(logits), axis=-1).mean()
    return actor + 0.5 * critic - 0.01 * entropy


def test_trains_as_with_optax():
    env, settings = client("gymnax").make("CartPole-v1")
    reset, act = jax.vmap(env.reset, (0, None)), jax.vmap(env.step, (0, 0, 0, None))

    def train(opt):
        network, key = ActorCritic(), jax.random.key(0)
        observation, env_state = reset(jax.random.split(key, ENVS), settings)
        params = network.init(key, observation)
        tx = optax.chain(optax.clip_by_global_norm(0.5), opt)
        state = TrainState.create(apply_fn=network.apply, params=params, tx=tx)

        def play(carry, key):
            state, observation, env_state = carry
            logits, value = state.apply_fn(state.params, observation)
            action = jax.random.categorical(key, logits)
            then, env_state, reward, terminated, truncated, _ = act(
                jax.random.split(key, ENVS), env_state, action, settings
            )
            seen = observation, action, log_probability(logits, action), value
            return (state, then, env_state), (seen, reward, terminated | truncated)

        def learn(state, batch):
            value, grads = jax.value_and_grad(loss)(state.params, state.apply_fn, batch)
            return state.apply_gradients(grads=grads), value

        def update(carry, key):
            carry, (seen, rewards, dones) = jax.lax.scan(play, carry, jax.random.split(key, STEPS))
            state, observation, env_state = carry
            last = state.apply_fn(state.params, observation)[1]
            batch = *seen, advantages(rewards, dones, seen[-1], last)
            batch = jax.tree.map(lambda x: x.reshape(ENVS * STEPS, *x.shape[2:]), batch)

            def epoch(state, key):
                order = jax.random.permutation(key, ENVS * STEPS).reshape(MINIBATCHES, -1)
                return jax.lax.scan(learn, state, jax.tree.map(lambda x: x[order], batch))

            state, values = jax.lax.scan(epoch, state, jax.random.split(key, EPOCHS))
            return (state, observation, env_state), values

        keys = jax.random.split(key, UPDATES)
        (state, _, _), values = jax.jit(lambda *carry: jax.lax.scan(update, carry, keys))(state, observation, env_state)
        return state.params, values

    assert_trains_as_with_optax(train)
