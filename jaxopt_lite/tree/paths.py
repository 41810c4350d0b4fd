"""Leaves by their paths, such as ``layer/kernel``; groups and factors choose their leaves by path."""

import inspect
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxopt_lite.tree.packed import merge_by_array, unpack_with
from jaxopt_lite.tree.places import shown
from jaxopt_lite.tree.structure import first_difference, format_leaf, is_function, is_prefix
from jaxopt_lite.types import Tree


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape") and hasattr(x, "dtype")


def map_with_path(function: Callable[[str, Any], Any], tree: Tree, caller: str = "packed") -> Tree:
    """Return the tree with ``function(path, leaf)`` at each leaf; an object with a shape and a dtype is a leaf.

    The function gets each packed leaf by itself. It must return the same value for all leaves in one buffer.
    """

    def apply(path: Any, leaf: Any) -> Any:
        return function(jax.tree_util.keystr(path, simple=True, separator="/"), leaf)

    return merge_by_array(caller, jax.tree_util.tree_map_with_path(apply, unpack_with(tree), is_leaf=_is_array), tree)


def matches(path: str, patterns: str) -> bool:
    """Return True if a path fits one of the patterns: Python's fnmatch, with ``|`` between patterns."""
    return any(fnmatchcase(path, one) for one in patterns.split("|"))


def leaves_of(tree: Tree) -> str:
    """List the leaves, for the message that a pattern fits none; hint at functions if paths differ by numbers alone."""
    paths = jax.tree.leaves(map_with_path(lambda path, _: path, unpack_with(tree)))
    names = {tuple(part for part in path.split("/") if not part.isdigit()) for path in paths}
    instead = "; these have no names of their own: a function (path, leaf) tells them apart"
    more = f" and {len(paths) - 12} more" if len(paths) > 12 else ""
    listed = f"the leaves are {', '.join(map(repr, paths[:12]))}{more}"
    return listed + (instead if len(names) == 1 < len(paths) else "")


def by_pattern(values: dict[str, Any], tree: Tree, caller: str) -> Tree:
    """Return the tree with one of the values at each leaf, by the pattern that fits its path.

    A pattern is one or more of Python's fnmatch, with ``|`` between: ``"*bias|*scale"``. The pattern ``"*"`` takes the
    paths that no other pattern fits, so the order does not matter.

    Raises:
        ValueError: no pattern fits a path, or more than one; or a pattern fits nothing.
    """

    def pattern_of(path: str, leaf: Any) -> str:
        fitting = [p for p in values if p != "*" and matches(path, p)]
        fitting = fitting or [p for p in values if p == "*"]
        if len(fitting) != 1:
            found = " and ".join(map(repr, fitting)) or f"none of {', '.join(map(repr, values))}"
            raise ValueError(f"{caller}: {path!r} fits {found}, and must fit one; '*' is for what nothing else fits")
        return fitting[0]

    patterns = map_with_path(pattern_of, tree, caller)
    used = set(jax.tree.leaves(patterns))
    for pattern in values:
        if used and pattern not in used | {"*"}:
            raise ValueError(f"{caller}: {pattern!r} fits no leaf; {leaves_of(tree)}")
    return jax.tree.map(values.__getitem__, patterns)


def takes_tree(label: Callable[..., Any]) -> bool:
    """Return True for a function of all parameters, as in optax, and False for a function of path and leaf."""
    try:
        inspect.signature(label).bind("path", "leaf")
    except TypeError:
        return True
    except ValueError:  # a function written in C may have no signature
        return False
    return False


def check_label(groups: Iterable[Any], label: Any, caller: str = "partition") -> bool:
    """Return True if a label has patterns by group, and False if it is a tree of names; raise if it is wrong.

    Raises:
        TypeError: it names no group, or a pattern is not a string.
        ValueError: it has a name that no group has.
    """
    if groups and not jax.tree.leaves(label):  # without groups, a tree without leaves is valid
        raise TypeError(f"{caller}: label names no group: it is a function, patterns by group, or a tree of names")
    names = set(groups)
    unknown = [
        (path, name)
        for path, name in jax.tree_util.tree_leaves_with_path(label)
        if isinstance(name, jax.Array | np.ndarray) or name not in names
    ]
    if unknown and isinstance(label, dict) and label.keys() <= names:
        for group, pattern in label.items():
            if not isinstance(pattern, str):
                raise TypeError(
                    f"{caller}: label[{group!r}] is {format_leaf(pattern)}, and the patterns of a group are "
                    "one string, as '*bias|*scale'"
                )
        return True
    for path, name in unknown:
        listed = ", ".join(map(str, groups)) or "none"
        raise ValueError(
            f"{caller}: label{jax.tree_util.keystr(path)} is {format_leaf(name)}, and the groups are {listed}"
        )
    return False


