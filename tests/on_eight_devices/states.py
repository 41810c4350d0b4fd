"""``state_shardings`` says where ``init`` and a step put the state, and checkpoints are restored there."""

import composed
import jax
import jax.numpy as jnp
import optax
import orbax.checkpoint as ocp
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from mesh import MESH, SHARDINGS, assert_sharded_as, on_one, spread
from quick import some_slow

from jaxopt_lite import adam, adamw, freeze, lbfgs, muon, optimizer, partition, soap, state_shardings
from jaxopt_lite.ops.preconditioners import Sides
from jaxopt_lite.tree.zeros import reduced_zeros

GROUPS = partition({"decay": adamw(), "frozen": freeze(), "rest": adam()}, {"decay": "W", "frozen": "s", "rest": "*"})
OPTIMIZERS = composed.OPTIMIZERS | {"groups": GROUPS}
QUICK = ["adam", "sgd", "soap", "accumulate with adam", "groups"]


def test_moments_are_sharded_as_the_parameters():
    params = spread()
    adams = state_shardings(adam(), params)
    assert adams.m == adams.v == SHARDINGS
    assert adams.iter == NamedSharding(MESH, P())
    forms = jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape, p.dtype, sharding=p.sharding), params)
    assert state_shardings(adam(), forms) == adams
    theirs = jax.jit(optax.adam(0.1).init)(params)[0]
    assert not theirs.mu["W"].sharding.is_equivalent_to(SHARDINGS["W"], 2)


@pytest.mark.parametrize(
    ("axes", "keepdims", "spec"),
    [
        (None, False, P()),
        (-1, False, P("data")),
        (-2, False, P("model")),
        ((0,), True, P(None, "model")),
        ((1,), True, P("data", None)),
    ],
)
def test_zeros_over_some_axes_are_sharded_along_the_others(axes, keepdims, spec):
    zeros = reduced_zeros(spread()["W"], axes, keepdims=keepdims)
    assert zeros.sharding.is_equivalent_to(NamedSharding(MESH, spec), zeros.ndim)


def test_states_of_another_structure_where_a_leaf_is_large():
    @optimizer
    def by_size():  # as optax's adafactor
        def init(params):
            return jax.tree.map(lambda p: [jnp.zeros(p.shape)] if p.size > 100 else jnp.zeros(p.shape), params)

        return init, lambda grads, state, params=None: (grads, state)

    assert state_shardings(by_size(), spread()) == SHARDINGS


def test_what_decides_by_the_lengths_of_axes_is_asked_of_such_lengths_as_there_are():
    rows, replicated = NamedSharding(MESH, P("data")), NamedSharding(MESH, P())
    square = {"w": jax.device_put(jnp.ones((8, 8)), rows)}
    for longest in (8, 9, 10000):
        kept = state_shardings(soap(longest=longest), square)
        assert kept.m == {"w": rows}
        assert kept.factors == {"w": Sides(replicated, replicated)}, longest
    assert state_shardings(lbfgs(memory=9), square).steps == {"w": NamedSharding(MESH, P(None, "data"))}
    layers = square | {"head": jax.device_put(jnp.ones((8, 50)), rows)}
    for hidden in (lambda path, leaf: max(leaf.shape) < 20, lambda path, leaf: leaf.shape != (8, 50)):
        kept = state_shardings(muon(hidden=hidden, others=adamw()), layers)
        assert kept["others"].m == {"w": None, "head": rows}
        assert kept["hidden"].momentum == {"w": rows, "head": None}
    one_length = muon(hidden=lambda path, leaf: leaf.shape[1] == 50, others=adamw())
    assert state_shardings(one_length, layers)["hidden"].momentum == {"w": None, "head": rows}


@pytest.mark.parametrize("name", some_slow(OPTIMIZERS, QUICK))
def test_a_compiled_init_puts_the_state_there(name):
    opt, params = OPTIMIZERS[name], spread()
    expected = state_shardings(opt, params)
    if any(x.ndim for x in jax.tree.leaves(opt.init(params))):  # counters alone keep nothing of them under jit
        assert_sharded_as(jax.jit(opt.init)(params), expected)
    assert_sharded_as(jax.jit(opt.init, out_shardings=expected)(params), expected)


def test_a_checkpoint_is_restored_to_where_the_state_was(tmp_path):
    shardings = state_shardings(adam(), spread())
    with ocp.StandardCheckpointer() as checkpointer:
        state = adam().init(on_one())
        checkpointer.save(tmp_path / "checkpoint", state)
        checkpointer.wait_until_finished()
        like = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), state, shardings)
        assert_sharded_as(checkpointer.restore(tmp_path / "checkpoint", like), shardings)
