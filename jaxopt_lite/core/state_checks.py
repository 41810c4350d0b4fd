"""Checks of the form of a state, against the form that ``init`` would give, without any arrays."""

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

# Errors of an ``init`` that cannot run on a `Place` instead of parameters.
INIT_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def skeleton_of(opt: Any, updates: Tree, state: Any) -> Any:
    """Return a state as ``init`` makes it, with a `Place` for each tree of moments.

    Most rules copy the structure of the parameters once for each moment, and look no further.
    So ``init`` runs on one `Place` for all parameters, and each moment appears in the state as this place.
    This takes no time, however many parameters there are, and makes no arrays.

    An ``init`` that looks at paths or shapes fails on one place. It runs again on one place for each parameter.
    An ``init`` that needs arrays fails on these as well. Then ``state`` itself is returned.
    """
    for places in (Place, lambda: jax.tree.map(lambda x: Place(jnp.shape(x), dtype_or_type(x)), updates)):
        try:
            return jax.eval_shape(opt.unchecked.init, places())
        except INIT_ERRORS:
            continue
    return state


def check_state(opt: Any, skeleton: Any, params: Tree, state: Any) -> Any:
    """Return the state in the structure that ``init`` gives; raise if it has another form.

    Floats of any width are valid, because some trainers cast a whole state at once.
    A container that keeps states by name, as ``nnx.Optimizer`` does, returns a mapping for a tuple.
    This matters where a parameter has several arrays in the state: these leaves are then matched by name.
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
        # ``init`` runs on the parameters only now, because it takes time; a number may have the parameters' dtype.
        exact = treedef.flatten_up_to(jax.eval_shape(opt.unchecked.init, params))
        for path, k in numbers:
            _check_number(opt, path, exact[k], parts[k])
    return state if alike else _by_name(opt, params, state)


def _by_name(opt: Any, params: Tree, state: Any) -> Any:
    try:
        named = restructure_by_name(state, jax.eval_shape(opt.unchecked.init, params))
    except INIT_ERRORS:  # ``init`` reads values
        return state
    return state if named is None else named


def _check_number(opt: Any, path: Any, kept: Any, given: Any) -> None:
    floats = all(jnp.issubdtype(dtype_or_type(x), jnp.floating) for x in (kept, given))
    if not (np.shape(kept) == np.shape(given) if floats else format_leaf(kept) == format_leaf(given)):
        there = f"is {format_leaf(given)}, where {opt.name}.init gives {format_leaf(kept)}"
        raise TypeError(f"{opt.name}.update: {at_path('state', path)} {there}")


def check_state_shapes(opt: Any, expected: Any, state: Any) -> None:
    """Raise for a state of wrong structure or shapes. It runs after a failed step alone, because it takes time."""
    _check_structure(opt, expected, state, same_structure)
    for (path, leaf), other in unequal_leaves(state, expected, np.shape):
        shapes = f"has shape {np.shape(leaf)}, where {opt.name}.init gives {other.shape} for these gradients"
        raise ValueError(f"{opt.name}.update: {at_path('state', path)} {shapes}") from None


def check_new_state(opt: Any, state: Any, new: Any) -> None:
    """Raise if a step of ``Optimizer.update`` changed the structure of the state."""
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
    """Return the part of the state that belongs in the place of this part of the skeleton."""
    if not _is_place(kept):
        return kept
    return params if kept.dtype is None else jax.ShapeDtypeStruct(*kept)


def _is_place(x: Any) -> bool:
    return isinstance(x, Place)
