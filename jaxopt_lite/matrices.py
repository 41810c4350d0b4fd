"""What rules for matrices share: which leaves they are for, along which axes, and the algebra of their steps.

A matrix W of shape (fan_in, fan_out) maps rows, y = x W, as flax's and haiku's kernels do. A leaf with more axes is a
stack of matrices, each of which is stepped by itself. Rules are written for (..., fan_in, fan_out), and `by_matrix`
turns leaves that are laid out otherwise.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.buffers import whole
from jaxopt_lite.meshes import replicated
from jaxopt_lite.norms import length
from jaxopt_lite.paths import fits, in_groups, leaves_of, map_with_path
from jaxopt_lite.places import shown
from jaxopt_lite.protocol import Optimizer
from jaxopt_lite.rules import direction
from jaxopt_lite.trees import describe, is_function, zeros_over

Others = Optimizer | None
Hidden = str | Callable[[str, Any], bool] | None
Method = Literal["newton_schulz", "polar_express"]
Scale = Literal["original", "match_rms_adamw"]

# Names of what is no layer between layers, though it may have two axes: rows or columns that stand for tokens or
# classes, and the biases and scales of scanned layers and of attention's heads.
NOT_HIDDEN = "*embed*|emb|*_emb|wte|wpe|head|*_head|*logits*|*classifier*|bias|*_bias|scale|*norm*"
# The same in haiku, whose names are short enough for a module too.
NOT_HIDDEN_LEAVES = "b|offset"


def routed(name: str, pair: tuple[Any, Any], hidden: Hidden, others: Others) -> tuple[Any, Any]:
    """The pair of a rule for hidden matrices, and of another optimizer for all other leaves.

    Args:
        name: the rule's, for what is said to its user.
        pair: the rule's ``init`` and ``update``, for trees of matrices alone.
        hidden: which leaves are hidden matrices: a function ``(path, leaf) -> bool``, or patterns as ``partition`` has
            them. None: all that have two axes or more, and a matrix whose name says otherwise is refused.
        others: the optimizer of all other leaves; None: there must be none.

    Raises:
        TypeError: ``hidden`` is something else, or gives something other than a bool.
        ValueError: at ``init`` and ``update``, if nobody has been told what to do with a leaf, or nothing is hidden.
    """
    if not (hidden is None or isinstance(hidden, str) or is_function(hidden)):
        raise TypeError(f"{name}: hidden must be a function of path and leaf, or patterns, not {describe(hidden)}")

    def group_of(path: str, leaf: Any) -> str:
        shape = tuple(leaf.shape)
        if hidden is None:
            chosen = len(shape) > 1
            parts = path.lower().split("/")
            if chosen and (fits(parts[-1], NOT_HIDDEN_LEAVES) or any(fits(part, NOT_HIDDEN) for part in parts)):
                raise ValueError(
                    f"{name}: {path!r} has a name for what is no hidden matrix: say which ones are, by hidden="
                )
        else:
            chosen = fits(path, hidden) if isinstance(hidden, str) else hidden(path, shown(leaf))
            if not isinstance(chosen, bool | np.bool_):
                raise TypeError(f"{name}: hidden must say True or False of {path!r}, not {describe(chosen)}")
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
        return in_groups({"hidden": (whole(name, init), of_matrices), "others": others}, groups_of)

    def checked(params):
        groups_of(params)
        return whole(name, init)(params)

    return checked, update


def matrix_axes(rank: int, out_axis: int, in_axis: int | None) -> tuple[int, int]:
    """The axes of fan_in and fan_out; where ``in_axis`` is None, that of the last two which is not ``out_axis``.

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


def by_matrix(rule: Callable[..., Any], out_axis: int, in_axis: int | None) -> Callable[..., Any]:
    """A rule for (..., fan_in, fan_out), for leaves with other axes: what has as many axes as g is turned.

    The rule keeps at least one thing beside g, as all of these do. Squares of sides, which stand in tuples, stay
    replicated, as they begin: XLA would divide them as g is divided.
    """

    @functools.wraps(rule)
    def turning(g, *kept, **read):
        if not g.size:
            return g, *kept
        axes, last = matrix_axes(g.ndim, out_axis, in_axis), (-2, -1)

        def side(x):
            return replicated(x, 2) if x.ndim >= g.ndim else x

        def turned(values, there, back):
            return [jnp.moveaxis(x, there, back) if getattr(x, "ndim", None) == g.ndim else x for x in values]

        by_name = dict(zip(read, turned(read.values(), axes, last), strict=True))
        new = turned(rule(*turned((g, *kept), axes, last), **by_name), last, axes)
        return tuple(jax.tree.map(side, x) if isinstance(x, tuple) else x for x in new)

    return turning


def transposed(x: jax.Array) -> jax.Array:
    """The conjugate transpose of each matrix."""
    return jnp.conj(x).mT


MARGIN = {"newton_schulz": 1.0, "polar_express": 1.02}
COEFFICIENTS = {
    "newton_schulz": ((3.4445, -4.7750, 2.0315),),
    "polar_express": (
        (8.15655, -22.4833, 15.8788),
        (4.04293, -2.80892, 0.500018),
        (3.89167, -2.77248, 0.506065),
        (3.28575, -2.36813, 0.464490),
        (2.34654, -1.70978, 0.423236),
    ),
}


def orthogonal(x: jax.Array, method: Method, steps: int, bfloat16: bool = False) -> jax.Array:
    """Each matrix with its singular values near 1, and its singular vectors as they are; 0 stays 0.

        X ← x / (margin ‖x‖)
        X ← a X + (b A + c A A) X      A = X Xᴴ of the wide orientation; ``steps`` times

    Args:
        x: a stack of matrices.
        method: "newton_schulz" has the same a, b, c in each step, and brings what is above 0.003 of the norm into
            [0.68, 1.20] in five; "polar_express" has better ones for each step, the last again and again: [0.86, 1.14].
        steps: how many.
        bfloat16: multiply in bfloat16 and add up in float32: faster only where the processor has products of it.

    Source: Jordan et al. (2024), kellerjordan.github.io/posts/muon; Amsel et al. (2025), arXiv:2505.16932.
    """

    def product(a, b):
        if bfloat16 and not jnp.iscomplexobj(a):  # which has no such format
            return jnp.matmul(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), preferred_element_type=jnp.float32)
        return a @ b

    tall = x.shape[-2] > x.shape[-1]
    x = transposed(x) if tall else x
    x = direction(x, MARGIN[method] * length(x))
    each_step = COEFFICIENTS[method]
    for a, b, c in (each_step + each_step[-1:] * steps)[:steps]:
        gram = product(x, transposed(x))
        x = a * x + product(b * gram + c * product(gram, gram), x)
    return transposed(x) if tall else x


def relative_scale(shape: tuple[int, ...], scale: Scale) -> float:
    """What an orthogonal matrix is multiplied by: a rule of thumb for how lr should depend on the shape."""
    fan_in, fan_out = shape[-2:]
    factor: float = max(1, fan_out / fan_in) ** 0.5 if scale == "original" else 0.2 * max(fan_in, fan_out) ** 0.5
    return factor


def per_output(p: Any, out_axis: int, in_axis: int | None) -> jax.Array:
    """Real zeros for what is kept of each output of a matrix, with an axis of 1 in place of the inputs."""
    axis, _ = matrix_axes(len(p.shape), out_axis, in_axis)
    return zeros_over(p, axis, keepdims=True)
