"""Groups of parameters, and what can be read of an optimizer and its state."""

from typing import Any, NamedTuple

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxopt_lite import (
    accumulate,
    adam,
    adamw,
    apply_updates,
    average,
    chain,
    clip_by_global_norm,
    describe,
    evaluation_params,
    find,
    freeze,
    from_optax,
    hyperparams,
    momentum,
    muon,
    optimizer,
    partition,
    sam,
    schedule_free_adamw,
    schedule_free_sgd,
    schedules,
    sgd,
    skip_nonfinite,
    weight_decay,
)

PARAMS = {
    "dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)},
    "norm": {"scale": jnp.full(3, 2.0)},
    "embed": jnp.ones((5, 2)),
}
GROUPS = {"decay": adamw(0.1, weight_decay=0.5), "no_decay": adamw(0.1, weight_decay=0.0), "frozen": freeze()}
NAMES = {"dense": {"kernel": "decay", "bias": "no_decay"}, "norm": "no_decay", "embed": "frozen"}


def by_shape(path, leaf):
    return "frozen" if path == "embed" else "decay" if leaf.ndim > 1 else "no_decay"


def by_tree(params):
    return {
        name: jax.tree.map(lambda x: "decay" if x.ndim > 1 else "no_decay", branch) for name, branch in params.items()
    } | {"embed": "frozen"}


LABELS = {
    "patterns": {"decay": "*", "no_decay": "*bias|*scale", "frozen": "embed"},
    "tree of names": NAMES,
    "function": by_shape,
    "jax's partial": jax.tree_util.Partial(by_shape),
    "function of the tree": by_tree,
}


def train(opt, steps=3, **extra):
    """Parameters and state after some steps along gradients that are the parameters."""
    params, state = PARAMS, opt.init(PARAMS)
    for _ in range(steps):
        updates, state = opt.update(params, state, params, **extra)
        params = apply_updates(params, updates)
    return params, state


