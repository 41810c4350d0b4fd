"""Laws of form: what an optimizer is, what it takes, and what it gives back."""

import copy
import gc
import pickle
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.testing.problems import law, quadratic, run, small_tree, start, step, update


class _Point(NamedTuple):
    x: Any
    y: Any


@law
def is_a_value(opt: Optimizer) -> None:
    """Hold an optimizer to being a value: it prints as a call and unpacks to two; copies are equal and hash alike."""
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


@law
def traces_once(opt: Optimizer) -> None:
    """Hold ten steps, each with another equal copy as a static argument of jit, to one trace."""
    traces = []

    def counted(opt: Optimizer, carry: Any) -> Any:
        traces.append(opt)
        return step(opt, carry)

    carry, compiled = start(opt, small_tree()), jax.jit(counted, static_argnums=0)
    for _ in range(10):
        carry = compiled(copy.copy(opt), carry)
    assert len(traces) == 1, f"{len(traces)} traces"


@law
def keeps_formats(opt: Optimizer) -> None:
    """Hold a step to the state's structure, shapes, shardings and dtypes, and updates to those of params."""
    dtypes = jnp.float16, jnp.bfloat16, jnp.result_type(float), jnp.complex64
    starts = [start(opt, small_tree(dtype)) for dtype in dtypes]
    # Formats are known once a step is traced; nothing need be compiled.
    stepped = jax.eval_shape(lambda starts: [update(opt, params, state, params) for params, state in starts], starts)
    for dtype, (params, state), (updates, new) in zip(dtypes, starts, stepped, strict=True):
        chex.assert_trees_all_equal_structs(state, new)
        chex.assert_trees_all_equal_shapes_and_dtypes(state, new)
        chex.assert_trees_all_equal_structs(params, updates)
        chex.assert_trees_all_equal_shapes_and_dtypes(params, updates)
        for old_leaf, new_leaf in zip(jax.tree.leaves(state), jax.tree.leaves(new), strict=True):
            assert not old_leaf.weak_type, "init gives a weakly typed array"
            assert not new_leaf.weak_type, "update gives a weakly typed array"
            is_small = jnp.issubdtype(new_leaf.dtype, jnp.floating) and new_leaf.dtype.itemsize < 4
            assert not is_small, f"for {jnp.dtype(dtype)} parameters the state holds {new_leaf.dtype}"
    carry = start(opt, small_tree())
    for before, after in zip(jax.tree.leaves(carry), jax.tree.leaves(run(opt, carry, 1)), strict=True):
        assert before.sharding == after.sharding, f"{before.sharding} became {after.sharding}"


@law
def works_on_any_tree(opt: Optimizer) -> None:
    """Hold nested, empty, zero-size and scalar trees, and trees with None, to finite updates of their structure."""
    one, two = jnp.asarray([1.0, -2.0]), jnp.asarray([[0.5, 0.25]])
    trees = [one, jnp.asarray(3.0), {}, (), {"a": one, "b": None}, [one, {"c": (two, [])}], _Point(one, two)]
    trees.append({"empty": jnp.zeros((0, 3)), "a": one})
    stepped = jax.jit(lambda trees: [update(opt, tree, opt.init(tree), tree) for tree in trees])(trees)
    for tree, (updates, state) in zip(trees, stepped, strict=True):
        chex.assert_trees_all_equal_structs(updates, tree)
        chex.assert_trees_all_equal_shapes_and_dtypes(updates, tree)
        chex.assert_tree_all_finite((updates, state))


@law
def is_pure(opt: Optimizer) -> None:
    """Hold the same call, made twice, to the same bits and to untouched inputs."""
    params, state = start(opt, small_tree())
    before = jax.tree.map(np.array, (params, state))
    chex.assert_trees_all_equal(update(opt, params, state, params), update(opt, params, state, params))
    chex.assert_trees_all_equal((params, state), before)


@law
def begins_anywhere(opt: Optimizer) -> None:
    """Hold ``init`` to the same state outside jit, within it and, where values are not needed, from shapes alone."""
    params, state = start(opt, small_tree())
    chex.assert_trees_all_equal(state, jax.jit(opt.init)(params))
    chex.assert_trees_all_equal_shapes_and_dtypes(state, jax.eval_shape(opt.init, params))
    if "params" not in opt.needs:
        chex.assert_trees_all_equal(state, opt.init(jax.eval_shape(lambda: params)))


@law
def follows_the_protocol(opt: Optimizer) -> None:
    """Hold ``update`` to its protocol: arguments by keyword, unknown ones ignored, params only where declared."""
    params, state = start(opt, small_tree())
    known = {"value": jnp.ones(()), "grad": params, "value_fn": quadratic}
    expected = update(opt, params, state, params)
    chex.assert_trees_all_equal(opt.update(updates=params, state=state, params=params, **known), expected)
    chex.assert_trees_all_equal(opt.update(params, state, params, **known, epoch="third", hook=print), expected)
    if "params" not in opt.needs:
        chex.assert_trees_all_equal(opt.update(params, state, **known), expected)


@law
def may_be_donated(opt: Optimizer) -> None:
    """Hold a fresh state to sharing no memory with itself or the parameters, so that both may be donated."""
    carry = start(opt, small_tree())
    addresses = [x.unsafe_buffer_pointer() for x in jax.tree.leaves(carry)]
    assert len(set(addresses)) == len(addresses), "two arrays share memory"
    expected = run(opt, carry, 3)
    donating = jax.jit(step, static_argnums=0, donate_argnums=1)
    for _ in range(3):
        carry = donating(opt, carry)
    chex.assert_trees_all_equal(carry, expected)


@law
def leaks_no_tracer(opt: Optimizer) -> None:
    """Hold a traced step to leaving no tracer behind: jax_check_tracer_leaks stays silent."""
    carry = start(opt, small_tree())
    gc.freeze()  # jax looks for tracers among all that the collector knows, after each trace: what was there holds none
    try:
        with jax.check_tracer_leaks(True):
            jax.jit(lambda carry: step(opt, carry))(carry)
    finally:
        gc.unfreeze()
