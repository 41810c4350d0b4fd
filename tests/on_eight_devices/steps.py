"""A state lies where its parameters lie, from the start and after each step, and a step compiles once."""

import functools

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import Mesh, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P
from quick import some_slow

from jaxopt_lite import registry, state_shardings, zero_steps, zeros_like
from jaxopt_lite.testing import problems

MESH = Mesh(jax.devices(), ("x",))
SHARDINGS = {"w": NamedSharding(MESH, P("x")), "b": NamedSharding(MESH, P())}


def assert_sharded(tree):
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        # Only the first axis of w is divided, and what is kept for each of its rows, but no square of its side.
        divided = "['w']" in jax.tree_util.keystr(path) and leaf.shape.count(16) == 1
        expected = NamedSharding(MESH, P(*("x" if n == 16 else None for n in leaf.shape)) if divided else P())
        assert leaf.sharding.is_equivalent_to(expected, leaf.ndim), (path, leaf.sharding)


@pytest.mark.parametrize("name", some_slow(registry, ["adafactor", "adam", "dog", "psgd_kron", "soap"]))
def test_a_state_is_sharded_like_the_parameters_and_a_step_compiles_once(name):
    entry, traces = registry[name], []
    opt, params = entry.on_any_tree(), jax.device_put({"w": jnp.ones((16, 4)), "b": jnp.ones(4)}, SHARDINGS)
    # What is kept of the sides of a matrix is replicated, as init makes it, if that is asked of the step.
    pinned = {"out_shardings": (SHARDINGS, state_shardings(opt, params))} if "matrices" in entry.needs else {}

    @functools.partial(jax.jit, **pinned)
    def step(params, state):
        traces.append(name)
        return problems.step(opt, (params, state))

    for init in (opt.init, jax.jit(opt.init)):
        state = init(params)
        if len(jax.tree.leaves(state)) > 1:  # a counter alone keeps nothing of the parameters under jit
            assert_sharded(state)
        stepped = params, opt.init(params)
        for _ in range(3):
            stepped = step(*stepped)
            assert_sharded(stepped)
    assert len(traces) == step._cache_size() == 1


def test_zeros_are_where_the_parameters_are():
    second = jax.devices()[1]
    assert zero_steps(jax.device_put({"w": jnp.ones(3)}, second)).devices() == {second}
    shape = jax.ShapeDtypeStruct((3,), jnp.float32, sharding=SingleDeviceSharding(second))
    assert zero_steps({"w": shape}).devices() == zeros_like({"w": shape})["w"].devices() == {second}
    assert zero_steps({"w": jnp.ones(3)}).committed is False
