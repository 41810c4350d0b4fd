"""What is saved in the middle of a run goes on, to the bit, as if nothing had been."""

import pickle
import subprocess
import sys

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from composed import AROUND
from flax import serialization

from jaxopt_lite import adam, adamw, average, freeze, optimizers, partition, registry, transforms, wrappers
from jaxopt_lite.testing.problems import small_tree, start, step

GROUPS = partition({"decay": adamw(), "rest": adam(), "frozen": freeze()}, {"decay": "W", "frozen": "s", "rest": "*"})
OPTIMIZERS = {
    **{name: entry.factory() for name, entry in registry.items()},
    **{f"{name} with adam": around(adam()) for name, around in AROUND.items()},
    "groups": GROUPS,
    "all the way down": AROUND["skip_spikes"](AROUND["accumulate"](average(AROUND["grokfast"](GROUPS)))),
}


def by_orbax(tree, forms, folder):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "checkpoint", tree)
        checkpointer.wait_until_finished()
        return checkpointer.restore(folder / "checkpoint", forms)


def by_orbax_as_a_pytree(tree, forms, folder):
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(folder / "checkpoint", args=ocp.args.PyTreeSave(tree))
        how = ocp.checkpoint_utils.construct_restore_args(forms)
        return checkpointer.restore(folder / "checkpoint", args=ocp.args.PyTreeRestore(item=forms, restore_args=how))


def by_orbax_with_a_manager(tree, forms, folder):
    with ocp.CheckpointManager(folder) as manager:
        manager.save(3, args=ocp.args.StandardSave(tree))
        manager.wait_until_finished()
        return manager.restore(manager.latest_step(), args=ocp.args.StandardRestore(forms))


def by_flax(tree, forms, folder):
    (folder / "state").write_bytes(serialization.to_bytes(tree))
    return serialization.from_bytes(forms, (folder / "state").read_bytes())


def by_flax_as_a_dict(tree, forms, folder):
    return serialization.from_state_dict(forms, serialization.to_state_dict(tree))


def by_equinox(tree, forms, folder):
    eqx.tree_serialise_leaves(folder / "state.eqx", tree)
    return eqx.tree_deserialise_leaves(folder / "state.eqx", forms)


def by_pickle(tree, forms, folder):
    (folder / "state").write_bytes(pickle.dumps(tree))
    return pickle.loads((folder / "state").read_bytes())


WAYS = [
    by_orbax,
    by_orbax_as_a_pytree,
    by_orbax_with_a_manager,
    by_flax,
    by_flax_as_a_dict,
    by_equinox,
    by_pickle,
]
compiled = jax.jit(step, static_argnums=0)


def go_on(opt, carry, steps):
    for _ in range(steps):
        carry = compiled(opt, carry)
    return carry


def forms_at(params):
    """What a program that starts again has: the shapes of the parameters and of fresh states, without a value."""
    return jax.eval_shape(lambda params: {name: start(opt, params) for name, opt in OPTIMIZERS.items()}, params)


@pytest.fixture(scope="module")
def middle():
    return {name: go_on(opt, start(opt, small_tree()), 3) for name, opt in OPTIMIZERS.items()}


@pytest.fixture(scope="module")
def end(middle):
    return {name: go_on(opt, middle[name], 2) for name, opt in OPTIMIZERS.items()}


@pytest.mark.parametrize("restore", WAYS)
def test_a_restored_run_goes_on_to_the_bit(restore, middle, end, tmp_path):
    restored = restore(middle, forms_at(small_tree()), tmp_path)
    chex.assert_trees_all_equal_structs(restored, middle)
    chex.assert_trees_all_equal(restored, middle)
    restored = jax.tree.map(jnp.asarray, restored)
    chex.assert_trees_all_equal({name: go_on(opt, restored[name], 2) for name, opt in OPTIMIZERS.items()}, end)


def test_the_middle_is_the_middle_of_a_batch_too(middle):
    _, state = middle["accumulate with adam"]
    assert (state.gathered, state.inner.iter) == (1, 1)
    assert jnp.any(state.mean["W"])


@pytest.mark.parametrize("restore", WAYS)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16, jnp.complex64])
def test_whatever_stands_in_a_state_is_restored(restore, dtype, tmp_path):
    forms, rng = forms_at(small_tree(dtype)), np.random.default_rng(0)
    # Any bits at all: NaN, infinities, zeros below 0 and numbers below the smallest normal one are among them.
    tree = jax.tree.map(
        lambda x: jnp.asarray(np.frombuffer(rng.bytes(x.size * x.dtype.itemsize), x.dtype).reshape(x.shape)), forms
    )
    restored = restore(tree, forms, tmp_path)
    chex.assert_trees_all_equal_structs(restored, tree)
    chex.assert_trees_all_equal_shapes_and_dtypes(restored, tree)
    in_bytes = [{jax.tree_util.keystr(p): np.asarray(x).tobytes() for p, x in leaves_of(t)} for t in (restored, tree)]
    assert in_bytes[0] == in_bytes[1]


