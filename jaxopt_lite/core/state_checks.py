"""The form of a state: what ``init`` would give, found without arrays, and what is refused in its place."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.tree.places import Place
from jaxopt_lite.tree.structure import (
    at_path,
    dtype_or_type,
    first_difference,
    format_leaf,
    is_prefix,
    restructure_by_name,
    same_structure,
    unequal_leaves,
)
from jaxopt_lite.types import Tree

# What an ``init`` may raise that is given a place for parameters.
INIT_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def skeleton_of(opt: Any, updates: Tree, state: Any) -> Any:
    """Return a state with places for moments.

    One place stands for all parameters, which takes no time; one for each, if ``init`` looks at their paths; and the
    state is taken as it is, if ``init`` expects arrays and so cannot be asked.
    """
    for places in (Place, lambda: jax.tree.map(lambda x: Place(jnp.shape(x), dtype_or_type(x)), updates)):
        try:
            return jax.eval_shape(opt.unchecked.init, places())
        except INIT_ERRORS:
            continue
    return state


def check_state(opt: Any, skeleton: Any, params: Tree, state: Any) -> Any:
    """Refuse a state of another form, and return it in the structure that ``init`` gives.

    Floats of any width are taken, as a trainer casts all of a state at once. A container that keeps states by name, as
    ``nnx.Optimizer`` does, gives a mapping back for a tuple: where a parameter has several arrays in the state, leaves
    are told by their names.
    """
    treedef: Any
    places, treedef = jax.tree_util.tree_flatten_with_path(skeleton, is_leaf=_is_place)
    expected = treedef.unflatten([_expected(kept, params) for _, kept in places])
    alike = skeleton is not state and same_structure(expected, state)
    if not alike:
        _check_structure(opt, expected, state, is_prefix)
    parts = treedef.flatten_up_to(state)
    numbers = [(path, k) for k, (path, kept) in enumerate(places) if not isinstance(kept, Place)]
    if any([format_leaf(places[k][1]) != format_leaf(parts[k]) for _, k in numbers]):  # noqa: C419 - traced faster
        # A number may be in the dtype of the parameters, and those are asked only now: it would take its time.
        exact = treedef.flatten_up_to(jax.eval_shape(opt.unchecked.init, params))
        for path, k in numbers:
            _check_number(opt, path, exact[k], parts[k])
    return state if alike else _by_name(opt, params, state)


def _by_name(opt: Any, params: Tree, state: Any) -> Any:
    try:
        named = restructure_by_name(state, jax.eval_shape(opt.unchecked.init, params))
    except INIT_ERRORS:  # from an ``init`` that looks at values
        return state
    return state if named is None else named


def _check_number(opt: Any, path: Any, kept: Any, given: Any) -> None:
    floats = all(jnp.issubdtype(dtype_or_type(x), jnp.floating) for x in (kept, given))
    if not (np.shape(kept) == np.shape(given) if floats else format_leaf(kept) == format_leaf(given)):
        there = f"is {format_leaf(given)}, where {opt.name}.init gives {format_leaf(kept)}"
        raise TypeError(f"{opt.name}.update: {at_path('state', path)} {there}")


def check_state_shapes(opt: Any, expected: Any, state: Any) -> None:
    """Refuse a state of other shapes, after a step has failed; before each step this would take too long."""
    _check_structure(opt, expected, state, same_structure)
    for (path, leaf), other in unequal_leaves(state, expected, np.shape):
        shapes = f"has shape {np.shape(leaf)}, where {opt.name}.init gives {other.shape} for these gradients"
        raise ValueError(f"{opt.name}.update: {at_path('state', path)} {shapes}") from None


def check_new_state(opt: Any, state: Any, new: Any) -> None:
    """Refuse a step of ``Optimizer.update`` that changed the structure of the state."""
    if not same_structure(state, new):
        path, before, after = first_difference((), state, new, same_structure)
        raise ValueError(f"{opt.name}.update: {at_path('state', path)} was {before}, and the step made it {after}")


def _check_structure(opt: Any, expected: Any, state: Any, agree: Callable[[Tree, Tree], bool]) -> None:
    if not agree(expected, state):
        path, there, here = first_difference((), expected, state, agree)
        gives = {"missing": "nothing", "None": "None, as the gradient is"}.get(there, there)
        raise ValueError(
            f"{opt.name}.update: {at_path('state', path)} is {here}, where {opt.name}.init gives {gives}"
        ) from None


def _expected(kept: Any, params: Tree) -> Any:
    """Return the tree that a state should have where the skeleton has this."""
    if not _is_place(kept):
        return kept
    return params if kept.dtype is None else jax.ShapeDtypeStruct(*kept)


def _is_place(x: Any) -> bool:
    return isinstance(x, Place)
