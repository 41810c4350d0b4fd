"""The shardings of an optimizer's state."""

from typing import Any

import jax
from jax.sharding import NamedSharding

from jaxopt_lite.tree.zeros import sharding_of_axes
from jaxopt_lite.types import Tree


def state_shardings(opt: Any, params: Tree) -> Any:
    """Return the shardings of a state, for ``in_shardings``, ``out_shardings`` and for the restore of a checkpoint.

    An array of the state belongs to a parameter if the parameter's path is a part of its own path.
    Lengths alone do not match the axes of both, because several axes may be of one length.
    So ``init`` is evaluated with each axis longer by 1: the axis of the state that grows gets this axis's sharding.

    Args:
        opt: the optimizer.
        params: arrays, or ``jax.ShapeDtypeStruct``, each with a ``NamedSharding``.

    Returns:
        A tree with the structure of ``opt.init(params)``. An array at a parameter's path is sharded along those axes of
        the parameter that it has. All other arrays are replicated over the mesh.

    Raises:
        TypeError: a parameter has no ``NamedSharding``.

    Example:
        >>> mesh = jax.sharding.Mesh(jax.devices()[:1], ("data",))
        >>> rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
        >>> shardings = state_shardings(adam(), {"kernel": jax.device_put(jnp.ones((4, 2)), rows)})
        >>> print(tuple(shardings.m["kernel"].spec), tuple(shardings.iter.spec))
        ('data',) ()
    """
    shardings, shapes = {}, {}
    for path, p in jax.tree_util.tree_leaves_with_path(params):
        sharding = getattr(p, "sharding", None)
        if not isinstance(sharding, NamedSharding):
            where = f"params{jax.tree_util.keystr(path)}"
            raise TypeError(f"state_shardings: {where} has the sharding {sharding}, and needs a NamedSharding")
        shardings[path], shapes[path] = sharding, p.shape
    if not shardings:
        raise TypeError("state_shardings: params has no leaves, and so no mesh")
    whole = sharding_of_axes(next(iter(shardings.values())), ())

    def longer(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
        return tuple(n + (k == axis) for k, n in enumerate(shape))

    def shapes_with(axis: int) -> dict[Any, tuple[int, ...]]:
        """Return the shapes in the state of parameters with this axis longer by one."""
        forms = jax.tree.map(lambda p: jax.ShapeDtypeStruct(longer(p.shape, axis), p.dtype), params)
        try:
            state = jax.eval_shape(opt.init, forms)
        except ValueError:  # a group is chosen by a length
            return {}
        return {path: leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(state)}

    # An axis of the state grows with its axis of the parameter; lengths alone do not distinguish equal axes.
    grown = [shapes_with(axis) for axis in range(max(map(len, shapes.values())))]

    def sharding_of(path: Any, leaf: Any) -> NamedSharding:
        ends = range(len(path) + 1)
        owners = [path[i:j] for i in ends for j in ends if path[i:j] in shardings]
        if not owners:
            return whole
        owner = max(owners, key=len)
        sharding = shardings[owner]
        axes: list[int | None] = [None] * leaf.ndim
        # If a length decides the state, equal shapes are the only hint. A square is no hint, because both of its axes
        # may belong to one side.
        is_alike = leaf.shape == shapes[owner] and len(set(leaf.shape)) == leaf.ndim
        for axis, n in enumerate(shapes[owner]):
            then = grown[axis].get(path, longer(leaf.shape, axis) if is_alike else leaf.shape)
            grows = [at for at, pair in enumerate(zip(leaf.shape, then, strict=False)) if pair == (n, n + 1)]
            # An array that grows along two axes is a square of this axis, and stays replicated.
            if len(grows) == 1:
                axes[grows[0]] = axis
        return sharding if axes == list(range(len(sharding.spec))) else sharding_of_axes(sharding, axes)

    return jax.tree_util.tree_map_with_path(sharding_of, jax.eval_shape(opt.init, params))
