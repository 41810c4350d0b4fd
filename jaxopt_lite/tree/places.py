"""Stand in for parameters where an ``init`` is only asked for the form of its state."""

from typing import Any, NamedTuple

import jax


@jax.tree_util.register_static
class Place(NamedTuple):
    """A tree without leaves, where there are parameters: ``init`` makes a state with places for moments, at once.

    The one that stands for all parameters has no shape, so that an ``init`` that looks for one fails.
    """

    shape: Any = None
    dtype: Any = None


def shown(leaf: Any) -> Any:
    """Return what a user's function gets for a leaf: the shape and dtype of a `Place`, and anything else itself.

    Raises:
        TypeError: the place stands for all parameters, so that there is no leaf to ask the function about.
    """
    if not isinstance(leaf, Place):
        return leaf
    if leaf.shape is None:
        raise TypeError("one place stands for all parameters")
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
