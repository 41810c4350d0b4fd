"""Trees whose leaves lie together in few buffers, and tools for functions that look at single leaves."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxopt_lite.tree.structure import format_leaf, is_traced
from jaxopt_lite.types import Tree


class Leaf(NamedTuple):
    """A parameter. ``path``: its path. ``array``: the name of the array that holds it. ``shape``: its shape."""

    path: str
    array: str
    shape: tuple[int, ...]


class Layout:
    """The array of each parameter, in order: a constant of compiled programs, equal if its parts are equal."""

    treedef: Any
    leaves: tuple[Leaf, ...]
    buffers: frozenset[str]

    def __init__(self, treedef: Any, leaves: tuple[Leaf, ...], buffers: frozenset[str]) -> None:
        self.treedef, self.leaves, self.buffers = treedef, leaves, buffers

    def __hash__(self) -> int:
        return hash((self.treedef, self.leaves))

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Layout):
            return self is other
        return (self.treedef, self.leaves, self.buffers) == (other.treedef, other.leaves, other.buffers)

    def __repr__(self) -> str:
        return f"Layout({len(self.leaves)} leaves)"

    @functools.cached_property
    def shapes(self) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of the parameters in each array, in their order there."""
        shapes: dict[str, list[tuple[int, ...]]] = {}
        for leaf in self.leaves:
            shapes.setdefault(leaf.array, []).append(leaf.shape)
        return shapes


@jax.tree_util.register_pytree_with_keys_class
class Packed:
    """Parameters, or their moments, in few arrays: a pytree whose leaves are these arrays, by name.

    ``arrays``: one buffer for each dtype and label, and the unpacked leaves, by their paths. The length of a buffer is
    a multiple of 1024, with zeros at the end. In a state, arrays may have further axes before those of the parameters.
    ``layout``: the place of each leaf.
    """

    arrays: dict[str, Any]
    layout: Layout

    def __init__(self, arrays: dict[str, Any], layout: Layout) -> None:
        self.arrays, self.layout = arrays, layout

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], Any]:
        """Return the arrays with their names, and the static rest, for JAX."""
        return tuple((jax.tree_util.DictKey(name), x) for name, x in self.arrays.items()), (*self.arrays, self.layout)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], arrays: Any) -> "Packed":
        """Build the node from its parts, for JAX."""
        *names, layout = static
        return cls(dict(zip(names, arrays, strict=True)), layout)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name!r}: {format_leaf(x)}" for name, x in self.arrays.items())
        return f"Packed({{{arrays}}}, of {len(self.layout.leaves)} leaves)"

    def opened(self, split: Callable[[Any, list[tuple[int, ...]]], Any]) -> Tree:
        """Return the tree in its original structure; ``split`` gives the leaves of each buffer, for their shapes."""
        buffers, shapes = self.layout.buffers, self.layout.shapes
        parts = {name: iter(split(x, shapes[name]) if name in buffers else [x]) for name, x in self.arrays.items()}
        return self.layout.treedef.unflatten([next(parts[leaf.array]) for leaf in self.layout.leaves])


def is_packed(x: Any) -> bool:
    """Return True for a node of class `Packed`."""
    return isinstance(x, Packed)


def packed_in(tree: Tree) -> list[Packed]:
    """Return the nodes of the tree that are `Packed`."""
    return list(filter(is_packed, jax.tree.leaves(tree, is_leaf=is_packed)))


def leaf_shapes(x: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Return the shapes of the leaves in a buffer, without entries; an object that is no array is repeated."""
    if not hasattr(x, "dtype"):
        return [x] * len(shapes)
    return [jax.ShapeDtypeStruct((*(x.shape or ())[:-1], *shape), x.dtype) for shape in shapes]


def unpack_with(tree: Tree, split: Callable[[Any, list[tuple[int, ...]]], Any] = leaf_shapes) -> Tree:
    """Return the tree in its original structure; ``split`` gives the leaves of each buffer."""
    if not packed_in(tree):
        return tree
    return jax.tree.map(lambda x: x.opened(split) if is_packed(x) else x, tree, is_leaf=is_packed)


def merge_by_array(caller: str, values: Tree, like: Tree) -> Tree:
    """Return a value for each array of ``like``, from a value for each of its unpacked leaves.

    Raises:
        ValueError: leaves in one buffer have different values.
    """

    def of_arrays(x: Any, part: Tree) -> Any:
        if not is_packed(x):
            return part
        firsts: dict[str, tuple[str, Any]] = {}
        for leaf, value in zip(x.layout.leaves, x.layout.treedef.flatten_up_to(part), strict=True):
            path, first = firsts.setdefault(leaf.array, (leaf.path, value))
            if value is not first and (is_traced((value, first)) or not np.all(value == first)):
                raise ValueError(
                    f"{caller}: {path!r} is given {first!r}, {leaf.path!r} is given {value!r}, and they are packed in "
                    "one buffer: pack(params, label) packs by label"
                )
        return Packed({name: firsts[name][1] for name in x.arrays}, x.layout)

    return jax.tree.map(of_arrays, like, values, is_leaf=is_packed) if packed_in(like) else values


def reject_packed(name: str, init: Callable[[Tree], Any]) -> Callable[[Tree], Any]:
    """Return the ``init`` of a rule that looks at single leaves: it raises for parameters in a buffer."""

    def checked(params: Tree) -> Any:
        for x in packed_in(params):
            for array in x.layout.buffers:
                if x.arrays[array] is not None:
                    raise ValueError(
                        f"{name}: {array!r} is a buffer of {len(x.layout.shapes[array])} packed parameters, and this "
                        "needs each by itself: pack(params, label) leaves out what label gives None for"
                    )
        return init(params)

    return checked
