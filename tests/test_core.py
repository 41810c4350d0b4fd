"""The machinery: ``each``, ``at``, and what ``Optimizer.update`` and ``apply_updates`` do at the boundary."""

import functools
import inspect
import re
from typing import Any, NamedTuple

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxopt_lite import Optimizer, adam, adamw, apply_updates, at, each, momentum, muon, optimizer, registry, sgd
from jaxopt_lite.core import protocol
from jaxopt_lite.core.declarations import by_name


class Factored(NamedTuple):
    row: Any
    col: Any


def closing_over(lr):
    return lambda iter: lr


TREE = {"a": jnp.asarray([1.0, 2.0]), "b": (jnp.asarray([[3.0]]), None)}


def standard(function, *args, **kwargs):
    with jax.numpy_dtype_promotion("standard"):
        return function(*args, **kwargs)


class TestEach:
    def test_one_slot_returns_one_tree(self):
        chex.assert_trees_all_equal(each(lambda g: -g, TREE), jax.tree.map(lambda x: -x, TREE))

    def test_slots_come_back_in_order(self):
        a, b = each(lambda g, m: (g + m, g - m), TREE, jax.tree.map(lambda x: 10 * x, TREE))
        chex.assert_trees_all_equal(a, jax.tree.map(lambda x: 11 * x, TREE))
        chex.assert_trees_all_equal(b, jax.tree.map(lambda x: -9 * x, TREE))

    def test_a_slot_that_is_not_kept_is_none(self):
        def rule(g, m):
            assert m is None
            return -g, m

        negative, none = each(rule, TREE, None)
        chex.assert_trees_all_equal(negative, jax.tree.map(lambda x: -x, TREE))
        assert none is None

    def test_what_goes_in_by_name_is_only_read(self):
        def rule(g, *, p, scale, nothing):
            assert nothing is None
            return g + scale * p

        tripled = each(rule, TREE, p=TREE, scale=2.0, nothing=None)
        chex.assert_trees_all_equal(tripled, jax.tree.map(lambda x: 3 * x, TREE))

    def test_a_vector_by_name_for_a_tree_that_is_one_vector(self):
        x = jnp.asarray([1.0, 2.0])
        chex.assert_trees_all_equal(each(lambda g, p: g * p, x, p=x), jnp.asarray([1.0, 4.0]))

    def test_a_slot_may_hold_a_small_tree_at_a_leafs_place(self):
        grads = {"w": jnp.ones((2, 3))}
        state = {"w": Factored(jnp.zeros(2), jnp.zeros(3))}

        def rule(g, v):
            return g, Factored(v.row + g.sum(1), v.col + g.sum(0))

        _, v = each(rule, grads, state)
        chex.assert_trees_all_equal(v, {"w": Factored(jnp.full(2, 3.0), jnp.full(3, 2.0))})

    @pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float8_e4m3fn])
    def test_rules_see_at_least_float32_and_slots_keep_their_format(self, dtype):
        seen = []

        def rule(g, m, p):
            seen.extend((g.dtype, m.dtype, p.dtype))
            return g, m

        x = jnp.ones(2, dtype)
        g, m = each(rule, x, x, p=x)
        assert seen == [jnp.float32] * 3
        assert g.dtype == m.dtype == dtype

    def test_what_is_no_small_float_stays_what_it_is(self):
        leaves = [jnp.ones(2, jnp.int8), jnp.ones(2, jnp.int32), jnp.ones(2, bool), jnp.ones(2, jnp.complex64)]
        leaves.append(jax.random.key(0))
        seen = []
        out = each(lambda x: seen.append(x.dtype) or x, leaves)
        assert seen == [x.dtype for x in leaves]
        assert [x.dtype for x in out] == seen

    def test_leaves_of_one_shape_and_dtype_share_a_trace(self):
        traces = []

        def rule(g):
            traces.append((g.shape, g.dtype))
            return g

        leaves = [jnp.ones(3), jnp.zeros(3), jnp.ones((3, 1)), jnp.ones(3, jnp.int32), jnp.ones(3)]
        jax.jit(lambda leaves: each(rule, leaves))(leaves)
        assert len(traces) == 3

    def test_outside_a_trace_nothing_is_compiled(self):
        seen = []
        each(lambda g: seen.append(isinstance(g, jax.core.Tracer)) or g, TREE)
        assert seen == [False, False]

    def test_a_vector_by_name_is_not_handed_to_every_leaf(self):
        with pytest.raises(ValueError, match="Expected"):
            each(lambda g, p: g * p, [jnp.ones(2), jnp.ones(2)], p=jnp.ones(2))

    def test_a_rule_without_a_name_is_shown_as_it_is(self):
        with pytest.raises(TypeError, match=r"^each: functools.partial\(<function .* got float32\[2\]"):
            each(functools.partial(lambda k, g: g[k], 0), jnp.ones(2))

    def test_numbers_from_outside_are_traced_through(self):
        tripled = jax.jit(lambda scale: each(lambda g: scale * g, TREE))(3.0)
        chex.assert_trees_all_equal(tripled, jax.tree.map(lambda x: 3 * x, TREE))

    @pytest.mark.parametrize("empty", [{}, (), None, {"a": None}])
    def test_trees_without_leaves(self, empty):
        assert each(lambda g: g, empty) == empty
        assert each(lambda g, m: (g, m), empty, empty) == (empty, empty)

    @pytest.mark.parametrize(
        ("rule", "message"),
        [
            (lambda g, m: g, r"gets 2 values by position and must return as many"),
            (lambda g, m: (g, m, m), r"gets 2 values by position and must return as many"),
            (lambda g, m: (g, m[:, None]), r"got float32\[2\] and returned float32\[2, 1\] in its place"),
            (lambda g, m: (g, 0.0), r"got float32\[2\] and returned float32\[\] in its place"),
            (lambda g, m: (g, None), r"got float32\[2\] and returned None in its place"),
            (lambda g, m: (g, (m, m)), r"got float32\[2\] and returned a tuple in its place"),
            (lambda g, m: (1j * g, m), r"got float32\[2\] and returned complex64\[2\] in its place"),
        ],
    )
    def test_a_rule_that_returns_something_else_is_refused(self, rule, message):
        x = jnp.ones(2)
        with pytest.raises(TypeError, match=f"^each: .*<lambda> {message}"):
            standard(each, rule, x, x)

    def test_a_weak_number_is_stored_strongly(self):
        out = each(lambda g: 2.0, jnp.ones(()))
        assert not out.weak_type


