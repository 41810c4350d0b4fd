"""Tools of rules: ``each`` applies a rule for one array to a tree; ``when`` and ``step_if`` run on a condition."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.tree.dtypes import cast_as, cast_like, to_compute_dtype
from jaxopt_lite.tree.structure import format_leaf, is_traced, same_structure
from jaxopt_lite.types import Tree


def each(rule: Callable[..., Any], *trees: Tree, **read: Tree) -> Any:
    """Apply a rule for one array to every leaf of the trees, and return the new trees.

    Args:
        rule: a function of one leaf of each tree. It returns a new value for each positional argument, in order: one
            value for one argument, a tuple for more.
        *trees: the first tree gives the structure. At its leaves, the others may hold arrays or small trees of arrays.
            For a tree of None, the rule gets None for every leaf, and returns None.
        **read: trees that the rule gets by name and only reads. A scalar or None is passed for every leaf.

    Returns:
        One tree for each of ``trees``, as a tuple if there are several. The rule sees each array in at least float32.
        Each output has the shape of its input, and is cast to its dtype.

    Raises:
        TypeError: the rule returned another number of values than it got, or one of another structure or shape.

    Example:
        >>> def rule(g, m):
        ...     m = 0.9 * m + g
        ...     return -0.5 * m, m
        >>> updates, m = each(rule, {"kernel": jnp.array([1.0, 3.0])}, {"kernel": jnp.zeros(2)})
        >>> print(updates["kernel"], m["kernel"])
        [-0.5 -1.5] [1. 3.]

    Leaves of one shape and dtype share one trace of the rule.
    """
    treedef: Any = jax.tree.structure(trees[0])
    name = getattr(rule, "__qualname__", str(rule))
    slots = [_per_leaf(treedef, tree) for tree in trees]
    named = {name: _per_leaf(treedef, tree) for name, tree in read.items()}

    def one(old: tuple[Any, ...], by_name: dict[str, Any]) -> Any:
        loaded, loaded_by_name = jax.tree.map(to_compute_dtype, (old, by_name))
        new = rule(*loaded, **loaded_by_name)
        new = (new,) if len(old) == 1 else new
        if not isinstance(new, tuple) or len(new) != len(old):
            raise TypeError(f"each: {name} gets {len(old)} values by position and must return as many")
        for before, after in zip(old, new, strict=True):
            if not same_structure(before, after):
                raise TypeError(
                    f"each: {name} got {format_leaf(before)} and returned {format_leaf(after)} in its place"
                )
        return jax.tree.map(functools.partial(_store, name), old, new)

    # In a trace, leaves of one shape and dtype share this jit. Outside, it would be compiled for this call alone.
    one = jax.jit(one) if is_traced((trees, read)) else one
    leaves = [
        one(old, {name: column[i] for name, column in named.items()}) for i, old in enumerate(zip(*slots, strict=True))
    ]
    out = tuple(
        tree if tree is None else treedef.unflatten([leaf[slot] for leaf in leaves]) for slot, tree in enumerate(trees)
    )
    return out[0] if len(out) == 1 else out


def _per_leaf(treedef: Any, tree: Tree) -> list[Any]:
    scalar = tree is None or (jax.tree_util.all_leaves([tree]) and jnp.ndim(tree) == 0)
    return [tree] * treedef.num_leaves if scalar else treedef.flatten_up_to(tree)


def _store(name: str, old: jax.Array, new: jax.Array) -> jax.Array:
    new = jnp.asarray(new)
    if new.shape != jnp.shape(old) or (jnp.iscomplexobj(new) and not jnp.iscomplexobj(old)):
        raise TypeError(f"each: {name} got {format_leaf(old)} and returned {format_leaf(new)} in its place")
    return cast_as(new, old)


def when(due: jax.Array, change: Callable[[], Tree], kept: Tree) -> Tree:
    """Return ``change()`` in the dtypes of ``kept`` if ``due`` holds, and else ``kept``, without computing a change."""
    return jax.lax.cond(due, lambda: cast_like(change(), kept), lambda: kept)


def step_if(go: jax.Array, opt: Any, grads: Tree, state: Any, params: Tree, **extra: Any) -> tuple[Tree, Any]:
    """Step an optimizer if ``go`` holds; else return updates of 0 and the old state, without running it."""

    def take(state):
        updates, new = opt.unchecked.update(grads, state, params, **extra)
        return cast_like((updates, new), (grads, state))

    def skip(state):
        return jax.tree.map(jnp.zeros_like, grads), state

    updates, new = jax.lax.cond(go, take, skip, state)
    return updates, new
