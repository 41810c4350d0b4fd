"""Packed parameters: what they are, that they train as they would by themselves, and what is refused."""

import pickle

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from composed import AROUND
from quick import some_slow

from jaxopt_lite import (
    adam,
    adamw,
    apply_updates,
    chain,
    describe,
    freeze,
    from_optax,
    lamb,
    lr_multiplier,
    muon,
    pack,
    partition,
    registry,
    repack,
    sgd,
    train_step,
    unpack,
)
from jaxopt_lite.ops.numerics import abs2
from jaxopt_lite.testing.problems import assert_ulps, small_tree, step
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.tree.packed import Packed

PARAMS = {
    "dense": {"kernel": jnp.arange(6.0).reshape(2, 3), "bias": jnp.ones(3)},
    "norm": ({"scale": jnp.full(3, 0.5, jnp.bfloat16)}, None),
    "empty": jnp.zeros((0, 2)),
    "number": jnp.asarray(2.0),
    "complex": jnp.asarray([1 + 2j, 3j]),
}
PATTERNS = {"decay": "*", "no_decay": "*bias|*scale"}
GROUPS = {"decay": adamw(0.1, weight_decay=0.5), "no_decay": adamw(0.1, weight_decay=0.0)}

LOOKS_AT_LEAVES = {name for name, entry in registry.items() if "leaf" in entry.needs}
# Random numbers of another shape are other numbers.
AROUND_ANY = AROUND.keys() - {
    *("add_noise", "clip_by_norm", "adaptive_clip", "centralize", "normalize leaf", "cautious", "hyperball")
}
PACKABLE = {name: entry.factory() for name, entry in registry.items() if name not in LOOKS_AT_LEAVES} | {
    name: AROUND[name](adam()) for name in sorted(AROUND_ANY)
}


def run(opt, params, steps=5):
    """Parameters and state after some steps down the quadratic of whatever is packed in ``params``."""
    carry = params, opt.init(params)
    for _ in range(steps):
        carry = jax.jit(step, static_argnums=(0, 2))(opt, carry, of_unpacked)
    return carry


def of_unpacked(params):
    """Half the squared distance from 0, of all dtypes together."""
    return 0.5 * sum(jnp.sum(abs2(to_compute_dtype(p))) for p in jax.tree.leaves(unpack(params)))