class TestAt:
    def test_numbers_are_themselves(self):
        assert at(0.1, jnp.int32(5)) == 0.1
        assert type(at(0.1, jnp.int32(5))) is float
        assert type(at(1, jnp.int32(5))) is int

    def test_double_precision_stays(self, x64):
        assert at(jnp.float64(0.1), jnp.int32(0)).dtype == jnp.float64

    def test_schedules_count_from_zero(self):
        opt = sgd(lambda iter: iter * 1.0)
        state = opt.init(1.0)
        for count in range(3):
            updates, state = opt.update(1.0, state)
            assert updates == -count

    @pytest.mark.parametrize(
        "lr", [jnp.uint32(1), jnp.int8(1), np.uint8(1), lambda _: jnp.uint8(1), lambda _: np.float16(1)]
    )
    def test_integers_and_small_floats_become_float32(self, lr):
        assert sgd(lr).update(1.0, sgd().init(1.0))[0] == -1.0
        if not isinstance(lr, np.generic):
            assert at(lr, jnp.int32(0)).dtype == jnp.float32

    def test_small_floats_are_widened(self):
        assert at(jnp.bfloat16(0.5), 0).dtype == jnp.float32
        assert at(lambda _: jnp.float16(0.5), 0).dtype == jnp.float32


class TestUpdate:
    def test_updates_are_in_the_parameters_dtype_and_else_in_the_gradients(self):
        p, g = jnp.ones(2, jnp.bfloat16), jnp.ones(2, jnp.float32)
        state = adam().init(p)
        assert adam().update(g, state, p)[0].dtype == jnp.bfloat16
        assert adam().update(g, state)[0].dtype == jnp.float32
        assert adam().update(g.astype(jnp.float16), state)[0].dtype == jnp.float16

    def test_the_pair_works_on_float32_and_rounds_nothing(self):
        seen = []

        @optimizer
        def looking(lr=0.1):
            def update(grads, state, params=None):
                seen.append(grads.dtype)
                return grads / 3, state

            return lambda params: (), update

        g = jnp.ones(2, jnp.bfloat16)
        assert looking().update(g, ())[0].dtype == jnp.bfloat16
        assert seen == [jnp.float32]
        assert standard(looking().unchecked.update, g, ())[0].dtype == jnp.bfloat16
        assert seen == [jnp.float32, jnp.bfloat16]

    def test_float32_gradients_of_float64_parameters_are_worked_on_in_float64(self, x64):
        g, p = jnp.float32(1), jnp.float64(1)
        updates, _ = sgd(0.1).update(g, sgd().init(p), p)
        assert updates == np.float64(-0.1)

    @pytest.mark.parametrize("kind", [float, np.float32, jnp.float32, jnp.bfloat16, lambda x: lambda iter: x])
    @pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.complex64])
    def test_the_kind_of_learning_rate_moves_no_dtype(self, kind, dtype):
        params = {"w": jnp.ones(2, dtype)}
        opt = momentum(kind(0.5))
        state = opt.init(params)
        updates, new = opt.update(params, state, params)
        chex.assert_trees_all_equal_shapes_and_dtypes((params, state), (updates, new))
        chex.assert_trees_all_close(updates, {"w": jnp.full(2, -0.5, dtype)})

    @pytest.mark.parametrize("opt", [adam(), adam(closing_over(0.1))])
    def test_within_jit_it_stands_among_the_other_operations(self, opt):
        def step(params, state):
            updates, state = opt.update(params, state, params)
            return apply_updates(params, updates), state

        program = jax.jit(step).lower(TREE, opt.init(TREE)).as_text()
        assert {re.sub(r"_?\d+$", "", name) for name in re.findall(r"call @(\w+)", program)} == {"one"}

    def test_outside_jit_it_is_one_compiled_call(self):
        traced = []

        @optimizer
        def looking(lr=0.1):
            def update(grads, state, params=None):
                traced.append(isinstance(grads, jax.core.Tracer))
                return grads, state

            return lambda params: (), update

        looking().update(1.0, ())
        looking().update(1.0, ())
        assert traced == [True]


