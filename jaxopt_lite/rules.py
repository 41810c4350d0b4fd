"""What rules are written with: ``each`` lifts a rule for one array to the tree, ``at`` reads a number at a step."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxopt_lite.arguments import check_scheduled
from jaxopt_lite.numerics import Number, Scalar, cast, dtype_of, load
from jaxopt_lite.trees import Tree, describe, is_traced, same_structure


def each(rule: Callable[..., Any], *trees: Tree, **read: Tree) -> Any:
    """Applies a rule written for one array to every leaf of the trees.

    Args:
        rule: a function of one leaf of each tree. What it gets by position it returns, in that order: one value where
            there is one, a tuple where there are more.
        *trees: the first gives the structure. At its leaves the others may hold arrays or small trees of arrays. A slot
            that is not kept is None: the rule gets None for every leaf, and returns it.
        **read: trees that the rule gets by name and only reads; a scalar or None by name is handed to every leaf.

    Returns:
        One tree for each of ``trees``, a tuple where there are more than one. Each array has the shape and dtype it
        came in with: the rule sees it in at least float32, and what it returns is stored in the format it came in.

    Raises:
        TypeError: the rule returned another number of values than it got, or one of another structure or shape.

    Leaves of one shape and dtype share one trace of the rule.
    """
    treedef: Any = jax.tree.structure(trees[0])
    name = getattr(rule, "__qualname__", str(rule))
    slots = [_per_leaf(treedef, tree) for tree in trees]
    named = {name: _per_leaf(treedef, tree) for name, tree in read.items()}

    def one(old: tuple[Any, ...], by_name: dict[str, Any]) -> Any:
        loaded, loaded_by_name = jax.tree.map(load, (old, by_name))
        new = rule(*loaded, **loaded_by_name)
        new = (new,) if len(old) == 1 else new
        if not isinstance(new, tuple) or len(new) != len(old):
            raise TypeError(f"each: {name} gets {len(old)} values by position and must return as many")
        for before, after in zip(old, new, strict=True):
            if not same_structure(before, after):
                raise TypeError(f"each: {name} got {describe(before)} and returned {describe(after)} in its place")
        return jax.tree.map(functools.partial(_store, name), old, new)

    # In a trace, leaves of one shape and dtype share it; outside of one, it would be compiled for this call alone.
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
        raise TypeError(f"each: {name} got {describe(old)} and returned {describe(new)} in its place")
    return cast(new, dtype_of(old))


def stored(before: Tree, after: Tree) -> Tree:
    """Returns ``after`` in the dtypes of ``before``."""
    return jax.tree.map(lambda old, new: cast(new, dtype_of(old)), before, after)


def when(due: jax.Array, change: Callable[[], Tree], kept: Tree) -> Tree:
    """Returns ``change()``, in the dtypes of ``kept``, where ``due`` holds, and elsewhere ``kept``, uncomputed."""
    return jax.lax.cond(due, lambda: stored(kept, change()), lambda: kept)


Decay = Literal["decoupled", "independent", "l2", "proximal"]


def decays(
    decay: Decay, weight_decay: Number, lr: Number, peak_lr: Scalar | None, iter: jax.Array
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The meanings of weight decay, for every rule that has it: a function for its gradient, and one for its update.

    coupled(g, p) = g + λ p              "l2", otherwise g
    decayed(u, p) = u - lr λ p                   "decoupled"
                    u - λ p lr / peak            "independent", where lr / peak is 1 unless peak_lr is given
                    (p + u) / (1 + lr λ) - p     "proximal"
    """
    shrink, lr_t = at(weight_decay, iter), at(lr, iter)
    relative: Any = 1 if peak_lr is None else lr_t / peak_lr
    share = relative if decay == "independent" else lr_t

    def coupled(g, p):
        return g + shrink * p if decay == "l2" else g

    def decayed(u, p):
        shrunk = u if decay == "l2" else u - share * shrink * p
        return shrunk / (1 + share * shrink) if decay == "proximal" else shrunk

    return coupled, decayed


def step_if(go: jax.Array, opt: Any, grads: Tree, state: Any, params: Tree, **extra: Any) -> tuple[Tree, Any]:
    """The step of an optimizer where ``go`` holds; elsewhere it does not run: updates of 0, the state as it was."""

    def take(state):
        updates, new = opt.pair.update(grads, state, params, **extra)
        return stored((grads, state), (updates, new))

    def skip(state):
        return jax.tree.map(jnp.zeros_like, grads), state

    updates, new = jax.lax.cond(go, take, skip, state)
    return updates, new


def shortened(g: jax.Array, length: jax.Array, limit: Scalar) -> jax.Array:
    """``g``, whose length is given, at no more than ``limit``; at length 0 it stays 0, and a length of NaN spreads."""
    return g * jnp.where(length <= limit, 1, limit / jnp.where(length <= limit, 1, length))


def direction(x: jax.Array, length: jax.Array) -> jax.Array:
    """``x``, whose length is given, at length 1; at length 0 it stays 0."""
    return x / jnp.where(length == 0, 1, length)


def trust_ratio(weight: jax.Array, step: jax.Array, coefficient: Scalar = 1) -> jax.Array:
    """A share of the weights' length over the step's; 1 where either length is 0, so that zeros can leave zero."""
    none = (weight == 0) | (step == 0)
    return jnp.where(none, 1, coefficient * weight / jnp.where(none, 1, step))


def unit_axes(rank: int, out_axis: int) -> tuple[int, ...] | None:
    """The axes of what feeds one output: all but ``out_axis``, and all of a vector."""
    if rank > 1 and not -rank <= out_axis < rank:
        raise ValueError(f"out_axis is {out_axis}, and a leaf has {rank} axes")
    return tuple(axis for axis in range(rank) if axis != out_axis % rank) if rank > 1 else None


def at(number: Number, iter: jax.Array) -> Scalar:
    """The value of a hyperparameter at step ``iter``, counted from 0: a schedule's value there, or the number itself.

    Python numbers stay Python numbers, exact and weakly typed; arrays come back in at least float32.

    Raises:
        TypeError: the schedule gave something other than one number.
    """
    if callable(number):
        schedule, number = number, number(iter)
        check_scheduled(schedule, number)
    if isinstance(number, int | float):
        return number
    # An unsigned integer would turn -lr into four billion.
    return load(number) if jnp.issubdtype(jnp.result_type(number), jnp.floating) else jnp.asarray(number, jnp.float32)