class TestPartition:
    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    @pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
    def test_as_optax(self, label):
        transforms = {name: optax.adamw(0.1, weight_decay=w) for name, w in (("decay", 0.5), ("no_decay", 0.0))}
        names = jax.tree.map(lambda name, branch: jax.tree.map(lambda _: name, branch), NAMES, PARAMS)
        theirs = optax.partition(transforms | {"frozen": optax.set_to_zero()}, names)
        params, state = PARAMS, theirs.init(PARAMS)
        for _ in range(3):
            updates, state = theirs.update(params, state, params)
            params = optax.apply_updates(params, updates)
        chex.assert_trees_all_close(train(partition(GROUPS, label))[0], params, rtol=1e-5)

    def test_labels_may_be_a_module_that_can_be_called(self):
        model = eqx.nn.Linear(2, 1, key=jax.random.key(0))
        names = jax.tree.map(lambda x: "decay" if x.ndim > 1 else "frozen", model)
        opt = partition({"decay": sgd(0.1), "frozen": freeze()}, names)
        updates, _ = opt.update(model, opt.init(model), model)
        chex.assert_trees_all_close((updates.weight, updates.bias), (-0.1 * model.weight, 0 * model.bias))

    def test_a_label_that_is_an_object_is_called(self):
        class Labels(eqx.Module):
            def __call__(self, path, leaf):
                return by_shape(path, leaf)

        chex.assert_trees_all_equal(train(partition(GROUPS, Labels())), train(partition(GROUPS, by_shape)))

    @pytest.mark.parametrize("how", [lambda f: f, jax.jit], ids=["eager", "jit"])
    @pytest.mark.parametrize("kind", ["path and leaf", "tree", "hidden", "optax's mask"])
    def test_functions_of_the_user_see_the_parameters_alone(self, kind, how):
        """The checks ask an init for the form of its state, with something smaller in place of the parameters."""
        seen = []

        def record(tree):
            seen.append({path: (x.shape, x.ndim, x.dtype) for path, x in jax.tree_util.tree_leaves_with_path(tree)})

        def of_leaf(path, leaf):
            record({"embed": leaf} if path == "embed" else {path.split("/")[0]: {path.split("/")[1]: leaf}})
            return "decay"

        def of_tree(tree):
            record(tree)
            return jax.tree.map(lambda _: "decay", tree)

        def mask(tree):
            record(tree)
            return jax.tree.map(lambda x: x.ndim > 1, tree)

        opt = {
            "path and leaf": lambda: partition({"decay": adam()}, of_leaf),
            "tree": lambda: partition({"decay": adam()}, of_tree),
            "hidden": lambda: muon(hidden=lambda *args: of_leaf(*args) == "decay" and args[1].ndim > 1, others=sgd()),
            "optax's mask": lambda: from_optax(optax.masked(optax.adam(0.1), mask)),
        }[kind]()
        with jax.numpy_dtype_promotion("standard"):
            how(opt.update)(PARAMS, opt.init(PARAMS), PARAMS)
        forms = {path: (x.shape, x.ndim, x.dtype) for path, x in jax.tree_util.tree_leaves_with_path(PARAMS)}
        assert seen
        assert all(one and one.items() <= forms.items() for one in seen)

    def test_a_frozen_leaf_never_moves_and_has_no_state(self):
        frozen = partition({"frozen": freeze(), "rest": adamw(weight_decay=0.5)}, {"frozen": "embed", "rest": "*"})
        params, state = train(frozen)
        chex.assert_trees_all_equal(params["embed"], PARAMS["embed"])
        assert (5, 2) not in {np.shape(x) for x in jax.tree.leaves(state)}

    def test_a_state_holds_arrays_by_group_and_none_elsewhere(self):
        _, state = train(partition(GROUPS, NAMES))
        assert state["decay"].m["dense"]["kernel"].shape == (2, 3)
        assert state["decay"].m["dense"]["bias"] is None
        assert state["frozen"] == ()
        assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(state))

    def test_a_norm_is_that_of_the_group(self):
        clipped = partition({"a": chain(clip_by_global_norm(1.0), sgd(1.0)), "b": sgd(1.0)}, {"a": "dense/*", "b": "*"})
        updates, _ = clipped.update(PARAMS, clipped.init(PARAMS))
        chex.assert_trees_all_close(updates["dense"], jax.tree.map(lambda g: -g / 3, PARAMS["dense"]), rtol=1e-6)
        chex.assert_trees_all_equal(updates["embed"], -PARAMS["embed"])

    def test_params_may_be_left_out(self):
        opt = partition({"a": momentum(), "b": adam()}, {"a": "dense/*", "b": "*"})
        with_params, _ = opt.update(PARAMS, opt.init(PARAMS), PARAMS)
        chex.assert_trees_all_equal(opt.update(PARAMS, opt.init(PARAMS))[0], with_params)

    def test_keywords_reach_the_groups_and_trees_are_cut(self):
        @optimizer
        def asking():
            def update(grads, state, params=None, *, value, grad):
                return jax.tree.map(lambda g, other: value * g + other, grads, grad), state

            return lambda params: (), update

        opt = partition({"a": asking(), "b": freeze(), "c": asking()}, {"a": "embed", "b": "norm/*", "c": "*"})
        updates, _ = opt.update(PARAMS, opt.init(PARAMS), value=2.0, grad=jax.tree.map(lambda g: 10 * g, PARAMS))
        for moved in (updates["embed"], updates["dense"]["kernel"]):
            np.testing.assert_array_equal(moved, 12)

    def test_a_function_of_all_parameters_is_one_of_the_groups(self):
        loss = lambda p: jnp.sum(p["embed"] ** 2) * jnp.sum(p["norm"]["scale"])  # noqa: E731
        alone = lambda embed: loss(PARAMS | {"embed": embed})  # noqa: E731
        opt = partition({"a": sam(sgd()), "b": freeze()}, {"a": "embed", "b": "*"})
        updates, _ = opt.update(jax.grad(loss)(PARAMS), opt.init(PARAMS), PARAMS, value_fn=loss)
        embed = PARAMS["embed"]
        expected, _ = sam(sgd()).update(jax.grad(alone)(embed), sam(sgd()).init(embed), embed, value_fn=alone)
        np.testing.assert_allclose(updates["embed"], expected, rtol=1e-6)

    def test_a_label_may_go_by_dtype(self):
        params = {"small": jnp.ones(2, jnp.bfloat16), "large": jnp.ones(2)}
        opt = partition({"bfloat16": sgd(1.0), "float32": freeze()}, lambda path, leaf: str(leaf.dtype))
        updates, _ = opt.update(params, opt.init(params), params)
        assert jnp.all(updates["small"] == -1)
        assert jnp.all(updates["large"] == 0)

    def test_none_in_the_parameters_stays(self):
        params = {"w": jnp.ones(2), "nothing": None}
        opt = partition({"all": adam()}, {"all": "*"})
        updates, state = opt.update(params, opt.init(params), params)
        assert updates["nothing"] is None
        assert state["all"].m["nothing"] is None

    def test_groups_within_groups(self):
        inner = partition({"x": sgd(1.0), "y": sgd(2.0)}, {"x": "*kernel", "y": "*bias"})
        params, _ = train(partition({"dense": inner, "rest": freeze()}, {"dense": "dense/*", "rest": "*"}), steps=1)
        np.testing.assert_array_equal(params["dense"]["kernel"], 0)
        np.testing.assert_array_equal(params["dense"]["bias"], -1)

    def test_a_wrong_state_is_refused_by_its_path(self):
        opt = partition(GROUPS, NAMES)
        state = opt.init(PARAMS)
        spoilt = state | {"decay": state["decay"]._replace(m={"dense": {"kernel": None, "bias": None}})}
        with pytest.raises(
            ValueError, match=r"^partition.update: state\['decay'\].m.* is .*, where partition.init gives"
        ):
            opt.update(PARAMS, spoilt, PARAMS)
        with pytest.raises(ValueError, match=r"^partition.update: state\['frozen'\] is missing, where"):
            opt.update(PARAMS, {name: state[name] for name in ("decay", "no_decay")}, PARAMS)


