"""An optimizer for each group of parameters."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.tree.paths import check_label, labels, update_by_group
from jaxopt_lite.tree.structure import format_leaf, is_function
from jaxopt_lite.types import Tree


@optimizer
def partition(groups: dict[str, Optimizer], label: Tree | Callable[..., Any]):
    """Step each group of parameters with an optimizer of its own.

    Use it for what should not decay, should learn slower, or should stay as it is: ``freeze()`` is the optimizer for
    that. A norm of the whole gradient is, inside a group, that of the group.

    Args:
        groups: optimizers by name.
        label: which group a leaf is in: a function ``(path, leaf) -> name``; or a tree of names, in the structure of
            the parameters, where a name may stand for a whole branch; or a function ``params -> tree of names``, as
            optax has it; or patterns by group, ``{"no_decay": "*bias|*scale", "decay": "*"}``. Paths read
            ``layer/kernel``; patterns are Python's fnmatch, with ``|`` between; ``"*"`` is for what no other fits.

    Raises:
        TypeError: ``groups`` is no dict of optimizers, or ``label`` names no group.
        ValueError: ``label`` names something else; or, at ``init`` and ``update``, a leaf is in no group, or a group
            has no leaf.

    Example:
        >>> opt = partition({"decay": adamw(weight_decay=0.1), "rest": adam()}, {"decay": "*kernel", "rest": "*"})
        >>> params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
        >>> state = opt.init(params)
        >>> print(state["rest"].m)
        {'bias': Array([0., 0.], dtype=float32), 'kernel': None}

    State: a dict of the groups' states, with None where a leaf is in another group: ``state["decay"].m["W1"]``.
    Source: as optax's ``partition`` and torch's parameter groups.
    """
    if not isinstance(groups, Mapping):
        raise TypeError(f"partition: groups must be a dict of optimizers by name, not {format_leaf(groups)}")
    for name, opt in groups.items():
        if not isinstance(opt, Optimizer):
            raise TypeError(f"partition: group {name!r} must be an optimizer, not {format_leaf(opt)}")

    if not is_function(label):
        check_label(groups, label)
    return update_by_group(groups, lambda params: labels(groups, label, params))
