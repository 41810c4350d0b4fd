"""Trees of arrays: copies and sums, None in place of leaves, and the first difference between two trees."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.tree.dtypes import cast, to_compute_dtype
from jaxopt_lite.types import Tree


def is_traced(tree: Tree) -> bool:
    """Return True if any array of the tree is a tracer, as under ``jit``, ``vmap`` or ``grad``."""
    return any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(tree))


def copy(params: Tree) -> Tree:
    """Return a copy of the parameters, sharded alike, in the dtype for arithmetic on them."""
    return jax.tree.map(lambda p: jnp.array(to_compute_dtype(p), copy=True), params)


def add_updates(params: Tree, updates: Tree) -> Tree:
    """Return ``params + updates`` in the dtypes of ``params``, as `apply_updates` will."""

    def total(p: jax.Array, u: jax.Array) -> jax.Array:
        a, b = to_compute_dtype(p), to_compute_dtype(u)
        # lax.add replaces + here, because + traces its promotion of dtypes, which is slow for thousands of leaves.
        return cast(jax.lax.add(a, b) if a.dtype == b.dtype else a + b, jnp.result_type(p))

    return jax.tree.map(total, params, updates)


def params_with_gradient(grads: Tree, params: Tree) -> Tree:
    """Return the parameters that have a gradient, with None for all other leaves, as in equinox's models.

    If all have a gradient, or if the trees do not match, the result is ``params`` itself.
    """
    if grads is None or params is None or not any(x is None for x in jax.tree.leaves(grads, is_leaf=_is_none)):
        return params
    try:
        return jax.tree.map(lambda g, p: None if g is None else p, grads, params, is_leaf=_is_none)
    except ValueError:
        return params


def as_arrays(tree: Tree) -> Tree:
    """Return the tree with each Python float or complex number as an array, as ``jit`` does."""
    return jax.tree.map(lambda x: jnp.asarray(x) if type(x) in {float, complex} else x, tree)


def fill_none(tree: Tree, like: Tree) -> Tree:
    """Return the tree with each None replaced by the subtree of ``like`` in its place."""
    return jax.tree.map(lambda x, y: y if x is None else x, tree, like, is_leaf=_is_none)


def is_function(x: Any) -> bool:
    """Return True for a function, and False for a tree, even for a callable tree (a module of equinox).

    A function is a leaf to JAX, or has no leaves, or is a ``jax.tree_util.Partial``.
    """
    if not callable(x):
        return False
    leaves = jax.tree.leaves(x)
    return not leaves or leaves[0] is x or isinstance(x, jax.tree_util.Partial)


def functions_among(keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of an update that are functions; a ``value_fn`` may be a callable tree as well."""
    return {name: x for name, x in keywords.items() if (callable(x) if name == "value_fn" else is_function(x))}


def _is_none(x: Any) -> bool:
    return x is None


def difference(a: Tree, b: Tree) -> Tree:
    """Return ``a - b``, in at least float32."""
    return jax.tree.map(lambda x, y: to_compute_dtype(x) - to_compute_dtype(y), a, b)


def all_finite(tree: Tree) -> jax.Array:
    """Return True if no array of the tree holds an infinity or a NaN, as a boolean scalar."""
    return jnp.all(jnp.asarray([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(tree)], bool))


def same_structure(a: Tree, b: Tree) -> bool:
    """Return True if two trees have the same containers, keys and places of None."""
    ours: Any = jax.tree.structure(a)
    return bool(ours == jax.tree.structure(b))


def is_prefix(a: Tree, b: Tree) -> bool:
    """Return True if ``b`` has the structure of ``a``, with any subtrees in place of the leaves of ``a``."""
    try:
        jax.tree.structure(a).flatten_up_to(b)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    return True


def restructure_by_name(tree: Tree, like: Tree) -> Tree | None:
    """Return the tree in the structure of ``like``, matched by names; None if names differ or structures agree.

    A container that keeps states by name, as ``nnx.Optimizer`` does, returns a mapping for a tuple.
    """
    ours, theirs = (
        {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}
        for leaves in map(jax.tree_util.tree_leaves_with_path, (tree, like))
    )
    if same_structure(tree, like) or ours.keys() != theirs.keys():
        return None
    return jax.tree.unflatten(jax.tree.structure(like), [ours[name] for name in theirs])


def first_difference(path: Any, a: Tree, b: Tree, agree: Callable[[Tree, Tree], bool]) -> tuple[Any, str, str]:
    """Return the path of the first difference between two trees, and a description of either side."""
    if type(a) is type(b):
        ours, theirs = _children(a), _children(b)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            if key not in ours or key not in theirs:
                here, there = ("missing" if key not in c else format_leaf(c[key]) for c in (ours, theirs))
                return (*path, key), here, there
            if not agree(ours[key], theirs[key]):
                return first_difference((*path, key), ours[key], theirs[key], agree)
        return path, format_leaf(a), f"{format_leaf(b)} with other static fields"
    return path, format_leaf(a), format_leaf(b)


def _children(tree: Tree) -> dict[Any, Tree]:
    """Return the children of a container, by key."""
    children, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda x: x is not tree)
    return {key: child for (key,), child in children}


def format_leaf(x: Any) -> str:
    """Return a description of a leaf or container: ``float32[3]``, ``None``, ``a list``, ``the function tanh``."""
    if hasattr(x, "shape"):
        return f"{'float0' if x.dtype == jax.dtypes.float0 else x.dtype}{list(x.shape)}"
    if x is None or isinstance(x, int | float | complex | str):
        return repr(x)
    if hasattr(x, "__name__"):
        return f"the function {x.__name__}"
    if hasattr(x, "type_label"):
        return f"the {x.type_label.split()[-1]} {x.name}"
    noun = type(x).__name__
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def unequal_leaves(tree: Tree, like: Tree, of: Callable[[Any], Any]) -> list[Any]:
    """Return the pairs of leaves for which ``of`` differs; the first leaf of a pair has its path beside it."""
    ours, theirs = jax.tree.leaves(tree), jax.tree.leaves(like)
    if list(map(of, ours)) == list(map(of, theirs)):
        return []  # the usual case, because paths take time
    pairs = zip(jax.tree_util.tree_leaves_with_path(tree), theirs, strict=True)
    return [(with_path, other) for with_path, other in pairs if of(with_path[1]) != of(other)]


def dtype_or_type(leaf: Any) -> Any:
    """Return the dtype of an array, and the type of anything else."""
    return getattr(leaf, "dtype", type(leaf))


def at_path(name: str, path: Any) -> str:
    """Return the place of a leaf, as Python writes it: ``params['w']``."""
    return name + jax.tree_util.keystr(path)