def labels(groups: Iterable[Any], label: Any, tree: Tree, caller: str = "partition") -> Tree:
    """Return the tree with the name of each leaf's group in its place; see `partition` for the forms of ``label``.

    Raises:
        TypeError, ValueError: as in `check_label`, also for the output of a function.
        ValueError: a leaf is in no group, or a group has no leaf.
    """
    if not jax.tree.leaves(tree, is_leaf=_is_array):
        return tree
    if is_function(label):
        leaves = jax.tree.map(shown, unpack_with(tree), is_leaf=_is_array)
        label = label(leaves) if takes_tree(label) else map_with_path(label, leaves)
    if check_label(groups, label, caller):
        names = by_pattern({pattern: group for group, pattern in label.items()}, tree, caller)
    elif is_prefix(label, unpack_with(tree)):
        names = jax.tree.map(lambda name, branch: map_with_path(lambda *_: name, branch), label, unpack_with(tree))
        names = merge_by_array(caller, names, tree)
    else:
        keys, here, there = first_difference((), label, unpack_with(tree), is_prefix)
        where = jax.tree_util.keystr(keys)
        raise ValueError(f"{caller}: label{where} is {here}, params{where} is {there}")
    used = set(jax.tree.leaves(names))
    for name in groups:
        if used and name not in used:
            raise ValueError(f"{caller}: group {name!r} has no leaf; {leaves_of(tree)}")
    return names


def select_group(name: str, names: Tree, tree: Tree) -> Tree:
    """Return the leaves of one group, with None in place of all others."""
    return jax.tree.map(lambda group, leaf: leaf if group == name else None, names, tree)


def merge_groups(names: Tree, parts: dict[str, Tree]) -> Tree:
    """Return the whole tree, from the groups in ``parts``."""
    return jax.tree.map(lambda name, *leaves: leaves[list(parts).index(name)], names, *parts.values())


class Groups(NamedTuple):
    """The groups of a pair. ``parts``: the optimizer of each group; None stands for the pair's own rule.

    ``names_of``: a function from parameters to the name of each leaf's group.
    """

    parts: dict[str, Any]
    names_of: Callable[[Tree], Tree]


def groups_of(pair: Any) -> Groups | None:
    """Return the groups of a pair that `update_by_group` has built; None for any other."""
    return getattr(pair[0], "groups", None)


def update_by_group(groups: dict[str, Any], names_of: Callable[[Tree], Tree]) -> tuple[Any, Any]:
    """Build the pair that steps each group of leaves by its own optimizer, or by its own bare pair.

    ``names_of`` returns the group of each leaf. The state is a dict of the groups' states, with None for each leaf of
    another group. `groups_of` returns the optimizers of the groups.
    """
    parts = {name: part if hasattr(part, "unchecked") else None for name, part in groups.items()}
    pairs = {name: getattr(part, "unchecked", part) for name, part in groups.items()}

    def init(params):
        names = names_of(params)
        return {name: init(select_group(name, names, params)) for name, (init, _) in pairs.items()}

    def update(grads, state, params=None, **extra):
        names, updates, new = names_of(grads if params is None else params), {}, {}
        parts = {name: None if params is None else select_group(name, names, params) for name in pairs}
        for name, (_, step) in pairs.items():
            mine = dict(extra)
            if "grad" in extra:
                mine["grad"] = select_group(name, names, extra["grad"])
            if "value_fn" in extra:
                mine["value_fn"] = lambda part, name=name: extra["value_fn"](merge_groups(names, parts | {name: part}))
            updates[name], new[name] = step(select_group(name, names, grads), state[name], parts[name], **mine)
        return merge_groups(names, updates), new

    vars(init)["groups"] = Groups(parts, names_of)
    return init, update
