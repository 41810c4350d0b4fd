"""Eight devices as a mesh of four by two, and parameters that are spread over it."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

MESH = Mesh(np.asarray(jax.devices()).reshape(4, 2), ("data", "model"))
SHARDINGS = {
    "W": NamedSharding(MESH, P("data", "model")),
    "b": [NamedSharding(MESH, P("model"))],
    "s": NamedSharding(MESH, P()),
}


def on_one():
    """The parameters on one device."""
    rng = np.random.default_rng(0)
    tree = {"W": rng.standard_normal((8, 4)), "b": [rng.standard_normal(6)], "s": np.asarray(0.5)}
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), tree)


def spread():
    """The same parameters over the mesh."""
    return jax.device_put(on_one(), SHARDINGS)


def assert_sharded_as(tree, expected):
    chex.assert_trees_all_equal_structs(tree, expected)
    for (path, x), sharding in zip(jax.tree_util.tree_leaves_with_path(tree), jax.tree.leaves(expected), strict=True):
        assert x.sharding.is_equivalent_to(sharding, x.ndim), f"{path}: {x.sharding}, not {sharding}"
