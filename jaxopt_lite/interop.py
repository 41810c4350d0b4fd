"""To optax and back. Needs optax, from the extra ``optax``."""

from typing import Any

from jaxopt_lite.buffers import whole
from jaxopt_lite.core import optimizer
from jaxopt_lite.protocol import Transform


def to_optax(opt: Transform) -> Any:
    """An ``optax.GradientTransformationExtraArgs``, for code that asks whether it has one.

    All else that takes optax's optimizers takes these as they are: they unpack to ``(init, update)``, and have both.
    But optax's own ``chain`` and its like ask as well, before they pass on keywords such as ``value``.
    """
    import optax  # noqa: PLC0415 - an extra

    return optax.GradientTransformationExtraArgs(opt.init, opt.update)


@optimizer
def from_optax(tx: Any):
    """An optimizer out of optax's, to be wrapped and raced with the others.

    Args:
        tx: an ``optax.GradientTransformation`` whose updates are steps, sign and learning rate included.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    ``value``, ``grad`` and ``value_fn`` reach it where they are given. Nothing tells whether it looks at leaves, and so
    it refuses what `pack` has packed.
    State: optax's.
    Two of them are equal if they are of one ``tx``; they cannot be pickled, as optax's closures cannot.
    """
    if not (callable(getattr(tx, "init", None)) and callable(getattr(tx, "update", None))):
        raise TypeError(f"from_optax: tx must be one of optax's transformations, not {tx!r}")
    import optax  # noqa: PLC0415 - an extra

    with_keywords = optax.with_extra_args_support(tx)

    def update(grads, state, params=None, *, value=None, grad=None, value_fn=None):
        known = {"value": value, "grad": grad, "value_fn": value_fn}
        given = {name: argument for name, argument in known.items() if argument is not None}
        return with_keywords.update(grads, state, params, **given)

    return whole("from_optax", tx.init), update
