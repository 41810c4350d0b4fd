"""What stands in a state: found by name, and where it should live."""

from collections.abc import Iterator
from typing import Any

import jax
from jax.sharding import NamedSharding

from jaxopt_lite.trees import Tree, along


def find(state: Any, name: str) -> Any:
    """What a state, or one inside it, keeps under a name: ``find(state, "m")``, through chains, groups and wrappers.

    Args:
        state: an optimizer's. A chain's is a tuple of states, a partition's a dict, and a wrapper's has another one in
            its field ``inner``.
        name: the name of a field, such as ``m`` or ``skipped``.

    Returns:
        The tree of that name.

    Raises:
        ValueError: there is none, or there are several, in which case the sentence says where.
    """
    fields = list(_fields(state, "state"))
    found = [(where, value) for where, field, value in fields if field == name]
    if not found:
        raise ValueError(
            f"find: there is no {name!r} in this state; there are {', '.join(sorted({f for _, f, _ in fields}))}"
        )
    if len(found) > 1:
        raise ValueError(f"find: {name!r} is more than one: {', '.join(where for where, _ in found)}")
    return found[0][1]


def _fields(state: Any, where: str) -> Iterator[tuple[str, str, Any]]:
    """Where each named part of a state is, its name, and itself."""
    for field in getattr(state, "_fields", ()):
        yield f"{where}.{field}", field, getattr(state, field)
    if hasattr(state, "inner"):
        yield from _fields(state.inner, f"{where}.inner")
    elif type(state) is tuple:
        for i, part in enumerate(state):
            yield from _fields(part, f"{where}[{i}]")
    elif type(state) is dict:
        for key, part in state.items():
            yield from _fields(part, f"{where}[{key!r}]")


def averaged_params(state: Any) -> Tree:
    """The parameters' average, from the state of `average` or of whatever is around it; at least float32.

    Raises:
        ValueError: no `average`, or more than one, has a part in this state.
    """
    return find(state, "average")


def state_shardings(opt: Any, params: Tree) -> Any:
    """The shardings of a state, for ``in_shardings``, ``out_shardings`` and for restoring one from a checkpoint.

    Args:
        opt: the optimizer.
        params: arrays, or ``jax.ShapeDtypeStruct``, each with a ``NamedSharding``.

    Returns:
        A tree with the structure of ``opt.init(params)``. What stands in the state at a parameter's path is sharded
        along the parameter's axes, as far as it has them; all else is whole on every device of the mesh.

    Raises:
        TypeError: a parameter has no ``NamedSharding``.
    """
    shardings = {}
    for path, p in jax.tree_util.tree_leaves_with_path(params):
        sharding = getattr(p, "sharding", None)
        if not isinstance(sharding, NamedSharding):
            where = f"params{jax.tree_util.keystr(path)}"
            raise TypeError(f"state_shardings: {where} has the sharding {sharding}, and needs a NamedSharding")
        shardings[path] = sharding
    if not shardings:
        raise TypeError("state_shardings: params has no leaves, and so no mesh")
    whole = along(next(iter(shardings.values())), ())

    # The state of parameters each of whose axes has a length of its own, by which it is known wherever it is found.
    code = 1000
    coded = jax.tree.map(lambda p: jax.ShapeDtypeStruct(tuple(range(code, code + p.ndim)), p.dtype), params)

    def sharding_of(path: Any, leaf: Any) -> NamedSharding:
        ends = range(len(path) + 1)
        owners = [path[i:j] for i in ends for j in ends if path[i:j] in shardings]
        if not owners:
            return whole
        axes = [n - code if n >= code else None for n in leaf.shape]
        sharding = shardings[max(owners, key=len)]
        return sharding if axes == list(range(len(sharding.spec))) else along(sharding, axes)

    return jax.tree_util.tree_map_with_path(sharding_of, jax.eval_shape(opt.init, coded))
