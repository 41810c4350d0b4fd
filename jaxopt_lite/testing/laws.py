"""The laws: each a function of an optimizer, its docstring what holds, its failure an AssertionError."""

import copy
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core import Optimizer
from jaxopt_lite.testing.problems import assert_ulps, quadratic, rosenbrock, run, small_tree, start, step
from jaxopt_lite.trees import Tree

Law = Callable[[Optimizer], None]
laws: dict[str, Law] = {}


def _law(function: Law) -> Law:
    laws[function.__name__] = function
    return function


class _Point(NamedTuple):
    x: Any
    y: Any


def _update(opt: Optimizer, grads: Tree, state: Any, params: Tree) -> tuple[Tree, Any]:
    return opt.update(grads, state, params, value=jnp.ones(()), grad=grads)


@_law
def descends(opt: Optimizer) -> None:
    """200 steps lower a quadratic, and Rosenbrock's valley."""
    for loss, params in ((quadratic, small_tree()), (rosenbrock, (jnp.asarray(-1.0), jnp.asarray(1.5)))):
        body = lambda _, carry, loss=loss: step(opt, carry, loss)  # noqa: E731 - loss is bound now
        end, _ = jax.lax.fori_loop(0, 200, body, start(opt, params))
        assert loss(end) < loss(params), f"{loss.__name__} went from {loss(params)} to {loss(end)}"


@_law
def is_a_value(opt: Optimizer) -> None:
    """It prints as a call of its factory and unpacks to two; copies, pickled ones too, are equal and hash alike."""
    init, update = opt
    assert callable(init), "the first of the pair is not callable"
    assert callable(update), "the second of the pair is not callable"
    assert repr(opt).startswith(f"{opt.name}("), f"it prints as {opt!r}"
    twins = {
        "copy": copy.copy(opt),
        "deepcopy": copy.deepcopy(opt),
        "replace": opt.replace(),
        "tree.map": jax.tree.map(lambda x: x, opt),
    }
    if "<locals>" not in opt.factory.__qualname__:  # what is defined inside a function has no name to pickle it by
        twins["pickle"] = pickle.loads(pickle.dumps(opt))
    for how, twin in twins.items():
        assert twin == opt, f"{how} gives {twin}, which is another optimizer"
        assert hash(twin) == hash(opt), f"{how} gives an equal optimizer with another hash"


@_law
def traces_once(opt: Optimizer) -> None:
    """Ten steps, each given another equal copy as a static argument of jit, are one trace."""
    traces = []

    def counted(opt: Optimizer, carry: Any) -> Any:
        traces.append(opt)
        return step(opt, carry)

    carry, compiled = start(opt, small_tree()), jax.jit(counted, static_argnums=0)
    for _ in range(10):
        carry = compiled(copy.copy(opt), carry)
    assert len(traces) == 1, f"{len(traces)} traces"


@_law
def keeps_formats(opt: Optimizer) -> None:
    """A step keeps the state's structure, shapes, shardings and dtypes, at least float32; updates are as params are."""
    for dtype in (jnp.float16, jnp.bfloat16, jnp.result_type(float), jnp.complex64):
        params = small_tree(dtype)
        state = opt.init(params)
        updates, new = _update(opt, params, state, params)
        chex.assert_trees_all_equal_structs(state, new)
        chex.assert_trees_all_equal_shapes_and_dtypes(state, new)
        chex.assert_trees_all_equal_structs(params, updates)
        chex.assert_trees_all_equal_shapes_and_dtypes(params, updates)
        for old_leaf, new_leaf in zip(jax.tree.leaves(state), jax.tree.leaves(new), strict=True):
            assert old_leaf.sharding == new_leaf.sharding, f"{old_leaf.sharding} became {new_leaf.sharding}"
            assert not old_leaf.weak_type, "init gives a weakly typed array"
            assert not new_leaf.weak_type, "update gives a weakly typed array"
            is_small = jnp.issubdtype(new_leaf.dtype, jnp.floating) and new_leaf.dtype.itemsize < 4
            assert not is_small, f"for {jnp.dtype(dtype)} parameters the state holds {new_leaf.dtype}"


@_law
def works_on_any_tree(opt: Optimizer) -> None:
    """Nested, empty, zero-size and scalar trees, and trees with None, step to finite updates of the same structure."""
    one, two = jnp.asarray([1.0, -2.0]), jnp.asarray([[0.5, 0.25]])
    trees = [one, jnp.asarray(3.0), {}, None, (), {"a": one, "b": None}, [one, {"c": (two, [])}], _Point(one, two)]
    for tree in [*trees, {"empty": jnp.zeros((0, 3)), "a": one}]:
        updates, state = _update(opt, tree, opt.init(tree), tree)
        chex.assert_trees_all_equal_structs(updates, tree)
        chex.assert_trees_all_equal_shapes_and_dtypes(updates, tree)
        chex.assert_tree_all_finite((updates, state))


@_law
def is_pure(opt: Optimizer) -> None:
    """The same call twice gives the same to the bit, and leaves its inputs as they were."""
    params, state = start(opt, small_tree())
    before = jax.tree.map(np.array, (params, state))
    chex.assert_trees_all_equal(_update(opt, params, state, params), _update(opt, params, state, params))
    chex.assert_trees_all_equal((params, state), before)