class TestPack:
    def test_where_what_is_is_a_value(self):
        layout, same, other = (pack(params)[0].layout for params in (PARAMS, PARAMS, PARAMS["dense"]))
        assert {layout, same, other} == {layout, other}

    def test_one_buffer_for_each_dtype(self):
        packed, _ = pack(PARAMS)
        assert {name: x.shape for name, x in packed.arrays.items()} == {
            "float32": (1024,),
            "bfloat16": (1024,),
            "complex64": (1024,),
        }
        assert np.count_nonzero(packed.arrays["float32"]) == 9

    def test_a_buffer_is_as_long_as_the_next_multiple_of_1024(self):
        for entries, length in ((1, 1024), (1024, 1024), (1025, 2048), (5000, 5120)):
            assert pack([jnp.ones(entries)])[0].arrays["float32"].shape == (length,)

    @pytest.mark.parametrize("way", [lambda f: f, jax.jit], ids=["eagerly", "within jit"])
    def test_unpacking_gives_everything_back(self, way):
        packed = way(lambda params: pack(params)[0])(PARAMS)
        chex.assert_trees_all_equal(way(unpack)(packed), PARAMS)
        chex.assert_trees_all_equal_dtypes(unpack(packed), PARAMS)

    def test_a_gradient_is_that_of_every_leaf(self):
        packed, _ = pack(PARAMS)
        gradients = jax.grad(of_unpacked)(packed)
        chex.assert_trees_all_equal(unpack(gradients), jax.grad(of_unpacked)(PARAMS))
        assert np.count_nonzero(gradients.arrays["float32"]) == 9

    def test_large_leaves_stay_as_they_are(self):
        params = {"large": jnp.ones((100, 100)), "small": jnp.ones((90, 91)), "b": jnp.ones(3)}
        packed, _ = pack(params)
        assert packed.arrays["large"] is params["large"]
        assert set(packed.arrays) == {"large", "float32"}
        assert set(pack(params, largest=2)[0].arrays) == {"large", "small", "b"}
        assert set(pack(params, largest=3)[0].arrays) == {"large", "small", "float32"}
        assert set(pack(params, largest=None)[0].arrays) == {"float32"}

    def test_packing_twice_gives_the_same_structure(self):
        once, again = pack(PARAMS)[0], pack(jax.tree.map(lambda p: 2 * p, PARAMS))[0]
        assert jax.tree.structure(once) == jax.tree.structure(again)
        assert hash(jax.tree.structure(once)) == hash(jax.tree.structure(again))
        others = [PARAMS | {"number": jnp.ones(1)}, PARAMS | {"more": jnp.ones(1)}]
        assert all(jax.tree.structure(pack(params)[0]) != jax.tree.structure(once) for params in others)
        assert jax.tree.structure(pack(PARAMS, largest=1)[0]) != jax.tree.structure(once)

    def test_it_prints_and_pickles(self):
        packed, _ = pack({"w": jnp.ones(3), "b": jnp.ones(2)})
        assert str(packed) == "Packed({'float32': float32[1024]}, of 2 leaves)"
        loaded = pickle.loads(pickle.dumps(packed))
        chex.assert_trees_all_equal(loaded, packed)

    def test_parameters_stay_where_they_were_put(self):
        device = jax.devices()[0]
        assert pack({"w": jax.device_put(jnp.ones(3), device)})[0].arrays["float32"].committed
        assert not pack({"w": jnp.ones(3)})[0].arrays["float32"].committed

    def test_numpy_arrays_are_packed_too(self):
        packed, _ = pack({"w": np.ones(3, np.float32)})
        chex.assert_trees_all_equal(unpack(packed), {"w": jnp.ones(3)})

    def test_labels_part_the_buffers(self):
        expected = {"decay/float32", "no_decay/float32", "no_decay/bfloat16", "decay/complex64"}
        by_tree = {
            "dense": {"kernel": "decay", "bias": "no_decay"},
            "norm": "no_decay",
            "empty": "decay",
            "number": "decay",
            "complex": "decay",
        }
        by_function = lambda path, leaf: "no_decay" if path.endswith(("bias", "scale")) else "decay"  # noqa: E731
        for label in (PATTERNS, by_tree, by_function, lambda params: by_tree):
            assert set(pack(PARAMS, label)[0].arrays) == expected

    def test_labels_may_be_a_module_that_can_be_called(self):
        model = eqx.filter(eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0)), eqx.is_array)
        names = jax.tree.map(lambda x: "matrix" if x.ndim > 1 else "vector", model)
        assert set(pack(model, names)[0].arrays) == {"matrix/float32", "vector/float32"}

    def test_a_label_of_none_leaves_out(self):
        packed, _ = pack(PARAMS, lambda path, leaf: None if leaf.ndim == 2 else "rest")
        assert set(packed.arrays) == {"dense/kernel", "empty", "rest/float32", "rest/bfloat16", "rest/complex64"}


