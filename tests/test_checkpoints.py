"""What is saved in the middle of a run goes on, to the bit, as if nothing had been."""

import pickle

import chex
import composed
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import serialization
from quick import some_slow

from jaxopt_lite import adam, adamw, freeze, optimizers, partition, transforms, wrappers
from jaxopt_lite.testing.problems import run, small_tree, start

OPTIMIZERS = {
    **composed.OPTIMIZERS,
    "groups": partition(
        {"decay": adamw(), "rest": adam(), "frozen": freeze()}, {"decay": "W", "frozen": "s", "rest": "*"}
    ),
}


def by_orbax(tree, like, folder):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "checkpoint", tree)
        checkpointer.wait_until_finished()
        return checkpointer.restore(folder / "checkpoint", like)


def by_flax(tree, like, folder):
    (folder / "state").write_bytes(serialization.to_bytes(tree))
    return serialization.from_bytes(like, (folder / "state").read_bytes())


def by_equinox(tree, like, folder):
    eqx.tree_serialise_leaves(folder / "state.eqx", tree)
    return eqx.tree_deserialise_leaves(folder / "state.eqx", like)


def by_pickle(tree, like, folder):
    (folder / "state").write_bytes(pickle.dumps(tree))
    return pickle.loads((folder / "state").read_bytes())


@pytest.mark.parametrize("name", some_slow(OPTIMIZERS, ["adam", "adafactor", "soap", "accumulate with adam", "groups"]))
def test_a_restored_run_goes_on_to_the_bit(name, tmp_path):
    opt = OPTIMIZERS[name]
    middle = run(opt, start(opt, small_tree()), 3)
    expected = run(opt, middle, 2)
    like = jax.tree.map(jnp.zeros_like, middle)
    for restore in (by_orbax, by_flax, by_equinox, by_pickle):
        folder = tmp_path / restore.__name__
        folder.mkdir()
        restored = restore(middle, like, folder)
        chex.assert_trees_all_equal_structs(restored, middle)
        chex.assert_trees_all_equal(run(opt, jax.tree.map(jnp.asarray, restored), 2), expected)


def test_an_optimizer_is_saved_beside_its_state():
    for opt in OPTIMIZERS.values():
        assert pickle.loads(pickle.dumps(opt)) == opt


# Checkpoints are found by these names: whoever changes one makes those of before unreadable, and has to say so.
FIELDS = {
    "ADOPTState": ("iter", "m", "v"),
    "AMSGradState": ("iter", "m", "v", "v_max"),
    "ASGDState": ("iter", "average"),
    "AccumulateState": ("inner", "iter", "mean", "gathered", "weight", "skipped"),
    "AdEMAMixState": ("iter", "m1", "m2", "v"),
    "AdaBeliefState": ("iter", "m", "s"),
    "AdaDeltaState": ("iter", "v", "u"),
    "AdaGradState": ("iter", "h"),
    "AdaMaxState": ("iter", "m", "u"),
    "AdafactorState": ("iter", "v"),
    "AdamAtan2State": ("iter", "m", "v"),
    "AdamMiniState": ("iter", "m", "v"),
    "AdamStandardState": ("iter", "m", "v"),
    "AdamState": ("iter", "m", "v"),
    "AdamWState": ("iter", "m", "v"),
    "AdanState": ("iter", "m", "d", "n", "g"),
    "AddNoiseState": ("iter", "key"),
    "AverageState": ("inner", "iter", "average"),
    "GrokfastState": ("h",),
    "HeavyBallState": ("iter", "b"),
    "HyperballState": ("iter", "radius"),
    "L2DecayState": ("iter",),
    "LrMultiplierState": ("iter",),
    "OptimisticState": ("iter", "u"),
    "LAMBState": ("iter", "m", "v"),
    "LARSState": ("iter", "velocity"),
    "LaPropState": ("iter", "m", "v"),
    "LionState": ("iter", "m"),
    "LookaheadState": ("inner", "iter", "slow"),
    "MADGRADState": ("iter", "s", "v", "x0"),
    "MARSState": ("iter", "m", "v", "g"),
    "MaximizeState": ("inner",),
    "MomentumState": ("iter", "velocity"),
    "NAdamState": ("iter", "product", "m", "v"),
    "NAdamWState": ("iter", "m", "v"),
    "NesterovState": ("iter", "velocity"),
    "NovoGradState": ("iter", "m", "v"),
    "RAdamState": ("iter", "m", "v"),
    "RMSPropState": ("iter", "h", "mean", "b"),
    "ReduceOnPlateauState": ("scale", "best", "waited", "mean", "gathered"),
    "RpropState": ("iter", "scale", "sign"),
    "SAMState": ("inner",),
    "SGDState": ("iter",),
    "SM3State": ("iter", "m", "mu"),
    "SignumState": ("iter", "m"),
    "SkipNonfiniteState": ("inner", "skipped", "in_a_row"),
    "SkipSpikesState": ("inner", "recent", "seen", "skipped"),
    "StableAdamWState": ("iter", "m", "v"),
    "WeightDecayState": ("iter",),
    "DAdaptAdamState": ("iter", "d", "r", "m", "v", "s"),
    "DoGState": ("iter", "start", "distance", "squares"),
    "DoWGState": ("iter", "start", "distance", "squares"),
    "KLSOAPState": ("iter", "m", "v", "factors", "bases", "eigenvalues"),
    "LBFGSState": ("iter", "value", "grad", "steps", "changes"),
    "MuonState": ("iter", "momentum"),
    "NorMuonState": ("iter", "momentum", "v"),
    "PSGDKronState": ("iter", "m", "factors", "key"),
    "PolyakSGDState": ("iter",),
    "ProdigyState": ("iter", "d", "r", "m", "v", "s", "start"),
    "SOAPState": ("iter", "m", "v", "factors", "bases"),
    "ScheduleFreeAdamWState": ("iter", "beta1", "lr_max", "weight_sum", "z", "v"),
    "ScheduleFreeSGDState": ("iter", "beta1", "lr_max", "weight_sum", "z"),
    "ScionState": ("iter", "momentum"),
    "ShampooState": ("iter", "m", "v", "factors", "roots"),
    "SophiaState": ("iter", "m", "h", "key"),
    "YogiState": ("iter", "m", "v"),
}


def test_fields_keep_their_names():
    modules = (optimizers, transforms, wrappers)
    states = {name: vars(module)[name] for module in modules for name in module.__all__ if name.endswith("State")}
    assert {name: state._fields for name, state in states.items()} == FIELDS


def test_a_state_is_made_of_arrays_in_plain_containers():
    for opt in OPTIMIZERS.values():
        state = opt.init(small_tree())
        assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(state))
        assert not any(jnp.issubdtype(x.dtype, jax.dtypes.prng_key) for x in jax.tree.leaves(state))
        jax.tree.map(np.asarray, state)
