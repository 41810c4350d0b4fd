"""Stand-ins for parameters, for calls of ``init`` that need the form of its state alone."""

from typing import Any, NamedTuple

import jax


@jax.tree_util.register_static
class Place(NamedTuple):
    """A pytree without leaves that stands for one parameter, or for all parameters.

    ``init`` of a place returns a state with places for moments, without any arrays. A place for all parameters has no
    shape. An ``init`` that reads shapes fails on it.
    """

    shape: Any = None
    dtype: Any = None


def shown(leaf: Any) -> Any:
    """Return the leaf that a user's function sees: shape and dtype for a `Place`, and any other leaf itself.

    Raises:
        TypeError: the place stands for all parameters, so there is no single leaf.
    """
    if not isinstance(leaf, Place):
        return leaf
    if leaf.shape is None:
        raise TypeError("one place stands for all parameters")
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