class TestTraining:
    @pytest.mark.parametrize("name", some_slow(PACKABLE, ["adam", "adamw", "dog", "lbfgs", "prodigy"]))
    def test_packed_parameters_go_where_they_would_by_themselves(self, name):
        opt, params = PACKABLE[name], small_tree()
        packed, _ = pack(params)
        # Sums over the tree are taken in another order, which an old jax shows at the minimum, where lbfgs is soon.
        steps = 1 if name == "lbfgs" and jax.__version_info__ < (0, 8) else 5
        assert_ulps(unpack(run(opt, packed, steps)), run(opt, params, steps), ulps=256)

    @pytest.mark.parametrize("name", sorted(LOOKS_AT_LEAVES))
    def test_rules_that_look_at_leaves_are_refused(self, name):
        packed, _ = pack({"w": jnp.ones((2, 3)), "v": jnp.ones((3, 2))})
        with pytest.raises(ValueError, match=rf"^{name}: 'float32' is a buffer of 2 packed parameters, and this needs"):
            registry[name].build().init(packed)

    @pytest.mark.parametrize("name", ["clip_by_norm", "adaptive_clip", "centralize", "normalize leaf", "cautious"])
    def test_transforms_that_look_at_leaves_are_refused(self, name):
        packed, _ = pack(PARAMS)
        with pytest.raises(ValueError, match=rf"^{name.split()[0]}: .* is a buffer of \d packed parameters"):
            AROUND[name](adam()).init(packed)

    def test_a_rule_that_looks_at_leaves_steps_those_that_are_left_out(self):
        params = {"w": jnp.ones((2, 3)), "b": jnp.ones(3), "c": jnp.ones(2)}
        packed, _ = pack(params, lambda path, leaf: None if path == "w" else "rest")
        opt = partition({"w": lamb(), "rest": sgd()}, {"w": "w", "rest": "*"})
        assert_ulps(unpack(run(opt, packed)), run(opt, params), ulps=8)
        matrices = muon(hidden="w", others=adamw())
        assert_ulps(unpack(run(matrices, packed)), run(matrices, params), ulps=64)

    def test_groups_work_on_what_is_packed_by_the_same_label(self):
        packed, _ = pack(PARAMS, PATTERNS)
        opt = partition(GROUPS, PATTERNS)
        params, state = unpack(run(opt, packed))
        assert_ulps((params, state), run(opt, PARAMS), ulps=8)
        assert state["decay"].m["dense"]["bias"] is None
        by_tree = {"dense": "decay", "norm": "no_decay", "empty": "decay", "number": "decay", "complex": "no_decay"}
        nested = partition({"decay": partition(GROUPS, PATTERNS), "no_decay": freeze()}, by_tree)
        packed, _ = pack(PARAMS, lambda path, leaf: f"{path.partition('/')[0]}{path.endswith(('bias', 'scale'))}")
        assert_ulps(unpack(run(nested, packed))[0], run(nested, PARAMS)[0], ulps=8)

    def test_factors_work_on_what_is_packed_by_the_same_label(self):
        packed, _ = pack(PARAMS, {"slow": "dense/*", "rest": "*"})
        for factors in ({"dense/*": 0.1, "*": 1.0}, lambda path, leaf: 0.1 if path.startswith("dense") else 1.0):
            opt = chain(adam(), lr_multiplier(factors))
            assert_ulps(unpack(run(opt, packed)[0]), run(opt, PARAMS)[0], ulps=8)

    def test_a_factor_may_be_another_array_of_the_same_value_and_leaves_may_be_packed_in_part(self):
        packed, _ = pack({"a": jnp.ones(2), "b": jnp.ones(3)})
        opt = chain(sgd(1.0), lr_multiplier(lambda path, leaf: np.full((), 0.5)))
        tree = {"packed": packed, "itself": jnp.ones(2)}
        updates, _ = opt.update(tree, opt.init(tree))
        chex.assert_trees_all_equal(unpack(updates), jax.tree.map(lambda x: -0.5 * x, unpack(tree)))

    def test_a_layout_is_equal_to_layouts_alone(self):
        first, second = (pack({"a": jnp.ones(2), "b": jnp.ones(3)})[0].layout for _ in range(2))
        assert first == second
        assert first != "a layout"

    def test_groups_that_share_a_buffer_are_refused(self):
        packed, _ = pack({"bias": jnp.ones(2), "kernel": jnp.ones(3)})
        with pytest.raises(
            ValueError,
            match=r"^partition: 'bias' is given '\*bias\|\*scale', 'kernel' is given '\*', and they are packed in one "
            r"buffer: pack\(params, label\) packs by label$",
        ):
            partition(GROUPS, PATTERNS).init(packed)
        opt = chain(sgd(), lr_multiplier(lambda path, leaf: 1.0 if path == "bias" else 2.0))
        state = opt.init(packed)
        with pytest.raises(ValueError, match=r"^lr_multiplier: 'bias' is given 1.0, 'kernel' is given 2.0, and they"):
            opt.update(packed, state)

    def test_nothing_is_shared_and_both_can_be_donated(self):
        packed, _ = pack(PARAMS)
        state = adam().init(packed)
        train = train_step(of_unpacked, adam())
        for _ in range(3):
            packed, state, _ = train(packed, state)
        assert train._cache_size() == 1

    def test_eager_calls_take_packed_trees(self):
        packed, _ = pack(PARAMS)
        updates, _ = adam().update(packed, adam().init(packed), packed)
        assert isinstance(apply_updates(packed, updates), Packed)

    def test_what_is_optaxs_may_look_at_leaves_and_is_refused(self):
        packed, _ = pack(PARAMS)
        with pytest.raises(ValueError, match=r"^from_optax: .* is a buffer of \d packed parameters, and this needs"):
            from_optax(optax.lamb(0.1)).init(packed)

    def test_factors_that_are_traced_must_be_one_for_a_buffer(self):
        packed, _ = pack({"a": jnp.ones(2), "b": jnp.ones(3)})
        opt = chain(sgd(), lr_multiplier(lambda path, leaf: 0.5 * jnp.ones(())))
        with pytest.raises(ValueError, match=r"^lr_multiplier: 'a' is given .*, and they are packed in one buffer"):
            opt.update(packed, opt.init(packed))


