"""Sharded parameters have sharded states: on eight fake devices, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

from jaxopt_lite import adam, state_shardings

SCRIPT = """
import functools
import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from composed import AROUND
from jaxopt_lite import (
    adam, adamw, chain, clip_by_global_norm, dog, freeze, lbfgs, muon, optimizer, pack, partition, registry,
    sgd, soap, state_shardings,
)
from jaxopt_lite.factors import Sides
from jaxopt_lite.testing.problems import step

mesh = Mesh(np.asarray(jax.devices()).reshape(4, 2), ("data", "model"))
specs = {"W": P("data", "model"), "b": [P("model")], "s": P()}
rng = np.random.default_rng(0)
on_one = {"W": rng.standard_normal((8, 4)), "b": [rng.standard_normal(6)], "s": np.asarray(0.5)}
on_one = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), on_one)
shardings = jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)
params = jax.device_put(on_one, shardings)

def assert_sharded_as(tree, expected):
    chex.assert_trees_all_equal_structs(tree, expected)
    for (path, x), sharding in zip(jax.tree_util.tree_leaves_with_path(tree), jax.tree.leaves(expected), strict=True):
        assert x.sharding.is_equivalent_to(sharding, x.ndim), f"{path}: {x.sharding}, not {sharding}"

adams = state_shardings(adam(), params)
assert adams.m == adams.v == shardings
assert adams.iter == NamedSharding(mesh, P())
forms = jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape, p.dtype, sharding=p.sharding), params)
assert state_shardings(adam(), forms) == adams

@optimizer
def by_size():  # what is large has a state of another structure, as with optax's adafactor
    def init(params):
        return jax.tree.map(lambda p: [jnp.zeros(p.shape)] if p.size > 100 else jnp.zeros(p.shape), params)

    return init, lambda grads, state, params=None: (grads, state)

assert state_shardings(by_size(), params) == shardings

# What decides by the lengths of axes is asked of such lengths as there are.
rows, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
square = {"w": jax.device_put(jnp.ones((8, 8)), rows)}
for longest in (8, 9, 10000):
    kept = state_shardings(soap(longest=longest), square)
    assert kept.m == {"w": rows}
    assert kept.factors == {"w": Sides(whole, whole)}, longest
assert state_shardings(lbfgs(memory=9), square).steps == {"w": NamedSharding(mesh, P(None, "data"))}
layers = square | {"head": jax.device_put(jnp.ones((8, 50)), rows)}
for hidden in (lambda path, leaf: max(leaf.shape) < 20, lambda path, leaf: leaf.shape != (8, 50)):
    kept = state_shardings(muon(hidden=hidden, others=adamw()), layers)
    assert kept["others"].m == {"w": None, "head": rows}
    assert kept["hidden"].momentum == {"w": rows, "head": None}
one_length = muon(hidden=lambda path, leaf: leaf.shape[1] == 50, others=adamw())
assert state_shardings(one_length, layers)["hidden"].momentum == {"w": None, "head": rows}

theirs = jax.jit(optax.adam(0.1).init)(params)[0]
assert not theirs.mu["W"].sharding.is_equivalent_to(shardings["W"], 2)

groups = partition({"decay": adamw(), "frozen": freeze(), "rest": adam()}, {"decay": "W", "frozen": "s", "rest": "*"})
opts = [entry.on_any_tree() for entry in registry.values()] + [around(adam()) for around in AROUND.values()] + [groups]
for opt in opts:
    expected = state_shardings(opt, params)
    if any(x.ndim for x in jax.tree.leaves(opt.init(params))):  # counters alone keep nothing of them under jit
        assert_sharded_as(jax.jit(opt.init)(params), expected)
    assert_sharded_as(jax.jit(opt.init, out_shardings=expected)(params), expected)

for opt in (adam(), AROUND["average"](adam()), AROUND["clip_by_global_norm"](adamw()), groups):
    whole, sharded = (on_one, opt.init(on_one)), (params, opt.init(params))
    compiled = jax.jit(functools.partial(step, opt))
    for _ in range(3):
        whole = step(opt, whole)
        sharded = compiled(sharded)
    chex.assert_trees_all_close(whole, sharded, rtol=1e-5)
    assert_sharded_as(sharded[0], shardings)
    assert_sharded_as(sharded[1], state_shardings(opt, params))
    assert compiled._cache_size() == 1

# A norm is a sum on every device and a sum of those: no array is put together for it, however it is cut.
clipped = chain(clip_by_global_norm(1.0), sgd(0.1))
for axis_type in (jax.sharding.AxisType.Auto, jax.sharding.AxisType.Explicit):
    typed = Mesh(mesh.devices, mesh.axis_names, axis_types=(axis_type, axis_type))
    for spec in (P(None, "data"), P("data"), P("model", "data")):
        x = jax.device_put(jnp.ones((64, 64)), NamedSharding(typed, spec))
        compiled = jax.jit(lambda g: clipped.update(g, clipped.init(g))[0]).lower(x).compile()
        assert "all-gather" not in compiled.as_text(), spec
        np.testing.assert_allclose(compiled(x), -0.1 / 64, rtol=1e-6)

# Inside shard_map it is that of the shard.
for opt in (clipped, dog()):
    def local(x):
        params = {"cut": x, "whole": jnp.ones(3)}
        return opt.update(params, opt.init(params), params)[0]["cut"]

    cut = jax.jit(jax.shard_map(local, mesh=mesh, in_specs=P("data"), out_specs=P("data")))(jnp.ones(8))
    np.testing.assert_allclose(cut[:2], local(jnp.ones(2)), rtol=1e-6)

packed, _ = pack(jax.device_put(on_one, NamedSharding(mesh, P())))
assert packed.arrays["float32"].sharding == NamedSharding(mesh, P())
assert pack({"W": params["W"], "s": params["s"]}, largest=1)[0].arrays["W"] is params["W"]
on_two = {"a": jax.device_put(1.0, jax.devices()[0]), "b": jax.device_put(1.0, jax.devices()[1])}
for bad, sentence in (
    (params, "pack: 'W' is spread over 8 devices, and a buffer is whole"),
    (on_two, "pack: 'a' and 'b' are on different devices, and a buffer is on the same"),
):
    try:
        pack(bad)
    except ValueError as error:
        assert str(error) == sentence, error
    else:
        raise AssertionError(sentence)

with ocp.StandardCheckpointer() as checkpointer:
    state = adam().init(on_one)
    checkpointer.save(FOLDER + "/checkpoint", state)
    checkpointer.wait_until_finished()
    like = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), state, adams)
    assert_sharded_as(checkpointer.restore(FOLDER + "/checkpoint", like), adams)
"""


@pytest.mark.slow
def test_on_eight_devices(tmp_path):
    devices = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=8"
    flags = {"XLA_FLAGS": devices, "PJRT_NPROC": "16", "JAX_PLATFORMS": "cpu"}
    env = os.environ | flags | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    script = f"FOLDER = {str(tmp_path)!r}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


def test_parameters_without_a_mesh_are_refused():
    with pytest.raises(
        TypeError, match=r"^state_shardings: params\['w'\] has the sharding .*, and needs a NamedSharding$"
    ):
        state_shardings(adam(), {"w": jnp.ones(3)})
    with pytest.raises(TypeError, match=r"^state_shardings: params has no leaves, and so no mesh$"):
        state_shardings(adam(), {})
