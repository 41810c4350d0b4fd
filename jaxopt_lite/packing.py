"""Many small parameters in one buffer, for the whole of a training: what costs is the number of arrays."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from jaxopt_lite.core.arguments import checked_number
from jaxopt_lite.core.checks import check_arrays, check_floats
from jaxopt_lite.core.hyperparameters import STEP
from jaxopt_lite.tree.packed import Layout, Leaf, Packed, is_packed, leaf_shapes, packed_in, unpack_with
from jaxopt_lite.tree.paths import labels, map_with_path, takes_tree
from jaxopt_lite.tree.structure import first_difference, format_leaf, is_function, is_prefix, is_traced, same_structure
from jaxopt_lite.types import Tree

# A buffer of an odd length is gone through 1.6 times as slowly.
MULTIPLE = 1024
# To copy more entries than this takes as long as one array more; and so many arrays cost a millisecond.
LARGEST, WORTHWHILE = 8192, 100


def pack(params: Tree, label: Any = None, largest: int | None = LARGEST) -> tuple[Packed, Callable[[Tree], Tree]]:
    """Lay parameters end to end, in one buffer for each dtype, to be trained as they lie there.

        packed, unpack = pack(params)
        state = opt.init(packed)
        value, grads = jax.value_and_grad(lambda packed: loss(unpack(packed)))(packed)
        updates, state = opt.update(grads, state, packed)

    Use it for models of hundreds of small leaves on a CPU. There, each array costs some microseconds a step, and its
    entries next to nothing. `describe` says whether it pays. Gradients of packed leaves are copied, so large leaves
    stay as they are. A whole step compiles longer. Any rule that treats each entry by itself, or the tree as a whole,
    works unchanged; those that look at leaves (lamb, adafactor, muon, …) refuse a buffer, and so do `add_noise` and
    `from_optax`. A rule of your own that looks at leaves must say so: ``needs=("leaf",)``.

    Leaves that stay are the same arrays as in ``params``: what donates ``packed`` takes them from there too. With
    ``eps=0`` a rule divides 0 by 0 in the padding, which whole-tree norms will see.

    Args:
        params: a tree of arrays, each whole on its device. Concrete ones are laid together on the host.
        label: which leaves may share a buffer: those of one label. As in `partition`, a function, patterns by label, or
            a tree of labels; an optimizer for each group then works as it does on ``params``. A function of path and
            leaf may give None for what is to stay as it is. None alone: all of one dtype.
        largest: leaves of more entries than this stay as they are; None: all are packed. At 8192 a copy costs what an
            array does (measured on two cores).

    Returns:
        ``packed``, a tree with the buffers and with what was left out; and `unpack`.

    Raises:
        TypeError: a leaf is no array of floats, or packed already.
        ValueError: a leaf is spread over several devices, or stays and has the name of another array; or a pattern, or
            a tree of labels, does not fit ``params``.

    Example:
        >>> packed, unpack_packed = pack({"a": jnp.ones(3), "b": jnp.ones((2, 2))})
        >>> print(jax.tree.map(jnp.shape, packed))
        Packed({'float32': a tuple}, of 2 leaves)
        >>> print(jax.tree.map(jnp.shape, unpack_packed(packed)))
        {'a': (3,), 'b': (2, 2)}
    """
    largest = checked_number("pack: largest", largest, STEP._replace(none=True))
    check_arrays("pack", params=params)
    check_floats("pack", params=params)
    if packed_in(params):
        raise TypeError("pack: params are packed already")
    params = jax.tree.map(lambda p: p if hasattr(p, "dtype") else jnp.asarray(p), params)
    paths = jax.tree.leaves(map_with_path(lambda path, _: path, params))
    treedef: Any
    flat, treedef = jax.tree.flatten(params)
    leaves, kept = [], {}
    for path, p, name in zip(paths, flat, treedef.flatten_up_to(_labels(label, params)), strict=True):
        if name is None or (largest is not None and p.size > largest):
            kept[path] = p
            leaves.append(Leaf(path, path, p.shape))
        else:
            dtype = jnp.result_type(p).name
            leaves.append(Leaf(path, dtype if label is None else f"{name}/{dtype}", p.shape))
    arrays = Counter(leaf.array for leaf in leaves)
    for name in kept:
        if arrays[name] > 1:
            raise ValueError(f"pack: {name!r} is the path of a leaf, and the name of another array as well: rename it")
    layout = Layout(treedef, tuple(leaves), frozenset(arrays.keys() - kept.keys()))
    like = Packed({name: kept.get(name) for name in arrays}, layout)
    return _laid_out(flat, like), unpack


def unpack(tree: Tree) -> Tree:
    """Return the tree with parameters, and moments of theirs, under their own names and shapes.

    Use it in the loss, to read a state, and to write checkpoints that know nothing of packing: ``unpack(state)``.
    Differentiable; what was not packed comes out as the same array.

    Example:
        >>> packed, _ = pack({"a": jnp.ones(3), "b": jnp.zeros(2)})
        >>> print(unpack(adam().init(packed)).m)
        {'a': Array([0., 0., 0.], dtype=float32), 'b': Array([0., 0.], dtype=float32)}
    """
    return unpack_with(tree, _split)


def repack(tree: Tree, like: Tree) -> Tree:
    """Undo `unpack`: ``repack(unpack(state), like=state)``, as after a checkpoint has been read.

    Args:
        tree: what `unpack` gave, or what was read in its place.
        like: a tree with packed parts; of its arrays only names, shapes and dtypes are looked at.

    Raises:
        ValueError: ``tree`` has another structure, or leaves of other shapes.

    Example:
        >>> packed, _ = pack({"a": jnp.ones(3), "b": jnp.zeros(2)})
        >>> state = adam().init(packed)
        >>> again = repack(unpack(state), like=state)
        >>> print(jax.tree.structure(again) == jax.tree.structure(state))
        True
    """
    expected = unpack_with(like)
    if not same_structure(tree, expected):
        path, here, there = first_difference((), tree, expected, same_structure)
        raise ValueError(f"repack: tree{jax.tree_util.keystr(path)} is {here}, where like has {there}")
    for (path, x), form in zip(jax.tree_util.tree_leaves_with_path(tree), jax.tree.leaves(expected), strict=True):
        if format_leaf(x) != format_leaf(form):
            raise ValueError(
                f"repack: tree{jax.tree_util.keystr(path)} is {format_leaf(x)}, where like has {format_leaf(form)}"
            )

    def packed(x: Any, part: Tree) -> Any:
        return _laid_out(x.layout.treedef.flatten_up_to(part), x) if is_packed(x) else part

    return jax.tree.map(packed, like, tree, is_leaf=is_packed)


def _labels(label: Any, params: Tree) -> Tree:
    if label is None:
        return jax.tree.map(lambda _: "", params)
    if is_function(label):
        if not takes_tree(label):
            return map_with_path(label, params)
        label = label(params)
    if isinstance(label, dict) and not is_prefix(label, params):
        groups = list(label)
    else:
        groups = list(dict.fromkeys(name for name in jax.tree.leaves(label) if not hasattr(name, "shape")))
    return labels(groups, label, params, caller="pack")


def _laid_out(leaves: list[Any], like: Packed) -> Packed:
    """Return these leaves in buffers, as ``like`` has them."""
    by_array: dict[str, list[tuple[Any, Leaf]]] = {}
    for x, leaf in zip(leaves, like.layout.leaves, strict=True):
        by_array.setdefault(leaf.array, []).append((x, leaf))

    def array(name: str) -> Any:
        mine = by_array[name]
        first, leaf = mine[0]
        if name not in like.layout.buffers or first is None:
            return first
        before = first.shape[: first.ndim - len(leaf.shape)]
        sizes = [math.prod(leaf.shape) for _, leaf in mine]
        padding = -sum(sizes) % MULTIPLE
        if isinstance(first, jax.ShapeDtypeStruct):
            return jax.ShapeDtypeStruct((*before, sum(sizes) + padding), first.dtype)
        sharding = _place(mine)
        # On the host: compiling a concatenation of hundreds of arrays takes seconds.
        library: Any = jnp if is_traced([x for x, _ in mine]) else np
        flat = [library.asarray(x).reshape(*before, size) for (x, _), size in zip(mine, sizes, strict=True)]
        laid = library.concatenate([*flat, library.zeros((*before, padding), first.dtype)], -1)
        return laid if library is jnp else jax.device_put(laid, sharding)

    return Packed({name: array(name) for name in like.arrays}, like.layout)


def _place(leaves: list[tuple[Any, Leaf]]) -> Any:
    """Return the place of arrays that were put somewhere: all of a buffer, replicated, on the same devices."""
    place, first = None, None
    for x, leaf in leaves:
        if isinstance(x, jax.core.Tracer) or not getattr(x, "committed", False):
            continue
        if not x.sharding.is_fully_replicated:
            devices = len(x.sharding.device_set)
            raise ValueError(f"pack: {leaf.path!r} is spread over {devices} devices, and a buffer is whole")
        mesh = getattr(x.sharding, "mesh", None)
        here = x.sharding if mesh is None else NamedSharding(mesh, PartitionSpec())
        if place is not None and here.device_set != place.device_set:
            raise ValueError(f"pack: {first!r} and {leaf.path!r} are on different devices, and a buffer is on the same")
        place, first = here, leaf.path
    return place


def _split(x: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    if x is None or isinstance(x, jax.ShapeDtypeStruct):
        return leaf_shapes(x, shapes)
    sizes = [math.prod(shape) for shape in shapes]
    if jnp.ndim(x) == 0 or x.shape[-1] < sum(sizes):
        raise ValueError(
            f"unpack: {format_leaf(x)} is kept of a buffer of {sum(sizes)} entries: its rule looks at leaves"
        )
    parts = jax.lax.split(x, [*sizes, x.shape[-1] - sum(sizes)], x.ndim - 1)
    return [part.reshape(*x.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=False)]


def advice(params: Tree) -> str:
    """Return a sentence that says whether `pack` pays for parameters.

    A leaf costs some 10 µs a step on two cores on top of its entries (SGD 5, Adam 13). Packing saves this. Of a whole
    training step, with the gradient's own small operations, it saves up to twice as much.
    """
    leaves = jax.tree.leaves(unpack_with(params))
    if layouts := [x.layout for x in packed_in(params)]:
        packed = sum(leaf.array in layout.buffers for layout in layouts for leaf in layout.leaves)
        buffers = sum(len(layout.buffers) for layout in layouts)
        return f"{packed} of {len(leaves)} leaves are packed in {buffers} buffers."
    small = sum(math.prod(leaf.shape) <= LARGEST for leaf in leaves)
    share = f"{small} of {len(leaves)} leaves have at most {LARGEST} entries"
    if small < WORTHWHILE:
        return f"{share}: pack(params) would not pay."
    return f"{share}: on a CPU, pack(params) would save some {0.01 * small:.0f} ms a step, and compile longer."
