"""Property-based: values drawn freely over trees that compile once, and random trees where nothing compiles at all."""

import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import some_slow

from jaxopt_lite import adam, apply_updates, each, polyak_sgd, psgd_kron, registry, zeros_like
from jaxopt_lite.testing.problems import update
from jaxopt_lite.tree.structure import params_with_gradient


class Layer(NamedTuple):
    w: Any
    b: Any


def zeros(*shape):
    return np.zeros(shape, np.float32)


TREES = {
    "scalar": zeros(),
    "vector": zeros(3),
    "empty": zeros(0),
    "list": [zeros(), zeros(2)],
    "dict": {"a": zeros(2, 2), "b": zeros()},
    "none": {"a": zeros(1), "b": None},
    "nested": {"a": {"b": {"c": zeros(2)}}},
    "named": Layer(zeros(2, 2), zeros(2)),
    "layers": [Layer(zeros(1, 2), zeros(2)), Layer(zeros(2, 1), zeros(1))],
    "deep": (((zeros(1), zeros()), (zeros(2),)),),
    "hollow": {"a": zeros(0, 3), "b": zeros(), "c": {}},
    "four": {"w": zeros(1, 2, 1, 2)},
}
EXTREMES = np.array([0.0, -0.0, 1.0, 1e30, -1e30, 1e-30, 1e-38, 1e-45, np.nan, np.inf, -np.inf], np.float32)
BOUND = np.float32(1e30)
OPTIMIZERS = {name: entry.build() for name, entry in registry.items()}
UPDATES = {name: jax.jit(functools.partial(update, opt)) for name, opt in OPTIMIZERS.items()}


def numbers(count):
    """Arrays of so many numbers: two in five are extremes, the others any bits of a float32 up to ±1e30.

    From bytes, as one draw: number by number it takes as long again as all else in the test.
    """

    def from_bytes(drawn):
        rows = np.frombuffer(drawn, np.uint8).reshape(count, 5)
        extreme, bits = rows[:, 0] % 27, np.ascontiguousarray(rows[:, 1:]).view(np.float32)[:, 0]
        free = np.clip(np.where(np.isfinite(bits), bits, 0), -BOUND, BOUND)
        return np.where(extreme < len(EXTREMES), EXTREMES[np.minimum(extreme, len(EXTREMES) - 1)], free)

    return st.binary(min_size=5 * count, max_size=5 * count).map(from_bytes)


@functools.cache
def begin(name, tree):
    return OPTIMIZERS[name].init(TREES[tree])


# These on every tree, every other rule on two of them.
ON_EVERY_TREE = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
PAIRS = list(itertools.product(ON_EVERY_TREE, TREES))
PAIRS += list(zip([name for name in OPTIMIZERS if name not in ON_EVERY_TREE] * 2, itertools.cycle(TREES)))


QUICK = [("adamw", "scalar"), ("adamw", "hollow"), ("momentum", "layers"), ("dadapt_adam", "scalar")]


@pytest.mark.parametrize(("name", "tree"), some_slow(PAIRS, QUICK))
@settings(max_examples=140)
@given(data=st.data())
def test_two_steps_on_any_values(name, tree, data):
    """140 cases for each pair: finite gradients give finite updates; others show, where they are."""
    params, state = TREES[tree], begin(name, tree)
    sound = [np.ones(p.shape, bool) for p in jax.tree.leaves(params)]
    for _ in range(2):
        leaves, treedef = jax.tree.flatten(TREES[tree])
        sizes = np.cumsum([leaf.size for leaf in leaves])
        parts = np.split(data.draw(numbers(int(sizes[-1]))), sizes[:-1])
        grads = treedef.unflatten([part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)])
        updates, state = UPDATES[name](grads, state, params)
        assert jax.tree.structure(updates) == jax.tree.structure(params)
        for i, (g, u) in enumerate(zip(jax.tree.leaves(grads), jax.tree.leaves(updates), strict=True)):
            around = {"tree": jax.tree.leaves(grads), "leaf": [g]}
            seen = next((near for need, near in around.items() if need in OPTIMIZERS[name].needs), None)
            sound[i] &= np.isfinite(g) if seen is None else all(np.all(np.isfinite(x)) for x in seen)
            assert np.all(np.isfinite(u) | ~sound[i])
            assert not np.any(np.isfinite(u) & ~np.isfinite(g))


