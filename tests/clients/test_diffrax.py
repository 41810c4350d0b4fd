"""Train a neural differential equation with diffrax, in equinox's loop."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


def test_trains_as_with_optax():
    diffrax = client("diffrax")
    times = jnp.linspace(0, 2, 10)
    start = jax.random.normal(jax.random.key(0), (8, 2))
    angle = times[None, :, None]
    data = start[:, None] * jnp.cos(angle) + start[:, None, ::-1] * jnp.asarray([1, -1]) * jnp.sin(angle)

    def solve(field, y0):
        term = diffrax.ODETerm(lambda t, y, args: field(y))
        return diffrax.diffeqsolve(
            term, diffrax.Heun(), 0, 2, 0.2, y0, saveat=diffrax.SaveAt(ts=times), max_steps=16
        ).ys

    @eqx.filter_value_and_grad
    def loss(field):
        return jnp.mean((jax.vmap(lambda y0: solve(field, y0))(start) - data) ** 2)

    @eqx.filter_jit
    def step(field, state, opt):
        value, grads = loss(field)
        updates, state = opt.update(grads, state, eqx.filter(field, eqx.is_inexact_array))
        return eqx.apply_updates(field, updates), state, value

    def train(opt):
        field = eqx.nn.MLP(2, 2, 8, 1, activation=jnp.tanh, key=jax.random.key(1))
        state, losses = opt.init(eqx.filter(field, eqx.is_inexact_array)), []
        for _ in range(5):
            field, state, value = step(field, state, opt)
            losses.append(value)
        return eqx.filter(field, eqx.is_inexact_array), losses

    assert_trains_as_with_optax(train)