@optimizer
def asking(lr=0.1):
    """Steps by ``value``, and calls ``value_fn`` where there is one."""

    def update(grads, state, params=None, value=0.0, value_fn=None):
        scale = value if value_fn is None else value_fn(value)
        return jax.tree.map(lambda g: -scale * g, grads), state

    return lambda params: (), update


@optimizer
def passing(inner, second=None):
    """A wrapper that asks for nothing and passes everything on."""

    def update(grads, state, params=None, **extra):
        return inner.unchecked.update(grads, state, params, **extra)

    return inner.unchecked.init, update


@optimizer
def multiplying(inner):
    """A wrapper that asks for something itself, and passes the rest on."""

    def update(grads, state, params=None, *, times=1.0, **extra):
        updates, state = inner.unchecked.update(grads, state, params, **extra)
        return jax.tree.map(lambda u: times * u, updates), state

    return inner.unchecked.init, update


class TestKeywords:
    @pytest.mark.parametrize("opt", [asking(), passing(asking()), passing(passing(asking()), adam())])
    def test_known_ones_reach_the_rule_through_wrappers(self, opt):
        assert opt.keywords == {"value", "value_fn"}
        assert opt.update(1.0, (), value=2.0)[0] == -2.0
        assert opt.update(1.0, (), value=2.0, epoch="third", hook=print)[0] == -2.0

    def test_a_wrapper_may_ask_for_its_own(self):
        opt = passing(multiplying(asking()))
        assert opt.keywords == {"value", "value_fn", "times"}
        assert opt.update(1.0, (), value=2.0, times=3.0)[0] == -6.0

    def test_a_pair_made_in_the_body_keeps_its_keywords(self):
        @optimizer
        def warm(lr=0.1):
            return asking(lr).unchecked

        assert passing(warm()).keywords == asking().keywords
        assert warm().update(1.0, (), value=2.0)[0] == -2.0

    def test_functions_reach_it_without_being_traced_or_kept(self):
        for factor in (2.0, 3.0):
            assert passing(asking()).update(1.0, (), value=2.0, value_fn=lambda v, k=factor: k * v)[0] == -2.0 * factor

    def test_a_tree_that_can_be_called_is_traced_like_any_other(self):
        traced = []

        @optimizer
        def along(lr=0.1):
            def update(grads, state, params=None, *, grad):
                traced.append(isinstance(grad.weight, jax.core.Tracer))
                return jax.tree.map(lambda g: -lr * g, grad), state

            return lambda params: (), update

        grads = eqx.nn.Linear(2, 1, key=jax.random.key(0))
        for _ in range(3):
            along().update(grads, (), grad=grads)
        assert traced == [True]

    def test_a_module_with_functions_in_it_may_be_the_function(self):
        model = eqx.nn.MLP("scalar", "scalar", 4, 1, activation=jnp.tanh, key=jax.random.key(0))
        updates, _ = asking().update(1.0, (), value=jnp.asarray(2.0), value_fn=model)
        assert updates == -model(jnp.asarray(2.0))

    def test_a_wrapper_that_passes_nothing_on_asks_for_nothing(self):
        @optimizer
        def deaf(inner):
            return inner.unchecked.init, lambda grads, state, params=None: inner.unchecked.update(grads, state, params)

        assert deaf(asking()).keywords == frozenset()
        assert deaf(asking()).update(1.0, (), value=2.0)[0] == 0.0

    def test_a_pair_swallows_what_its_neighbour_asked_for(self):
        assert standard(sgd(0.5).unchecked.update, jnp.ones(()), sgd().init(1.0), value=3.0)[0] == -0.5

    def test_unknown_ones_are_swallowed(self):
        assert passing(sgd(0.5)).keywords == sgd().keywords == frozenset()
        assert passing(sgd(0.5)).update(1.0, sgd().init(1.0), value_fn=print, value="?")[0] == -0.5


