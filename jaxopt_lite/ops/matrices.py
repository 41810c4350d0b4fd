"""Common parts of rules for matrices: the choice of their leaves, and the axes of a leaf.

A matrix W of shape (fan_in, fan_out) maps rows, y = x W, as flax's and haiku's kernels do. A leaf with more axes is a
stack of matrices; each matrix is stepped by itself. Rules are written for (..., fan_in, fan_out). `on_last_two_axes`
adapts a rule to leaves with other layouts.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.meshes import replicated
from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.tree.packed import reject_packed
from jaxopt_lite.tree.paths import leaves_of, map_with_path, matches, update_by_group
from jaxopt_lite.tree.places import shown
from jaxopt_lite.tree.structure import format_leaf, is_function
from jaxopt_lite.tree.zeros import reduced_zeros

Others = Optimizer | None
Hidden = str | Callable[[str, Any], bool] | None
Axes = int | tuple[int, ...]

# Names of leaves that are no hidden matrices, although they may have two axes. The rows or columns of some stand for
# tokens or classes. Others are the biases and scales of scanned layers and of attention's heads.
NOT_HIDDEN = "*embed*|emb|*_emb|wte|wpe|head|*_head|*logits*|*classifier*|bias|*_bias|scale|*norm*"
# The same for haiku. Only a leaf's own name is compared, because a module may have a name as short.
NOT_HIDDEN_LEAVES = "b|offset"


def split_hidden(name: str, pair: tuple[Any, Any], hidden: Hidden, others: Others) -> tuple[Any, Any]:
    """Return the pair of a rule for hidden matrices, with another optimizer for all other leaves.

    Args:
        name: the name of the rule, for error messages.
        pair: the rule's ``init`` and ``update``, for trees of matrices alone.
        hidden: the choice of hidden matrices: a function ``(path, leaf) -> bool``, or patterns as in ``partition``.
            None: all leaves with two axes or more. Then a matrix with the name of another kind of leaf raises.
        others: the optimizer of all other leaves. None: other leaves raise.

    Raises:
        TypeError: ``hidden`` has another type, or returns something other than a bool.
        ValueError: at ``init`` and ``update``, if a leaf has no optimizer, or no leaf is hidden.
    """
    if not (hidden is None or isinstance(hidden, str) or is_function(hidden)):
        raise TypeError(f"{name}: hidden must be a function of path and leaf, or patterns, not {format_leaf(hidden)}")

    def group_of(path: str, leaf: Any) -> str:
        shape = tuple(leaf.shape)
        if hidden is None:
            chosen = len(shape) > 1
            parts = path.lower().split("/")
            if chosen and (matches(parts[-1], NOT_HIDDEN_LEAVES) or any(matches(part, NOT_HIDDEN) for part in parts)):
                raise ValueError(
                    f"{name}: {path!r} has a name for what is no hidden matrix: say which ones are, by hidden="
                )
        else:
            chosen = matches(path, hidden) if isinstance(hidden, str) else hidden(path, shown(leaf))
            if not isinstance(chosen, bool | np.bool_):
                raise TypeError(f"{name}: hidden must say True or False of {path!r}, not {format_leaf(chosen)}")
            if chosen and len(shape) < 2:
                raise ValueError(f"{name}: {path!r} has shape {shape}, and hidden says that it is a matrix")
        if not chosen and others is None:
            raise ValueError(
                f"{name}: {path!r} has shape {shape} and is no hidden matrix: "
                "say what steps such leaves, by others=adamw()"
            )
        return "hidden" if chosen else "others"

    def groups_of(params):
        groups = map_with_path(group_of, params, name)
        if hidden is not None and "hidden" not in jax.tree.leaves(groups) and jax.tree.leaves(groups):
            raise ValueError(f"{name}: hidden fits no leaf; {leaves_of(params)}")
        return groups

    init, update = pair

    def of_matrices(grads, state, params=None, **_):
        return update(grads, state, params)

    if others is not None:
        return update_by_group({"hidden": (reject_packed(name, init), of_matrices), "others": others}, groups_of)

    def checked(params):
        groups_of(params)
        return reject_packed(name, init)(params)

    return checked, update


def matrix_axes(rank: int, out_axis: int, in_axis: int | None) -> tuple[int, int]:
    """Return the axes of fan_in and fan_out. An ``in_axis`` of None means the other one of the last two axes.

    Raises:
        ValueError: a leaf of this rank has no such axes.
    """
    out, last = out_axis % rank, {rank - 1, rank - 2}
    into = in_axis
    if into is None and out in last:
        (into,) = last - {out}
    if into is None or not {out_axis, into} <= set(range(-rank, rank)) or into % rank == out:
        raise ValueError(f"out_axis is {out_axis}, in_axis is {in_axis}, and a leaf has {rank} axes")
    return into % rank, out


def merged_axes(rank: int, out_axis: Axes, in_axis: Axes | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return all axes of fan_in, and all axes of fan_out; ``in_axis`` and ``out_axis`` may be tuples.

    Raises:
        ValueError: a leaf of this rank has no such axes, or has one on both sides.
    """
    if not isinstance(out_axis, tuple) and not isinstance(in_axis, tuple):
        into, out = matrix_axes(rank, out_axis, in_axis)
        return (into,), (out,)
    ins, outs = (axes if isinstance(axes, tuple) else (axes,) for axes in (in_axis, out_axis))
    given: list[Any] = [*ins, *outs]
    there = set(given) <= set(range(-rank, rank))
    if not (there and ins and outs and len({axis % rank for axis in given}) == len(given)):
        raise ValueError(f"out_axis is {out_axis}, in_axis is {in_axis}, and a leaf has {rank} axes")
    places = [axis % rank for axis in given]
    return tuple(places[: len(ins)]), tuple(places[len(ins) :])


