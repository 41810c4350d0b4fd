"""Conversions to optax and back. They need optax, from the extra ``optax``."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core.declarations import optimizer, transform
from jaxopt_lite.core.protocol import Transform
from jaxopt_lite.tree.dtypes import at_least_float32, cast, to_compute_dtype
from jaxopt_lite.tree.packed import reject_packed
from jaxopt_lite.tree.places import Place, shown
from jaxopt_lite.types import Tree


def to_optax(opt: Transform) -> Any:
    """Return an ``optax.GradientTransformationExtraArgs``, for code that checks for this type.

    Most code for optax's optimizers takes ours as they are: they unpack to ``(init, update)``, and have both methods.
    But optax's own ``chain`` and similar functions check the type before they pass on keywords such as ``value``.

    Example:
        >>> import optax
        >>> tx = optax.chain(optax.clip(1.0), to_optax(sgd(lr=0.1)))
        >>> updates, state = tx.update(5.0, tx.init(2.0))
        >>> print(f"{updates:.1f}")
        -0.1
    """
    import optax  # noqa: PLC0415 - an extra

    return optax.GradientTransformationExtraArgs(opt.init, opt.update)


@optimizer
def from_optax(tx: Any):
    """Build an optimizer from an optimizer of optax, for our wrappers and races.

    Args:
        tx: an ``optax.GradientTransformation`` whose updates are steps, with sign and learning rate.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    Example:
        >>> import optax
        >>> opt = average(from_optax(optax.sgd(0.1)))
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{updates:.1f}")
        -0.2

    ``value``, ``grad`` and ``value_fn`` are passed to ``tx`` if they are given. ``tx`` gets float32 copies of arrays in
    half precision, and its state is made for the copies. In half precision most of optax's states change their dtypes.
    A ``tx`` may look at single leaves, so arrays from `pack` are rejected.
    State: optax's.
    Two such optimizers are equal if they have the same ``tx``. They cannot be pickled, as optax's closures cannot.
    """
    return _pair("from_optax", tx)


@transform
def transform_from_optax(tx: Any):
    """Build a transform from a transformation of optax, for a chain, before or after its rule.

    Args:
        tx: an ``optax.GradientTransformation`` that returns gradients for gradients, or steps for steps.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    Example:
        >>> import optax
        >>> opt = chain(transform_from_optax(optax.zero_nans()), sgd(lr=0.1))
        >>> updates, state = opt.update(jnp.array([jnp.nan, 2.0]), opt.init(jnp.ones(2)))
        >>> print(jnp.abs(updates))
        [0.  0.2]

    All else is as in `from_optax`.
    State: optax's.
    """
    return _pair("transform_from_optax", tx)


def _pair(name: str, tx: Any) -> tuple[Any, Any]:
    if not (callable(getattr(tx, "init", None)) and callable(getattr(tx, "update", None))):
        raise TypeError(f"{name}: tx must be one of optax's transformations, not {tx!r}")
    import optax  # noqa: PLC0415 - an extra

    with_keywords = optax.with_extra_args_support(tx)

    def init(params):
        def widened(leaf: Any) -> Any:
            p = shown(leaf)  # functions inside optax, such as masks, must see no `Place`
            return (
                p.update(dtype=at_least_float32(p.dtype))
                if isinstance(p, jax.ShapeDtypeStruct)
                else to_compute_dtype(p)
            )

        return tx.init(jax.tree.map(widened, params, is_leaf=lambda x: isinstance(x, Place)))

    def update(grads, state, params=None, *, value=None, grad=None, value_fn=None):
        def widened_fn(wide: Tree) -> jax.Array:
            return to_compute_dtype(value_fn(jax.tree.map(lambda x, p: cast(x, jnp.result_type(p)), wide, params)))

        known = {"value": value, "grad": grad}
        given = {
            name: jax.tree.map(to_compute_dtype, argument) for name, argument in known.items() if argument is not None
        }
        given |= {"value_fn": widened_fn} if value_fn else {}
        return with_keywords.update(grads, state, jax.tree.map(to_compute_dtype, params), **given)

    return reject_packed(name, init), update