class TestApplyUpdates:
    @pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.complex64])
    def test_each_leaf_keeps_the_parameters_dtype(self, dtype):
        params = {"a": jnp.ones(2, dtype), "b": None}
        out = apply_updates(params, {"a": jnp.full(2, 0.5, jnp.float32), "b": None})
        chex.assert_trees_all_equal(out, {"a": jnp.full(2, 1.5, dtype), "b": None})

    def test_outside_jit_it_is_one_compiled_call(self, monkeypatch):
        traced = []

        def looking(params, updates):
            traced.append(isinstance(updates, jax.core.Tracer))
            return params

        monkeypatch.setattr(protocol, "add_updates", looking)
        params = jnp.ones((3, 1, 4, 1, 5))  # which nothing else here has
        apply_updates(params, params)
        apply_updates(params, params)
        assert traced == [True]


def test_parameters_of_eight_bits_step_along_any_gradients():
    params = {"w": jnp.ones(2, jnp.float8_e4m3fn)}
    for dtype in (jnp.float32, jnp.bfloat16, jnp.float8_e5m2):
        grads = {"w": jnp.ones(2, dtype)}
        updates, _ = sgd(0.5).update(grads, sgd().init(params), params)
        assert updates["w"].dtype == jnp.float8_e4m3fn
        chex.assert_trees_all_equal(apply_updates(params, updates), {"w": jnp.full(2, 0.5, jnp.float8_e4m3fn)})
        assert apply_updates(params, {"w": jnp.ones(2)})["w"].dtype == jnp.float8_e4m3fn


def test_arrays_among_the_arguments_reach_the_rule_in_at_least_float32():
    @optimizer
    def looking(beta=0.9, lr=0.1):
        assert lr.dtype == jnp.float32
        return sgd(lr).unchecked

    assert looking(lr=jnp.bfloat16(0.5)).arguments["lr"].dtype == jnp.bfloat16


def test_without_jit_numbers_step_as_arrays_do():
    with jax.disable_jit():
        params = {"x": -7.0}
        updates, _ = sgd(0.5).update({"x": 1.0}, sgd().init(params), params)
        assert apply_updates(params, updates) == {"x": -7.5}
        assert each(lambda g, scale: g * scale, jnp.ones(()), scale=2.0) == 2.0


FAMILIES = {
    "adaptive",
    "compact",
    "first-order",
    "layerwise",
    "matrix",
    "rate-free",
    "second-order",
    "sign",
}


class TestRegistry:
    def test_entries_say_what_the_declaration_says(self):
        assert len(registry) == 51
        for name, entry in registry.items():
            assert entry.name == name
            assert entry.family in FAMILIES
            assert any(year in entry.paper for year in map(str, range(1951, 2030)))
            assert set(entry.needs) <= {"params", "value", "grad", "value_fn", "leaf", "tree", "matrices", "decay"}
            assert isinstance(entry.build(), Optimizer)
            # What looks for its own step along a line has no rate.
            assert ("lr" in inspect.signature(entry.factory).parameters) == ("grad" not in entry.needs)

    def test_a_rule_for_matrices_has_adamw_beside_it_on_any_tree(self):
        assert registry["muon"].build(lr=0.5) == muon(lr=0.5, others=adamw())
        assert registry["adam"].build(lr=0.5) == adam(lr=0.5)

    def test_a_name_that_is_not_there_is_told_all_names_in_order(self):
        with pytest.raises(
            ValueError, match=rf"^race: there is no optimizer 'x'; there are {', '.join(sorted(registry))}$"
        ):
            by_name("x", where="race: ")

    def test_an_optimizer_without_a_family_is_not_listed(self):
        assert "asking" not in registry
        assert asking.entry.name == "asking"

    def test_a_declaration_is_read_from_the_optimizer(self):
        @optimizer(family="", paper="", needs=("value",))
        def needy(lr=0.1):
            return sgd(lr).unchecked

        assert needy().needs == passing(needy()).needs == {"value"}
        assert sgd().needs == frozenset()