def on_last_two_axes(rule: Callable[..., Any], out_axis: Axes, in_axis: Axes | None) -> Callable[..., Any]:
    """Adapt a rule for (..., fan_in, fan_out) to leaves with other layouts, by transposes before and after it.

    Arrays with as many axes as g are transposed. The rule must keep at least one array beside g, as all these rules do.
    Square arrays of the sides, which stand in tuples, stay replicated, because XLA would shard them like g.
    """

    @functools.wraps(rule)
    def turning(g, *kept, **read):
        if not g.size:
            return g, *kept
        ins, outs = merged_axes(g.ndim, out_axis, in_axis)
        stack = [axis for axis in range(g.ndim) if axis not in {*ins, *outs}]
        order = (*stack, *ins, *outs)

        def side(x):
            return replicated(x, 2) if x.ndim >= g.ndim else x

        def is_turned(x):
            return getattr(x, "ndim", None) == g.ndim

        def there(x):
            if not is_turned(x):
                return x
            x = x.transpose(order)
            # Several axes become one. Otherwise there is no reshape, because on a mesh each reshape needs a sharding.
            sides = x.shape[len(stack) :]
            merged = (math.prod(sides[: len(ins)]), math.prod(sides[len(ins) :]))
            return x if g.ndim == len(stack) + 2 else x.reshape(*x.shape[: len(stack)], *merged)

        def back(x, before):
            if not is_turned(before):
                return x
            x = x if x.ndim == g.ndim else x.reshape([before.shape[axis] for axis in order])
            return x.transpose(np.argsort(order))

        new = rule(*map(there, (g, *kept)), **{name: there(x) for name, x in read.items()})
        new = tuple(map(back, new, (g, *kept)))
        return tuple(jax.tree.map(side, x) if isinstance(x, tuple) else x for x in new)

    return turning


def transposed(x: jax.Array) -> jax.Array:
    """Return the conjugate transpose of each matrix."""
    return jnp.conj(x).mT


def per_output(p: Any, out_axis: Axes, in_axis: Axes | None) -> jax.Array:
    """Return real zeros, one for each output of a matrix; the axes of the inputs have length 1."""
    ins, _ = merged_axes(len(p.shape), out_axis, in_axis)
    return reduced_zeros(p, ins, keepdims=True)


def unit_axes(rank: int, out_axis: int) -> tuple[int, ...] | None:
    """Return the axes of one output's inputs: all but ``out_axis``. None, for all axes, if the leaf is a vector."""
    if rank > 1 and not -rank <= out_axis < rank:
        raise ValueError(f"out_axis is {out_axis}, and a leaf has {rank} axes")
    return tuple(axis for axis in range(rank) if axis != out_axis % rank) if rank > 1 else None
