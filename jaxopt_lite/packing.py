"""Many small parameters in one buffer, for a whole training, because a step's cost grows with the number of arrays."""

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

# Buffers have multiples of this length, because arithmetic on an odd length takes 1.6 times as long.
MULTIPLE = 1024
# A copy of more than LARGEST entries costs more than one more array. WORTHWHILE arrays cost a millisecond.
LARGEST, WORTHWHILE = 8192, 100


def pack(params: Tree, label: Any = None, largest: int | None = LARGEST) -> tuple[Packed, Callable[[Tree], Tree]]:
    """Return the parameters end to end in one buffer for each dtype, to be trained there, and `unpack`.

        packed, unpack = pack(params)
        state = opt.init(packed)
        value, grads = jax.value_and_grad(lambda packed: loss(unpack(packed)))(packed)
        updates, state = opt.update(grads, state, packed)

    Use it for models of hundreds of small leaves on a CPU. There, a step costs some microseconds for each array, and
    next to nothing for its entries. `describe` says if it pays. The gradient of packed leaves is copied, so large
    leaves stay as they are. A whole step compiles longer. Any rule for single entries, or for the tree as a whole,
    works unchanged. Rules that look at leaves (lamb, adafactor, muon, …) reject a buffer, and so do `add_noise` and
    `from_optax`. A rule of your own that looks at leaves must declare ``needs=("leaf",)``.

    Unpacked leaves are the same arrays as in ``params``: a donation of ``packed`` deletes them in ``params`` too. With
    ``eps=0`` a rule divides 0 by 0 in the padding; norms of the whole tree will see this NaN.

    Args:
        params: a tree of arrays, each whole on its device. Concrete arrays are joined on the host.
        label: leaves with one label may share a buffer. As in `partition`, a function, patterns by label, or a tree of
            labels; then an optimizer for each group works as on ``params``. A function of path and leaf may return None
            for a leaf that stays as it is. ``label=None``: all leaves of one dtype share a buffer.
        largest: leaves with more entries stay as they are; None: all leaves are packed. A copy of 8192 entries costs as
            much as one array (measured on two cores).

    Returns:
        ``packed``, a tree with the buffers and the unpacked leaves; and `unpack`.

    Raises:
        TypeError: a leaf is no array of floats, or packed already.
        ValueError: a leaf is spread over several devices; an unpacked leaf has the name of another array; or a pattern,
            or a tree of labels, does not fit ``params``.

    Example:
        >>> packed, unpack = pack({"kernel": jnp.ones((3, 2)), "bias": jnp.zeros(2)})
        >>> print(packed)
        Packed({'float32': float32[1024]}, of 2 leaves)
        >>> print(unpack(packed)["bias"])
        [0. 0.]
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
    """Return the tree with packed parameters, or their moments, under their own names and shapes.

    Use it in the loss, to read a state, and to write checkpoints that know nothing of packing: ``unpack(state)``.
    It is differentiable. An array that was not packed is returned as it is.

    Example:
        >>> packed, _ = pack({"kernel": jnp.ones((3, 2)), "bias": jnp.zeros(2)})
        >>> state = adam().init(packed)
        >>> print(unpack(state).m["kernel"].shape)
        (3, 2)
    """
    return unpack_with(tree, _split)


def repack(tree: Tree, like: Tree) -> Tree:
    """Undo `unpack`, as after the read of a checkpoint: ``repack(unpack(state), like=state)``.

    Args:
        tree: the output of `unpack`, or a checkpoint of it.
        like: a tree with packed parts. Only the names, shapes and dtypes of its arrays are read.

    Raises:
        ValueError: ``tree`` has another structure, or leaves of other shapes.

    Example:
        >>> packed, _ = pack({"kernel": jnp.ones((3, 2)), "bias": jnp.zeros(2)})
        >>> print(repack(unpack(packed), like=packed))
        Packed({'float32': float32[1024]}, of 2 leaves)
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
    """Return these leaves in the layout of ``like``."""
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
        # Concrete arrays are joined on the host, because a concatenation of hundreds of arrays compiles for seconds.
        library: Any = jnp if is_traced([x for x, _ in mine]) else np
        flat = [library.asarray(x).reshape(*before, size) for (x, _), size in zip(mine, sizes, strict=True)]
        laid = library.concatenate([*flat, library.zeros((*before, padding), first.dtype)], -1)
        return laid if library is jnp else jax.device_put(laid, sharding)

    return Packed({name: array(name) for name in like.arrays}, like.layout)


def _place(leaves: list[tuple[Any, Leaf]]) -> Any:
    """Return the common sharding of a buffer's committed arrays: replicated, on the same devices."""
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
    """Return a sentence that says if `pack` pays for these parameters.

    A leaf costs some 10 µs a step on top of its entries, on two cores (SGD 5, Adam 13). Packing saves this time. In a
    whole training step, with the gradient's own small operations, it saves up to twice as much.
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
