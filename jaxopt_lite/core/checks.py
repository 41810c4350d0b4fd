"""Checks of the input of ``init`` and ``update``, and their error messages.

The checks read structures, shapes and dtypes alone. They run while a step is traced, so a compiled step pays nothing.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.hyperparameters import ranges_of
from jaxopt_lite.core.state_checks import check_state, skeleton_of
from jaxopt_lite.tree.places import Place
from jaxopt_lite.tree.structure import (
    at_path,
    dtype_or_type,
    fill_none,
    first_difference,
    format_leaf,
    same_structure,
    unequal_leaves,
)
from jaxopt_lite.types import Tree

KEYWORDS = {"params", "value", "grad", "value_fn", "key"}
NUMBERS = {
    "value": "the loss at params",
    "weight": "of what this gradient counts as",
    "flush": "True at the last gradient",
}
WITHOUT = "put None in its place, as eqx.filter(model, eqx.is_inexact_array) does"
NEEDS = KEYWORDS | {"decay", "matrices", "leaf", "tree"}


def check_init(opt: Any, params: Tree) -> None:
    """Raise for parameters that ``Optimizer.init`` cannot take."""
    call = f"{opt.name}.init"
    check_arrays(call, params=params)
    _check_scalars(call, opt)
    check_floats(call, params=params)


def check_update(opt: Any, updates: Tree, state: Any, params: Tree, extra: dict[str, Any]) -> Any:
    """Raise for wrong input of ``Optimizer.update``. Return the state in the structure that ``init`` gives."""
    call, given = f"{opt.name}.update", {"params": params} | extra
    _check_scalars(call, opt)
    for need in sorted(opt.needs & KEYWORDS):
        if given.get(need) is None:
            inside = "" if need == "params" else "; inside optax's chain it stands as to_optax(…)"
            raise TypeError(f"{call}: {need} is missing, and this rule needs it{inside}")
    for name in sorted(extra.keys() & NUMBERS.keys()):
        if np.ndim(extra[name]):
            raise ValueError(f"{call}: {name} has shape {np.shape(extra[name])}, and is one number, {NUMBERS[name]}")
    skeleton = skeleton_of(opt, updates, state)
    if type(skeleton) in {type(updates), type(params)} and type(state) is not type(skeleton):
        raise TypeError(
            f"{call}: the order is gradients, state, params, and {format_leaf(skeleton)} did not come second"
        )
    if (
        type(state) is not type(skeleton)
        and not isinstance(skeleton, Place)
        and not jax.tree_util.all_leaves([skeleton])
    ):
        raise TypeError(f"{call}: state is {format_leaf(state)}, where {opt.name}.init gives {format_leaf(skeleton)}")
    if params is not None:
        _check_alike(call, "gradients", updates, "params", params)
    check_floats(call, gradients=updates, params=params)
    if params is not None:
        _check_real(call, "gradients", updates, "params", params)
    like = updates if params is None else params
    return check_state(opt, skeleton, like, state)


def check_kept(call: str, name: str, kept: Tree, params: Tree) -> None:
    """Raise for a state of other parameters. None marks a parameter of which the state keeps nothing."""
    structures = (jax.tree.structure(tree, is_leaf=lambda x: x is None) for tree in (kept, params))
    if len(set(structures)) > 1:
        raise ValueError(
            f"{call}: the state's {name} has another structure than params; of nnx.Optimizer give nnx.as_pure of both"
        )
    _check_alike(call, name, fill_none(kept, params), "params", params)


def check_apply(call: str, name: str, updates: Tree, params: Tree) -> None:
    """Raise for a tree that cannot be added to parameters; ``apply_updates`` and others call it."""
    _check_alike(call, name, updates, "params", params)
    check_floats(call, **{"params": params, name: updates})
    _check_real(call, name, updates, "params", params)


def check_declaration(body: Callable[..., Any], needs: Iterable[str]) -> None:
    """Raise for a declaration that ``@optimizer`` cannot take."""
    for unknown in set(needs) - NEEDS:
        raise ValueError(
            f"{body.__name__}: {unknown!r} is nothing that a rule can need; there are {', '.join(sorted(NEEDS))}"
        )
    if "decay" in needs and "weight_decay" not in inspect.signature(body).parameters:
        raise ValueError(f"{body.__name__}: it needs 'decay', and has no argument weight_decay")


def _check_scalars(call: str, opt: Any) -> None:
    ranges = ranges_of(opt.factory)
    for name, argument in opt.arguments.items():
        if name in ranges and not ranges[name].several and np.ndim(argument) > 0:
            raise ValueError(
                f"{call}: {name} has shape {np.shape(argument)}, and a step takes one number: "
                "jax.vmap over the optimizer runs them all"
            )
    for inner in opt.children:
        _check_scalars(call, inner)


def check_numbers(call: str, **numbers: Any) -> None:
    """Raise for arrays of several numbers, because they would be broadcast."""
    for name, number in numbers.items():
        if np.ndim(number):
            raise ValueError(f"{call}: {name} has shape {np.shape(number)}, and must be one number")


def check_examples(call: str, name: str, tree: Tree) -> None:
    """Raise unless all leaves begin with an axis of the same number of examples."""
    counts = [np.shape(leaf)[:1] for leaf in jax.tree.leaves(tree)]
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if np.shape(leaf)[:1] != counts[0] or counts[0] in {(), (0,)}:
            needed = "all leaves must begin with an axis of as many examples, one at least"
            raise ValueError(f"{call}: {at_path(name, path)} has shape {np.shape(leaf)}: {needed}")


def check_arrays(call: str, **trees: Tree) -> None:
    """Raise for leaves that are no arrays: strings, functions, other objects."""
    for name, tree in trees.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            if not (hasattr(leaf, "shape")) and type(leaf) not in (
                bool,
                int,
                float,
                complex,
            ):
                instead = f": {WITHOUT}" if callable(leaf) else ""
                raise TypeError(
                    f"{call}: {at_path(name, path)} is {format_leaf(leaf)}, not an array{instead}"
                ) from None


def check_floats(call: str, **trees: Tree) -> None:
    """Raise for leaves that are not real or complex floats: integers, booleans, PRNG keys, float0."""
    for name, tree in trees.items():
        for dtype in {dtype_or_type(leaf) for leaf in jax.tree.leaves(tree)}:
            if not jnp.issubdtype(dtype, jnp.inexact):
                leaves = jax.tree_util.tree_leaves_with_path(tree)
                path, leaf = next((path, leaf) for path, leaf in leaves if dtype_or_type(leaf) == dtype)
                raise TypeError(
                    f"{call}: {at_path(name, path)} is {format_leaf(leaf)}, and steps are taken in real or "
                    f"complex floats: {WITHOUT}"
                )


def _check_alike(call: str, name: str, tree: Tree, like_name: str, like: Tree) -> None:
    """Raise if the structure or the shapes of a tree differ from those of ``like``."""
    if not same_structure(tree, like):
        path, here, there = first_difference((), tree, like, same_structure)
        raise ValueError(f"{call}: {at_path(name, path)} is {here}, {at_path(like_name, path)} is {there}")
    for (path, leaf), other in unequal_leaves(tree, like, np.shape):
        shapes = f"has shape {np.shape(leaf)}, {at_path(like_name, path)} has shape {np.shape(other)}"
        raise ValueError(f"{call}: {at_path(name, path)} {shapes}")


def _check_real(call: str, name: str, tree: Tree, like_name: str, like: Tree) -> None:
    """Raise for complex leaves where ``like`` has real leaves."""
    for (path, leaf), other in unequal_leaves(tree, like, dtype_or_type):
        if jnp.iscomplexobj(leaf) and not jnp.iscomplexobj(other):
            dtypes = f"is {format_leaf(leaf)}, {at_path(like_name, path)} is {format_leaf(other)}"
            raise TypeError(f"{call}: {at_path(name, path)} {dtypes}: take the real part first")
