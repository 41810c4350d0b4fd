"""Sharded parameters have sharded states: on eight fake devices, in a process of its own."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from composed import AROUND
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxopt_lite import adam, adamw, apply_updates, average, chain, clip_by_global_norm, freeze, partition, registry
from jaxopt_lite import sgd, state_shardings
from jaxopt_lite.testing.problems import start, step

GROUPS = partition({"decay": adamw(), "frozen": freeze(), "rest": adam()}, {"decay": "W", "frozen": "s", "rest": "*"})
OPTIMIZERS = {
    **{name: entry.factory() for name, entry in registry.items()},
    **{f"{name} with adam": around(adam()) for name, around in AROUND.items()},
    "groups": GROUPS,
    "all the way down": average(chain(clip_by_global_norm(1.0), GROUPS)),
}
SPECS = {"W": P("data", "model"), "b": [P("model")], "s": P()}


def test_on_eight_devices(tmp_path):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "PJRT_NPROC": "16", "JAX_PLATFORMS": "cpu"}
    env = os.environ | flags | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-m", "pytest", __file__, "-o", "python_classes=OnEightDevices", "-k", "OnEightDevices"]
    done = subprocess.run(
        [*command, "-o", "addopts=", "-q", "--tb=short", "-p", "no:xdist", "-p", "no:cacheprovider", "--durations=8"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def on_one():
    rng = np.random.default_rng(0)
    shapes = {"W": (8, 4), "b": [(6,)], "s": ()}
    draw = lambda shape: jnp.asarray(rng.standard_normal(shape), jnp.float32)  # noqa: E731
    return jax.tree.map(draw, shapes, is_leaf=lambda x: isinstance(x, tuple))


@jax.jit
def step_all(carries):
    return {name: step(opt, carries[name]) for name, opt in OPTIMIZERS.items()}


def after(steps, carries):
    for _ in range(steps):
        carries = step_all(carries)
    return carries


def start_all(params):
    return {name: start(opt, params) for name, opt in OPTIMIZERS.items()}


@pytest.fixture(scope="module")
def runs_on_one(on_one):
    """After two steps, and after ten."""
    two = after(2, start_all(on_one))
    return two, after(8, two)


@pytest.fixture(scope="module", params=["auto", "explicit"])
def mesh(request, runs_on_one):
    devices = np.asarray(jax.devices()).reshape(4, 2)
    if request.param == "auto":
        mesh, context = Mesh(devices, ("data", "model")), contextlib.nullcontext()
    else:  # jax.make_mesh's own, since jax 0.9
        mesh = Mesh(devices, ("data", "model"), axis_types=(AxisType.Explicit,) * 2)
        context = jax.set_mesh(mesh)
    with context:
        yield mesh


@pytest.fixture(scope="module")
def shardings(mesh):
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), SPECS)


@pytest.fixture(scope="module")
def params(on_one, shardings):
    return jax.device_put(on_one, shardings)


@pytest.fixture(scope="module")
def whole(mesh):
    return NamedSharding(mesh, P())


def carry_shardings(opt, params):
    return jax.tree.map(lambda p: p.sharding, params), state_shardings(opt, params)


def forms_of(tree, shardings):
    return jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), tree, shardings)


def assert_sharded_as(tree, expected):
    chex.assert_trees_all_equal_structs(tree, expected)
    wrong = [
        f"{jax.tree_util.keystr(path)} is {x.sharding}, not {sharding}"
        for (path, x), sharding in zip(leaves_of(tree), jax.tree.leaves(expected), strict=True)
        if not x.sharding.is_equivalent_to(sharding, x.ndim)
    ]
    assert not wrong, "\n".join(wrong)


def leaves_of(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


def assert_keys_alike(old, new):
    """What jit looks its programs up by: shardings that mean the same in other words are others to it."""
    wrong = [
        f"{jax.tree_util.keystr(path)} was {a.sharding.spec} and is {b.sharding.spec}"
        for (path, a), b in zip(leaves_of(old), jax.tree.leaves(new), strict=True)
        if a.sharding != b.sharding
    ]
    assert not wrong, "\n".join(wrong)


class OnEightDevices:
    def test_moments_are_sharded_as_parameters_and_counters_are_whole(self, params, shardings, whole):
        adams = state_shardings(adam(), params)
        assert adams.m == adams.v == shardings
        assert adams.iter == whole

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_shardings_have_the_structure_of_the_state(self, name, params, whole):
        state, found = OPTIMIZERS[name].init(params), state_shardings(OPTIMIZERS[name], params)
        chex.assert_trees_all_equal_structs(found, state)
        of_shape = {p.shape: p.sharding for p in jax.tree.leaves(params)}  # no two parameters have the same
        assert found == jax.tree.map(lambda x: of_shape.get(x.shape, whole), state)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_shapes_with_shardings_are_enough(self, name, params, shardings):
        opt = OPTIMIZERS[name]
        assert state_shardings(opt, forms_of(params, shardings)) == state_shardings(opt, params)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_a_state_is_born_sharded(self, name, params):
        opt, expected = OPTIMIZERS[name], state_shardings(OPTIMIZERS[name], params)
        eager = opt.init(params)
        assert_sharded_as(eager, expected)
        told = jax.jit(opt.init, out_shardings=expected)(params)
        assert_sharded_as(told, expected)
        chex.assert_trees_all_equal(told, eager)
        if any(x.ndim for x in jax.tree.leaves(eager)):
            assert_sharded_as(jax.jit(opt.init)(params), expected)

    def test_counters_alone_keep_nothing_of_the_parameters_under_jit(self, mesh, params, whole):
        # Which is why the test above leaves them out. They are bound to no device, and go along with the parameters.
        count = jax.jit(sgd().init)(params).iter
        if AxisType.Explicit not in mesh.axis_types:
            assert not count.committed
        _, state = jax.jit(lambda *carry: step(sgd(), carry))(params, sgd().init(params)._replace(iter=count))
        assert state.iter.sharding.is_equivalent_to(whole, 0)

    def test_optax_leaves_its_moments_on_one_device_where_these_are_sharded(self, mesh, params, shardings):
        theirs = jax.jit(optax.adam(0.1).init)(params)[0]
        if AxisType.Explicit not in mesh.axis_types:  # there shardings are part of types, and zeros_like keeps them
            assert all(len(x.devices()) == 1 for x in jax.tree.leaves((theirs.mu, theirs.nu)))
        ours = jax.jit(adam().init)(params)
        assert_sharded_as((ours.m, ours.v), (shardings, shardings))

    def test_ten_steps_are_those_on_one_device_and_compile_once(self, params, runs_on_one):
        expected = {name: carry_shardings(opt, params) for name, opt in OPTIMIZERS.items()}
        begin, programs = start_all(params), step_all._cache_size()
        first = after(1, begin)
        assert_keys_alike(begin, first)
        last = after(9, first)
        assert_sharded_as(last, expected)
        assert step_all._cache_size() == programs + 1
        chex.assert_trees_all_close(last, runs_on_one[1], rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("how", ["orbax", "device_put"])
    def test_a_checkpoint_of_one_device_is_restored_onto_the_mesh(self, how, params, runs_on_one, tmp_path):
        saved, last = runs_on_one
        expected = {name: carry_shardings(opt, params) for name, opt in OPTIMIZERS.items()}
        if how == "orbax":
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(tmp_path / "checkpoint", saved)
                checkpointer.wait_until_finished()
                restored = checkpointer.restore(tmp_path / "checkpoint", forms_of(saved, expected))
        else:
            restored = jax.device_put(saved, expected)
        assert_sharded_as(restored, expected)
        chex.assert_trees_all_equal(restored, saved)
        first = after(1, restored)
        assert_keys_alike(restored, first)
        chex.assert_trees_all_close(after(7, first), last, rtol=1e-6, atol=1e-6)

    def test_they_are_the_shardings_of_a_step_that_is_told_and_donates(self, params, runs_on_one):
        opt = OPTIMIZERS["all the way down"]
        theirs = carry_shardings(opt, params)
        told = jax.jit(lambda carry: step(opt, carry), in_shardings=(theirs,), out_shardings=theirs, donate_argnums=0)
        carry = start(opt, jax.tree.map(jnp.copy, params))
        for _ in range(2):
            carry = told(carry)
        assert_sharded_as(carry, theirs)
        chex.assert_trees_all_close(carry, runs_on_one[0]["all the way down"], rtol=1e-6, atol=1e-6)

    def test_outside_of_jit_a_step_keeps_the_shardings_too(self, params):
        opt = OPTIMIZERS["all the way down"]
        updates, state = opt.update(params, opt.init(params), params)
        assert_sharded_as((apply_updates(params, updates), state), carry_shardings(opt, params))


@pytest.mark.parametrize("w", [jnp.ones(3), np.ones(3), jax.ShapeDtypeStruct((3,), jnp.float32)])
def test_parameters_without_a_mesh_are_refused(w):
    with pytest.raises(TypeError) as error:
        state_shardings(adam(), {"layer": [{"w": w}]})
    assert str(error.value) == (
        f"state_shardings: params['layer'][0]['w'] has the sharding {getattr(w, 'sharding', None)}, "
        "and needs a NamedSharding"
    )


@pytest.mark.parametrize("params", [{}, None, [{"w": None}]])
def test_no_parameters_have_no_mesh(params):
    with pytest.raises(TypeError) as error:
        state_shardings(adam(), params)
    assert str(error.value) == "state_shardings: params has no leaves, and so no mesh"


def test_one_parameter_without_a_mesh_among_others_is_named():
    mesh = Mesh(np.asarray(jax.devices()[:1]), ("x",))
    sharded = jax.device_put(jnp.ones(3), NamedSharding(mesh, P("x")))
    with pytest.raises(TypeError, match=r"^state_shardings: params\['b'\] has the sharding "):
        state_shardings(adam(), {"a": sharded, "b": jnp.ones(3)})