LEAVES = st.builds(
    jax.ShapeDtypeStruct,
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.sampled_from([jnp.float16, jnp.bfloat16, jnp.float32, jnp.complex64]),
)
RANDOM_TREES = st.recursive(
    LEAVES | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        | st.builds(Layer, inner, inner)
    ),
    max_leaves=8,
)


def on_examples(count, *strategies):
    """Turn a property into a test, which tries this many examples in the quick part and four times as many after it."""

    def as_test(holds):
        @pytest.mark.parametrize("examples", [count, pytest.param(4 * count, marks=pytest.mark.slow)])
        def test(examples):
            settings(max_examples=examples)(given(*strategies)(holds))()

        return test

    return as_test


@on_examples(25, RANDOM_TREES)
def test_the_machinery_keeps_any_tree(tree):
    with jax.numpy_dtype_promotion("standard"):
        assert jax.eval_shape(lambda t: each(lambda x: x + 1, t), tree) == tree
        swapped = jax.eval_shape(lambda a, b: each(lambda x, y: (x + y, y - x), a, b), tree, tree)
    assert swapped == (tree, tree)
    moments = jax.eval_shape(zeros_like, tree)
    assert jax.tree.structure(moments) == jax.tree.structure(tree)
    state = jax.eval_shape(adam().init, tree)
    updates, new = jax.eval_shape(adam().update, tree, state, tree)
    assert (updates, new) == (tree, state)
    assert jax.eval_shape(apply_updates, tree, updates) == tree


@on_examples(50, RANDOM_TREES, RANDOM_TREES)
def test_of_two_trees_that_differ_one_is_refused_by_name(a, b):
    stepped = params_with_gradient(b, a)  # what has no update is kept
    shapes = [[x.shape for x in jax.tree.leaves(tree)] for tree in (stepped, b)]
    alike = jax.tree.structure(stepped) == jax.tree.structure(b) and shapes[0] == shapes[1]
    pairs = list(zip(jax.tree.leaves(stepped), jax.tree.leaves(b), strict=False))
    needs_real = alike and any(jnp.iscomplexobj(y) and not jnp.iscomplexobj(x) for x, y in pairs)
    if alike and not needs_real:
        assert jax.eval_shape(apply_updates, a, b) == a
    else:
        with pytest.raises((ValueError, TypeError), match=r"^apply_updates: updates.* params.* (is|has shape) "):
            jax.eval_shape(apply_updates, a, b)
        state = jax.eval_shape(adam().init, a)
        if a is not None:  # which would mean that params is left out
            with pytest.raises((ValueError, TypeError), match=r"^adam.update: gradients.* params.* (is|has shape) "):
                jax.eval_shape(adam().update, b, state, a)
        if not alike:
            with pytest.raises(ValueError, match=r"^adam.update: state.*, where adam.init gives "):
                jax.eval_shape(adam().update, b, state)


@pytest.mark.parametrize("unit", [2.0**-100, 2.0**100])
def test_steps_by_the_function_have_the_size_of_the_parameters_in_any_unit_of_it(unit):
    """The gradient's square vanishes in the small unit, and overflows in the large one."""
    g, opt = jnp.asarray([3.0, -4.0]), polyak_sgd(max_lr=1e38)
    updates, _ = opt.update(unit * g, opt.init(g), value=unit * 50.0)
    np.testing.assert_allclose(updates, -2 * g, rtol=1e-6)


def test_a_whitened_step_is_clipped_where_its_square_overflows():
    g = jnp.full((2, 3), 1e30)
    opt = psgd_kron(1.0, clipping=1.5)
    updates, _ = opt.update(g, opt.init(g), g)
    np.testing.assert_allclose(jnp.sqrt(jnp.mean(updates**2)), 1.5, rtol=1e-5)