class TestRepack:
    @pytest.mark.parametrize("opt", [adam(), partition(GROUPS, PATTERNS), registry["lbfgs"].factory()], ids=str)
    def test_a_state_goes_through_a_checkpoint_under_its_own_names(self, opt, tmp_path):
        packed, _ = pack(
            {name: p for name, p in PARAMS.items() if name != "empty"}, PATTERNS
        )  # orbax takes no empty ones
        carry = run(opt, packed, steps=2)
        plain = unpack(carry)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(tmp_path / "checkpoint", plain)
            checkpointer.wait_until_finished()
            like = jax.eval_shape(lambda: plain)
            restored = checkpointer.restore(tmp_path / "checkpoint", like)
        again = repack(restored, like=(packed, opt.init(packed)))
        chex.assert_trees_all_equal(again, carry)

    def test_forms_are_unpacked_and_packed_like_arrays(self):
        packed, _ = pack(PARAMS)
        state = adam().init(packed)
        forms = unpack(jax.eval_shape(lambda: state))
        chex.assert_trees_all_equal_structs(forms, unpack(state))
        assert jax.tree.leaves(repack(forms, like=state))[1].shape == (1024,)

    def test_within_jit(self):
        packed, _ = pack(PARAMS)
        chex.assert_trees_all_equal(jax.jit(lambda tree: repack(tree, like=packed))(PARAMS), packed)

    def test_another_structure_or_shape_is_refused(self):
        packed, _ = pack({"w": jnp.ones(3)})
        with pytest.raises(ValueError, match=r"^repack: tree\['b'\] is float32\[\], where like has missing$"):
            repack({"w": jnp.ones(3), "b": jnp.ones(())}, like=packed)
        for other, sentence in ((jnp.ones(4), r"float32\[4\]"), (jnp.ones(3, int), r"int32\[3\]")):
            with pytest.raises(ValueError, match=rf"^repack: tree\['w'\] is {sentence}, where like has float32\[3\]$"):
                repack({"w": other}, like=packed)


@pytest.mark.parametrize(
    ("leaves", "sentence"),
    [
        ([4] * 99 + [8193] * 200, "99 of 299 leaves have at most 8192 entries: pack(params) would not pay."),
        (
            [8192] * 250,
            "250 of 250 leaves have at most 8192 entries: on a CPU, pack(params) would save some 2 ms a step, and "
            "compile longer.",
        ),
    ],
)
def test_describe_says_whether_it_pays(leaves, sentence, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    describe(adam(), [jax.ShapeDtypeStruct((n,), jnp.float32) for n in leaves])
    assert sentence in capsys.readouterr().out


def test_describe_shows_what_is_packed_by_its_own_names(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    describe(partition(GROUPS, PATTERNS), pack(PARAMS, PATTERNS)[0])
    out = capsys.readouterr().out
    assert "dense/bias" in out
    assert "6 of 6 leaves are packed in 4 buffers." in out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    assert [row[2] for row in rows if row and row[0] == "no_decay"] == ["6"]