@_law
def jit_equals_eager(opt: Optimizer) -> None:
    """Three steps within jit and three outside agree to 8 ulp."""
    carry = eager = start(opt, small_tree())
    for _ in range(3):
        eager = step(opt, eager)
    assert_ulps(run(opt, carry, 3), eager, ulps=8)


@_law
def scan_equals_loop(opt: Optimizer) -> None:
    """Three steps of lax.scan and three of a loop agree to 8 ulp."""
    carry = start(opt, small_tree())
    scanned, _ = jax.lax.scan(lambda carry, _: (step(opt, carry), None), carry, length=3)
    assert_ulps(scanned, run(opt, carry, 3), ulps=8)


@_law
def sweeps_by_vmap(opt: Optimizer) -> None:
    """A step under vmap over eight learning rates and the eight steps alone agree to 32 ulp, at each of three steps."""
    if "lr" not in opt.arguments:
        return
    rates, carry = jnp.logspace(-4, -1, 8), start(opt, small_tree())
    for _ in range(3):
        swept = jax.vmap(step, in_axes=(0, None))(opt.replace(lr=rates), carry)
        for lane, rate in enumerate(rates):
            mine = jax.tree.map(lambda x, lane=lane: x[lane], swept)
            assert_ulps(mine, step(opt.replace(lr=rate), carry), ulps=32)
        carry = step(opt, carry)


@_law
def takes_a_schedule(opt: Optimizer) -> None:
    """A learning rate that is a schedule acts, to 8 ulp, as the number that it gives for the steps taken so far."""
    if "lr" not in opt.arguments:
        return
    scheduled = opt.replace(lr=lambda iter: 0.01 / (1 + iter))
    carry = start(opt, small_tree())
    for taken in range(3):
        by_number = step(opt.replace(lr=0.01 / (1 + taken)), carry)
        carry = step(scheduled, carry)
        assert_ulps(carry, by_number, ulps=8)


@_law
def may_be_donated(opt: Optimizer) -> None:
    """No two arrays of a fresh state and the parameters share memory: both may be donated, to the same result."""
    carry = start(opt, small_tree())
    addresses = [x.unsafe_buffer_pointer() for x in jax.tree.leaves(carry)]
    assert len(set(addresses)) == len(addresses), "two arrays share memory"
    expected = run(opt, carry, 3)
    donating = jax.jit(step, static_argnums=0, donate_argnums=1)
    for _ in range(3):
        carry = donating(opt, carry)
    chex.assert_trees_all_equal(carry, expected)


@_law
def resumes(opt: Optimizer) -> None:
    """A run that is pickled in the middle and resumed equals the uninterrupted one to the bit."""
    carry = start(opt, small_tree())
    saved = pickle.dumps(jax.tree.map(np.asarray, run(opt, carry, 2)))
    chex.assert_trees_all_equal(run(opt, pickle.loads(saved), 2), run(opt, carry, 4))


@_law
def begins_anywhere(opt: Optimizer) -> None:
    """``init`` gives the same outside jit, within it, and from shapes alone, where values are not needed."""
    params, state = start(opt, small_tree())
    chex.assert_trees_all_equal(state, jax.jit(opt.init)(params))
    chex.assert_trees_all_equal_shapes_and_dtypes(state, jax.eval_shape(opt.init, params))
    if "params" not in opt.needs:
        chex.assert_trees_all_equal(state, opt.init(jax.eval_shape(lambda: params)))


@_law
def follows_the_protocol(opt: Optimizer) -> None:
    """``update`` takes its arguments by keyword, swallows unknown ones, and needs params only where it says so."""
    params, state = start(opt, small_tree())
    known = {"value": jnp.ones(()), "grad": params}
    expected = _update(opt, params, state, params)
    chex.assert_trees_all_equal(opt.update(updates=params, state=state, params=params, **known), expected)
    chex.assert_trees_all_equal(opt.update(params, state, params, **known, epoch="third", hook=print), expected)
    if "params" not in opt.needs:
        chex.assert_trees_all_equal(opt.update(params, state, **known), expected)


@_law
def survives_extremes(opt: Optimizer) -> None:
    """Three steps along gradients of 0, and three along gradients of 1e30, leave updates and state finite."""
    for size in (0.0, 1e30):
        params, state = start(opt, small_tree())
        grads = jax.tree.map(lambda p, size=size: jnp.full_like(p, size), params)
        for _ in range(3):
            updates, state = _update(opt, grads, state, params)
            chex.assert_tree_all_finite((updates, state))


@_law
def differentiates_at_zero(opt: Optimizer) -> None:
    """The derivative of the updates by the gradients is finite where these are zero."""
    params, state = start(opt, small_tree())
    zeros = jax.tree.map(jnp.zeros_like, params)
    chex.assert_tree_all_finite(jax.jacobian(lambda grads: _update(opt, grads, state, params)[0])(zeros))


@_law
def counts_without_overflow(opt: Optimizer) -> None:
    """A counter at 2³¹ - 1 stays there, and the step is finite."""
    last = jnp.iinfo(jnp.int32).max
    params, state = start(opt, small_tree())
    state = jax.tree.map(lambda x: jnp.full_like(x, last) if x.dtype == jnp.int32 else x, state)
    updates, new = _update(opt, params, state, params)
    chex.assert_tree_all_finite((updates, new))
    counters = [x for x in jax.tree.leaves(new) if x.dtype == jnp.int32]
    assert all(jnp.all(x == last) for x in counters), f"counters went to {counters}"
