"""Meshes with explicit axes, on which JAX asks for the sharding of each operation's result."""

from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxopt_lite.tree.structure import functions_among
from jaxopt_lite.types import Tree


def in_auto_axes(opt: Any, grads: Tree, state: Any, params: Tree, extra: dict[str, Any]) -> Any:
    """Take the step of an optimizer; on a mesh with explicit axes, take it as with automatic axes.

    A rule multiplies and reshapes arrays without naming shardings. Explicit axes would ask for these shardings.
    So the rule runs with automatic axes, and only its inputs and outputs have explicit shardings.
    The updates are sharded like the gradients, and the new state like the old state.

    Functions among the keywords run with explicit axes, as their authors expect.
    """
    like = grads if params is None else params
    mesh = _explicit_mesh((like, state))
    if mesh is None:
        return opt.unchecked.update(grads, state, params, **extra)
    axes = tuple(name for name, kind in zip(mesh.axis_names, mesh.axis_types, strict=True) if kind is AxisType.Explicit)

    def shardings(tree: Tree) -> Tree:
        return jax.tree.map(lambda x: NamedSharding(mesh, jax.typeof(x).sharding.spec), tree)

    functions = {
        name: jax.sharding.explicit_axes(x, axes=axes, in_sharding=(shardings(like),))
        for name, x in functions_among(extra).items()
    }
    arrays = {name: x for name, x in extra.items() if name not in functions}

    def step(opt: Any, grads: Tree, state: Any, params: Tree, arrays: dict[str, Any]) -> Any:
        return opt.unchecked.update(grads, state, params, **arrays, **functions)

    inside = jax.sharding.auto_axes(step, axes=axes, out_sharding=(shardings(grads), shardings(state)))
    return inside(opt, grads, state, params, arrays)


def _explicit_mesh(tree: Tree) -> Any:
    meshes = {jax.typeof(x).sharding.mesh for x in jax.tree.leaves(tree)}
    return next((mesh for mesh in meshes if AxisType.Explicit in mesh.axis_types), None)


def replicated(x: jax.Array, trailing: int) -> jax.Array:
    """Replicate the trailing axes over a mesh with automatic axes, if the context has such a mesh.

    Without a mesh in the context the compiler chooses, because a tracer does not know of automatic axes.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty or any(kind is not AxisType.Auto for kind in mesh.axis_types):
        return x
    spec = [*[PartitionSpec.UNCONSTRAINED] * (x.ndim - trailing), *[None] * trailing]
    constrained: jax.Array = jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec(*spec)))
    return constrained
