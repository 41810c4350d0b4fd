"""Trees of arrays: how a state is born from the parameters, and where two trees differ."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters.partial_eval import DynamicJaxprTracer
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxopt_lite.numerics import Scalar, at_least_float32, cast, load

Tree = Any


# Zeros of up to so many bytes are made on the host, and handed over at once: an operation each takes ten times as long.
SMALL = 2**20


def zeros_like(params: Tree, *, real: bool = False) -> Tree:
    """Zeros of each parameter's shape and sharding, in the dtype that arithmetic on it is done in.

    Args:
        params: a tree of arrays, of ``jax.ShapeDtypeStruct``, or of nothing.
        real: make complex leaves real, as a second moment |g|² is.

    Returns:
        A tree of the same structure: float32 for float16, bfloat16 and float32; float64 for float64; complex stays
        complex unless ``real``. No leaf shares memory with another or with a parameter.
    """

    def zeros(p: Any) -> Any:
        dtype = at_least_float32(jnp.result_type(p))
        if real and jnp.issubdtype(dtype, jnp.complexfloating):
            dtype = jnp.finfo(dtype).dtype
        if isinstance(p, jax.core.Tracer):
            # Under jit a constant has no sharding and lands whole on one device. This one is 0 as well, but the
            # compiler cannot know it without looking at p, and so lays it out as p is laid out.
            return jnp.minimum(jnp.isfinite(p).astype(jnp.int8), 0).astype(dtype)
        if isinstance(p, jax.Array) and p.is_fully_addressable and p.size * dtype.itemsize <= SMALL:
            return np.zeros(p.shape, dtype)
        return jnp.zeros_like(p, dtype=dtype)

    treedef: Any
    leaves, treedef = jax.tree.flatten(params)
    out = [zeros(p) for p in leaves]
    hosted = {i: x for i, x in enumerate(out) if isinstance(x, np.ndarray)}
    places = [leaves[i].sharding if leaves[i].committed else None for i in hosted]
    for i, x in zip(hosted, jax.device_put(list(hosted.values()), places), strict=True):
        out[i] = x
    return treedef.unflatten(out)


def zero_steps(params: Tree) -> jax.Array:
    """The step counter at its start: an int32 0 on the devices of ``params``, on every device of their mesh.

    A counter left on the default device would make the second step on a mesh compile anew.
    """
    return zeros_beside(params, (), jnp.int32)


def zeros_beside(params: Tree, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Zeros of any shape on the devices of ``params``, whole on every device of their mesh."""
    leaf = next((p for p in jax.tree.leaves(params) if not isinstance(p, jax.core.Tracer)), None)
    sharding = getattr(leaf, "sharding", None)
    if isinstance(sharding, NamedSharding):
        sharding = along(sharding, [None] * len(shape))
    elif not getattr(leaf, "committed", True):
        sharding = None
    return jnp.zeros(shape, dtype, device=sharding)


def number_beside(params: Tree, value: Scalar = 0.0) -> jax.Array:
    """A number in the dtype that ``norm(params)`` has, on the devices of ``params``."""
    dtypes = [jnp.finfo(at_least_float32(jnp.result_type(p))).dtype for p in jax.tree.leaves(params)]
    dtype = jnp.result_type(*dtypes) if dtypes else jnp.result_type(float)
    return zeros_beside(params, (), dtype) + jnp.asarray(value, dtype)


def zeros_over(p: Any, axes: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> jax.Array:
    """Real zeros for what is kept of one parameter over some axes, or all: shaped and sharded as its mean there is."""

    def over(p: Any) -> jax.Array:
        return jnp.max(zeros_like(p, real=True), axes, keepdims=keepdims, initial=0)

    if isinstance(p, jax.core.Tracer):
        return over(p)
    form, sharding = jax.eval_shape(over, p), getattr(p, "sharding", None)
    if not isinstance(sharding, NamedSharding):
        return zeros_beside(p, form.shape, form.dtype)
    given = (axes,) if isinstance(axes, int) else axes
    gone = range(p.ndim) if given is None else [axis % p.ndim for axis in given]
    left = [None if axis in gone else axis for axis in range(p.ndim) if keepdims or axis not in gone]
    return jnp.zeros(form.shape, form.dtype, device=along(sharding, left))


def along(sharding: NamedSharding, axes: Sequence[int | None]) -> NamedSharding:
    """The sharding of an array whose axes are these of a sharded one's; None is one that is whole everywhere."""
    spec = [None if axis is None or axis >= len(sharding.spec) else sharding.spec[axis] for axis in axes]
    # JAX writes the axes that are whole, at the end, of explicit axes alone; another way compiles a step anew.
    while spec and spec[-1] is None and AxisType.Explicit not in sharding.mesh.axis_types:
        spec.pop()
    return NamedSharding(sharding.mesh, PartitionSpec(*spec))


def is_traced(tree: Tree) -> bool:
    """Whether any array of the tree has no value yet: a program is being made, or it is mapped or differentiated."""
    return any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(tree))


def is_staged(tree: Tree) -> bool:
    """Whether a program is being made with an array of the tree, so that a program within it would gain nothing."""
    return any(isinstance(x, DynamicJaxprTracer) for x in jax.tree.leaves(tree))