class Point(NamedTuple):
    m: Any
    v: Any


SCHEDULE = schedules.linear(1.0, 0.0, steps=10)


class TestHyperparams:
    def test_numbers_and_schedules_are_those_of_the_next_step(self):
        opt = adamw(SCHEDULE, weight_decay=0.25)
        _, state = train(opt, steps=3)
        assert hyperparams(opt, opt.init(PARAMS)) == {"lr": 1.0, "weight_decay": 0.25}
        np.testing.assert_allclose(hyperparams(opt, state)["lr"], 0.7, rtol=1e-6)

    def test_through_wrappers_chains_and_groups(self):
        inner = chain(
            clip_by_global_norm(1.0), adamw(SCHEDULE), weight_decay(0.5, lr=SCHEDULE), weight_decay(SCHEDULE, lr=2.0)
        )
        groups = {"a": average(inner), "b": sgd(0.1)}
        opt = skip_nonfinite(accumulate(partition(groups, {"a": "embed", "b": "*"}), 2))
        _, state = train(opt, steps=5)
        numbers = jax.tree.map(lambda x: round(float(x), 5), hyperparams(opt, state))
        assert numbers == {
            "a/lr": 0.8,
            "a/weight_decay": 0.01,
            "a/weight_decay.lr": 0.8,
            "a/weight_decay.weight_decay": 0.5,
            "a/weight_decay2.lr": 2.0,
            "a/weight_decay2.weight_decay": 0.8,
            "b/lr": 0.1,
        }

    def test_within_jit_and_with_arrays(self):
        opt = adam(jnp.asarray(0.5))
        assert jax.jit(hyperparams)(opt, opt.init(PARAMS)) == {"lr": 0.5}


class TestFind:
    def test_by_name_wherever_it_is(self):
        opt = skip_nonfinite(
            chain(clip_by_global_norm(1.0), partition({"a": adam(), "b": sgd()}, {"a": "embed", "b": "*"}))
        )
        state = opt.init(PARAMS)
        assert find(state, "m") is state.inner[1]["a"].m
        assert find(state, "skipped") is state.skipped
        assert find(state, "inner") is state.inner

    def test_fields_of_the_parameters_own_containers_are_no_fields_of_the_state(self):
        params = Point(m=jnp.ones(2), v=jnp.ones(3))
        assert find(adam().init(params), "v").m.shape == (2,)