def leaves_of(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


def test_an_optimizer_is_saved_beside_its_run(middle, end):
    saved = pickle.dumps({name: (opt, *middle[name]) for name, opt in OPTIMIZERS.items()})
    before = compiled._cache_size()
    for name, (opt, params, state) in pickle.loads(saved).items():
        assert opt == OPTIMIZERS[name]
        chex.assert_trees_all_equal(go_on(opt, (params, state), 2), end[name])
    assert compiled._cache_size() == before, "an equal optimizer compiled a step of its own"


IN_ANOTHER_PROCESS = """
import pickle, sys
import jax
from jaxopt_lite.testing.problems import step

with open(sys.argv[1], "rb") as file:
    opt, carry = pickle.load(file)
compiled = jax.jit(step, static_argnums=0)
for _ in range(2):
    carry = compiled(opt, carry)
with open(sys.argv[2], "wb") as file:
    pickle.dump(carry, file)
"""


def test_another_process_goes_on_to_the_bit(middle, end, tmp_path):
    name = "all the way down"
    (tmp_path / "saved").write_bytes(pickle.dumps((OPTIMIZERS[name], middle[name])))
    files = [str(tmp_path / "saved"), str(tmp_path / "ended")]
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, *files], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    chex.assert_trees_all_equal(pickle.loads((tmp_path / "ended").read_bytes()), end[name])


def test_without_a_target_orbax_gives_lists_and_dicts_of_the_same_names(middle, tmp_path):
    _, state = middle["all the way down"]
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "checkpoint", state)
        checkpointer.wait_until_finished()
        plain = checkpointer.restore(tmp_path / "checkpoint")
    kernel = plain["inner"]["inner"]["inner"][1]["decay"]["m"]["W"]
    chex.assert_trees_all_equal(kernel, state.inner.inner.inner[1]["decay"].m["W"])


# Checkpoints are found by these names, and by their order: whoever changes one makes those of before unreadable, and
# has to say so.
FIELDS = {
    "AccumulateState": ("inner", "mean", "gathered", "skipped"),
    "AdaGradState": ("iter", "h"),
    "AdamState": ("iter", "m", "v"),
    "AdamWState": ("iter", "m", "v"),
    "AddNoiseState": ("iter", "key"),
    "AverageState": ("inner", "iter", "average"),
    "GrokfastState": ("h",),
    "HyperballState": ("iter", "radius"),
    "LookaheadState": ("inner", "iter", "slow"),
    "MaximizeState": ("inner",),
    "MomentumState": ("iter", "velocity"),
    "NesterovState": ("iter", "velocity"),
    "RMSPropState": ("iter", "h"),
    "ReduceOnPlateauState": ("scale", "best", "waited"),
    "SAMState": ("inner",),
    "SGDState": ("iter",),
    "SkipNonfiniteState": ("inner", "skipped", "in_a_row"),
    "SkipSpikesState": ("inner", "recent", "seen", "skipped"),
    "WeightDecayState": ("iter",),
}
STATES = {
    name: vars(module)[name]
    for module in (optimizers, transforms, wrappers)
    for name in module.__all__
    if name.endswith("State")
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_keep_their_names(name):
    assert name in STATES, f"{name} is gone, and checkpoints that hold one cannot be read"
    now = STATES[name]._fields
    assert now == FIELDS[name], f"{name} had the fields {FIELDS[name]} and has {now}: checkpoints of before are lost"


def kinds_in(state):
    """The names of the NamedTuples that a state is made of."""
    if hasattr(state, "_fields"):
        yield type(state).__name__
    if isinstance(state, tuple | dict):
        for part in state.values() if isinstance(state, dict) else state:
            yield from kinds_in(part)


def test_every_state_is_listed_and_is_saved_and_restored_here(middle):
    unlisted = STATES.keys() - FIELDS.keys()
    assert not unlisted, f"{sorted(unlisted)} should stand in FIELDS, so that their fields keep their names"
    saved = {kind for _, state in middle.values() for kind in kinds_in(state)}
    assert saved == FIELDS.keys(), f"{sorted(saved ^ FIELDS.keys())}: in a state or in FIELDS, but not in both"


def test_a_state_is_made_of_arrays_in_plain_containers():
    for opt in OPTIMIZERS.values():
        state = opt.init(small_tree())
        assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(state))
        assert not any(jnp.issubdtype(x.dtype, jax.dtypes.prng_key) for x in jax.tree.leaves(state))
        jax.tree.map(np.asarray, state)
