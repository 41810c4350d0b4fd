"""What takes gradients within its step averages them over devices, by ``pmean_fn``."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from quick import some_slow

from jaxopt_lite import adam, apply_updates, lbfgs, pmean_fn, sam, sophia

OPTIMIZERS = {"sam": sam(adam(0.1)), "lbfgs": lbfgs(), "sophia": sophia(0.1, every=2)}
RNG = np.random.default_rng(0)
BATCH = RNG.standard_normal((8, 4, 3)).astype(np.float32)
PARAMS = {"w": jnp.asarray(RNG.standard_normal((3, 2)), jnp.float32), "b": jnp.zeros(2)}


def loss(params, batch):
    return jnp.mean(jnp.log(jnp.cosh(batch @ params["w"] + params["b"][None] - jnp.mean(batch))))


def stepper(opt, averaged):
    def step(params, state, batch):
        value_fn = averaged(lambda p: loss(p, batch))
        value, grads = jax.value_and_grad(value_fn)(params)
        updates, state = opt.update(grads, state, params, value=value, grad=grads, value_fn=value_fn)
        return apply_updates(params, updates), state, value

    return step


def on_one(opt):
    """Three steps along the mean over all batches, on one device."""

    def whole(params, state):
        def value_fn(p):
            return jnp.mean(jax.vmap(loss, (None, 0))(p, BATCH))

        value, grads = jax.value_and_grad(value_fn)(params)
        updates, state = opt.update(grads, state, params, value=value, grad=grads, value_fn=value_fn)
        return apply_updates(params, updates), state, value

    params, state, step = PARAMS, opt.init(PARAMS), jax.jit(whole)
    for _ in range(3):
        params, state, value = step(params, state)
    return params, state, value


def over_data(step, check):
    mesh = Mesh(np.asarray(jax.devices()), ("data",))
    within = jax.shard_map(
        lambda p, s, b: step(p, s, b[0]), mesh=mesh, in_specs=(P(), P(), P("data")), out_specs=P(), check_vma=check
    )
    return jax.jit(within)


def by_pmap(step):
    mapped = jax.pmap(step, axis_name="data", in_axes=(None, None, 0))
    return lambda *args: jax.tree.map(lambda x: x[-1], mapped(*args))


WAYS = {
    "pmap": by_pmap,
    "shard_map": lambda step: over_data(step, check=True),
    "shard_map unchecked": lambda step: over_data(step, check=False),
}


@pytest.mark.parametrize(
    ("name", "way"),
    some_slow(
        itertools.product(OPTIMIZERS, WAYS),
        [("sam", "pmap"), ("lbfgs", "shard_map"), ("sophia", "shard_map unchecked")],
    ),
)
def test_steps_over_devices_are_those_of_one_device_with_all_batches(name, way, x64):
    opt = OPTIMIZERS[name]
    step = WAYS[way](stepper(opt, lambda value_fn: pmean_fn(value_fn, "data")))
    params, state = PARAMS, opt.init(PARAMS)
    for _ in range(3):
        params, state, value = step(params, state, BATCH)
    chex.assert_trees_all_close((params, state, value), on_one(opt), rtol=1e-5, atol=1e-6)


def test_the_mean_of_the_values_alone_is_not_enough_under_pmap():
    step = stepper(sam(adam(0.1)), lambda value_fn: lambda p: jax.lax.pmean(value_fn(p), "data"))
    params, _, _ = jax.pmap(step, axis_name="data", in_axes=(None, None, 0))(PARAMS, sam(adam()).init(PARAMS), BATCH)
    assert not np.allclose(params["w"][0], params["w"][1], rtol=1e-3)
