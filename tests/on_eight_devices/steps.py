"""On any mesh a state lies where its parameters lie, from the start and after each step, and a step compiles once."""

import chex
import composed
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P
from mesh import MESH, assert_sharded_as
from quick import some_slow

from jaxopt_lite import (
    adam,
    adamw,
    freeze,
    lbfgs,
    partition,
    sam,
    soap,
    sophia,
    state_shardings,
    train_step,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.testing import problems

OPTIMIZERS = {
    **composed.OPTIMIZERS,
    "groups": partition(
        {"decay": adamw(), "none": freeze(), "rest": adam()}, {"decay": "row*", "none": "b", "rest": "*"}
    ),
}
KINDS = {"automatic": AxisType.Auto, "explicit": AxisType.Explicit}
MESHES = {name: Mesh(MESH.devices, MESH.axis_names, axis_types=(kind, kind)) for name, kind in KINDS.items()}
CUTS = {"rows": P("data", None), "columns": P(None, "data"), "both": P("data", "model"), "b": P("model")}
QUICK = ["adafactor", "adam", "lbfgs", "psgd_kron", "skip_spikes with adam", "soap"]


def as_jax_writes(spec, mesh):
    """The form in which steps return a spec: without whole axes at its end, unless axes are explicit."""
    axes = list(spec)
    while axes and axes[-1] is None and mesh is MESHES["automatic"]:
        axes.pop()
    return NamedSharding(mesh, P(*axes))


@pytest.fixture
def on_one(x64):
    """Parameters on one device; in float64, for in the bases of its first gradient soap divides zeros by zeros."""
    rng = np.random.default_rng(0)
    return {name: jnp.asarray(rng.standard_normal((8,) * len(spec))) for name, spec in CUTS.items()}


@pytest.mark.parametrize(
    ("name", "kind"), some_slow([(n, k) for n in OPTIMIZERS for k in MESHES], [(n, k) for n in QUICK for k in MESHES])
)
def test_on_a_mesh_steps_are_those_of_one_device_keep_the_shardings_and_compile_once(name, kind, on_one):
    opt, mesh = OPTIMIZERS[name], MESHES[kind]
    shardings = {leaf: as_jax_writes(spec, mesh) for leaf, spec in CUTS.items()}
    params = jax.device_put(on_one, shardings)
    compiled = jax.jit(lambda carry: problems.step(opt, carry))
    with jax.set_mesh(mesh):
        alone, sharded = (on_one, opt.init(on_one)), (params, opt.init(params))
        expected = shardings, state_shardings(opt, params)
        assert_sharded_as(sharded, expected)
        for _ in range(3):
            alone = problems.step(opt, alone)
            sharded = compiled(sharded)
            assert_sharded_as(sharded, expected)
    assert compiled._cache_size() == 1
    chex.assert_trees_all_close(alone[0], jax.device_get(sharded[0]), atol=1e-4)


@pytest.mark.parametrize(
    "opt", [adam(), lbfgs(), sam(adam()), sophia(), soap(others=adamw())], ids=lambda opt: opt.name
)
def test_a_loss_may_name_shardings_on_explicit_axes_and_no_mesh_need_be_in_the_context(opt):
    mesh = MESHES["explicit"]
    rows = NamedSharding(mesh, P("data", None))
    host = {"w": np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8), "b": np.ones(8, np.float32)}
    batch = np.sin(np.arange(32, dtype=np.float32)).reshape(4, 8)

    def loss(params, batch, out_sharding=None):
        return jnp.mean(
            (jnp.einsum("bi,ij->bj", batch, params["w"], out_sharding=out_sharding) + params["b"][None]) ** 2
        )

    def named(params, batch):
        return loss(params, batch, rows)

    params = jax.device_put(host, {"w": rows, "b": NamedSharding(mesh, P(None))})
    on_one = jax.tree.map(jnp.asarray, host)
    alone, sharded = (on_one, opt.init(on_one)), (params, opt.init(params))
    one, many = train_step(loss, opt), train_step(named, opt)
    for _ in range(3):
        *alone, value = one(*alone, batch)
        *sharded, of_many = many(*sharded, jax.device_put(batch, rows))
        assert of_many == pytest.approx(float(value), rel=1e-4)
    assert many._cache_size() == 1


def test_without_params_updates_are_sharded_as_gradients_on_explicit_axes(on_one):
    mesh = MESHES["explicit"]
    shardings = {leaf: NamedSharding(mesh, spec) for leaf, spec in CUTS.items()}
    grads = jax.device_put(on_one, shardings)
    step = jax.jit(adam().update)
    state, expected = adam().init(grads), (shardings, state_shardings(adam(), grads))
    for _ in range(2):
        updates, state = step(grads, state)
        assert_sharded_as((updates, state), expected)
    assert step._cache_size() == 1


@pytest.mark.parametrize("name", ["kl_soap", "psgd_kron", "shampoo", "soap"])
def test_without_a_mesh_in_the_context_out_shardings_keep_squares_of_automatic_axes_replicated(name, x64):
    opt, mesh = OPTIMIZERS[name], MESHES["automatic"]
    shardings = {"w": NamedSharding(mesh, P("data")), "b": NamedSharding(mesh, P())}
    params = jax.device_put({"w": jnp.eye(8) + 1, "b": jnp.ones(8)}, shardings)
    expected = shardings, state_shardings(opt, params)
    compiled, carry = (
        jax.jit(lambda carry: problems.step(opt, carry), out_shardings=expected),
        (params, opt.init(params)),
    )
    for _ in range(3):
        carry = compiled(carry)
        assert_sharded_as(carry, expected)
    assert compiled._cache_size() == 1


def test_zeros_are_where_the_parameters_are():
    second = jax.devices()[1]
    assert zero_steps(jax.device_put({"w": jnp.ones(3)}, second)).devices() == {second}
    shape = jax.ShapeDtypeStruct((3,), jnp.float32, sharding=SingleDeviceSharding(second))
    assert zero_steps({"w": shape}).devices() == zeros_like({"w": shape})["w"].devices() == {second}
    assert zero_steps({"w": jnp.ones(3)}).committed is False