def test_describe_prints_who_does_what_to_whom(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    many = PARAMS | {"many": [jnp.ones(1)] * 9}
    describe(chain(clip_by_global_norm(1.0), average(partition(GROUPS, LABELS["patterns"]))), many)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    first = [row for row in rows if row and row[0]]
    assert first == [
        ["decay", "dense/kernel", "15", "adamw", "0.1", "0.5", "124"],
        ["frozen", "embed", "10", "freeze", "", "", "0"],
        ["no_decay", "dense/bias", "6", "adamw", "0.1", "0.0", "52"],
        ["all", "", "31", "chain", "", "", "304"],
    ]
    assert [row for row in rows if row and row[3] and not row[0]] == [["", "", "", "average", "", "", "128"]]
    assert [row[1] for row in rows if row][2:5] == ["many/0", "many/1", "… 7 more"]


def test_describe_takes_shapes_and_python_floats_for_parameters(capsys):
    describe(adam(), jax.eval_shape(lambda: PARAMS))
    assert "adam" in capsys.readouterr().out
    groups = {"large": adam(), "small": sgd()}
    describe(partition(groups, lambda path, leaf: "large" if leaf.ndim else "small"), {"w": jnp.ones(3), "scale": 1.0})
    assert "scale" in capsys.readouterr().out


def test_python_floats_are_evaluated_too():
    opt, params = schedule_free_sgd(0.1), {"w": jnp.ones(3), "scale": 1.0}
    found = evaluation_params(opt.init(params), params)
    chex.assert_trees_all_equal(found, {"w": jnp.ones(3), "scale": jnp.ones(())})


def test_a_schedule_free_group_is_evaluated_and_the_others_are_as_they_are():
    params = {"free": jnp.ones(2), "other": jnp.ones(3)}
    opt = partition({"a": schedule_free_sgd(0.1), "b": adam()}, {"a": "free", "b": "other"})
    updates, state = opt.update(params, opt.init(params), params)
    params = apply_updates(params, updates)
    updates, state = opt.update(params, state, params)
    params = apply_updates(params, updates)
    found = evaluation_params(state, params)
    assert np.all(found["other"] == params["other"])
    assert not np.allclose(found["free"], params["free"])


def test_what_is_evaluated_must_be_what_is_trained():
    state = schedule_free_sgd(0.1).init({"w": jnp.ones((4, 3))})
    with pytest.raises(ValueError, match=r"^evaluation_params: the state's z has another structure than params"):
        evaluation_params(state, {"v": jnp.ones((4, 3))})
    wrong = r"^evaluation_params: z\['w'\] has shape \(4, 3\), params\['w'\] has shape \(3,\)$"
    with pytest.raises(ValueError, match=wrong):
        evaluation_params(state, {"w": jnp.ones(3)})


@pytest.mark.parametrize("rule", [schedule_free_sgd, schedule_free_adamw])
def test_a_negative_rate_ascends(rule):
    found = []
    for lr in (0.1, -0.1):
        opt, params = rule(lr), jnp.asarray([1.0, -2.0])
        state = opt.init(params)
        for _ in range(5):
            updates, state = opt.update(params * jnp.sign(lr), state, params)
            params = apply_updates(params, updates)
        found.append(evaluation_params(state, params))
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("rule", [schedule_free_sgd, schedule_free_adamw])
def test_a_weight_to_a_whole_power_does_not_overflow_with_the_counter(rule):
    params = jnp.ones(2)
    opt = rule(0.1, power=2)
    _, state = opt.update(params, opt.init(params)._replace(iter=jnp.int32(99_999)), params)
    np.testing.assert_allclose(state.weight_sum, 1e10 * 0.1**2, rtol=1e-5)


def test_a_tree_without_leaves_has_no_groups():
    opt = partition({}, {})
    assert opt.update({}, opt.init({}), {}) == ({}, {})