def copy(params: Tree) -> Tree:
    """The parameters, in arrays of their own and in the dtype that arithmetic on them is done in; sharded alike."""
    return jax.tree.map(lambda p: jnp.array(load(p), copy=True), params)


def moved(params: Tree, updates: Tree) -> Tree:
    """``params + updates``, in the dtype of ``params``: where `apply_updates` will put them."""

    def total(p: jax.Array, u: jax.Array) -> jax.Array:
        a, b = load(p), load(u)
        # Of thousands of leaves, tracing what + looks at takes longer than all the rest.
        return cast(jax.lax.add(a, b) if a.dtype == b.dtype else a + b, jnp.result_type(p))

    return jax.tree.map(total, params, updates)


def beside(grads: Tree, params: Tree) -> Tree:
    """Keeps the parameters that have a gradient; None elsewhere, whatever stands there, as in equinox's models.

    Where all have one, and where the trees do not go together, it returns ``params`` itself.
    """
    if grads is None or params is None or not any(x is None for x in jax.tree.leaves(grads, is_leaf=_is_none)):
        return params
    try:
        return jax.tree.map(lambda g, p: None if g is None else p, grads, params, is_leaf=_is_none)
    except ValueError:
        return params


def as_arrays(tree: Tree) -> Tree:
    """Make an array of each Python number that is a float or complex, as ``jit`` does."""
    return jax.tree.map(lambda x: jnp.asarray(x) if type(x) in {float, complex} else x, tree)


def filled(tree: Tree, like: Tree) -> Tree:
    """Fills a tree, where it has None, with what stands in another."""
    return jax.tree.map(lambda x, y: y if x is None else x, tree, like, is_leaf=_is_none)


def is_function(x: Any) -> bool:
    """Tell whether to call it, where a tree may stand as well: a module of equinox is a tree to JAX, and callable.

    A function is a leaf to JAX, or has no leaves, or is a ``jax.tree_util.Partial``.
    """
    if not callable(x):
        return False
    leaves = jax.tree.leaves(x)
    return not leaves or leaves[0] is x or isinstance(x, jax.tree_util.Partial)


def functions_among(keywords: dict[str, Any]) -> dict[str, Any]:
    """Return those keywords of an update that are functions; a ``value_fn`` may be a tree as well."""
    return {name: x for name, x in keywords.items() if (callable(x) if name == "value_fn" else is_function(x))}


def _is_none(x: Any) -> bool:
    return x is None


def difference(a: Tree, b: Tree) -> Tree:
    """``a - b``, in at least float32."""
    return jax.tree.map(lambda x, y: load(x) - load(y), a, b)


def all_finite(tree: Tree) -> jax.Array:
    """Whether no array of the tree holds an infinity or a NaN; a boolean scalar."""
    return jnp.all(jnp.asarray([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(tree)], bool))


def same_structure(a: Tree, b: Tree) -> bool:
    """Whether two trees have the same containers, keys and places of None."""
    ours: Any = jax.tree.structure(a)
    return bool(ours == jax.tree.structure(b))


def is_prefix(a: Tree, b: Tree) -> bool:
    """Whether ``b`` has the structure of ``a``, but for trees that may stand where ``a`` has leaves."""
    try:
        jax.tree.structure(a).flatten_up_to(b)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    return True


def renamed(tree: Tree, like: Tree) -> Tree | None:
    """The tree in the structure of another whose leaves have the same names; None if they have others.

    A container that keeps states by name, as ``nnx.Optimizer`` does, gives a mapping back for a tuple.
    """
    ours, theirs = (
        {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}
        for leaves in map(jax.tree_util.tree_leaves_with_path, (tree, like))
    )
    if same_structure(tree, like) or ours.keys() != theirs.keys():
        return None
    return jax.tree.unflatten(jax.tree.structure(like), [ours[name] for name in theirs])


def first_difference(path: Any, a: Tree, b: Tree, agree: Callable[[Tree, Tree], bool]) -> tuple[Any, str, str]:
    """Where two trees first differ, and what either has there."""
    if type(a) is type(b):
        ours, theirs = _children(a), _children(b)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            if key not in ours or key not in theirs:
                here, there = ("missing" if key not in c else describe(c[key]) for c in (ours, theirs))
                return (*path, key), here, there
            if not agree(ours[key], theirs[key]):
                return first_difference((*path, key), ours[key], theirs[key], agree)
        return path, describe(a), f"{describe(b)} with other static fields"
    return path, describe(a), describe(b)


def _children(tree: Tree) -> dict[Any, Tree]:
    """What stands one level down in a container, by key."""
    children, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda x: x is not tree)
    return {key: child for (key,), child in children}


def describe(x: Any) -> str:
    """What stands somewhere, in a few words: ``float32[3]``, ``None``, ``a list``, ``the function tanh``."""
    if hasattr(x, "shape"):
        return f"{'float0' if x.dtype == jax.dtypes.float0 else x.dtype}{list(x.shape)}"
    if x is None or isinstance(x, int | float | complex | str):
        return repr(x)
    if hasattr(x, "__name__"):
        return f"the function {x.__name__}"
    if hasattr(x, "noun"):
        return f"the {x.noun.split()[-1]} {x.name}"
    noun = type(x).__name__
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"
