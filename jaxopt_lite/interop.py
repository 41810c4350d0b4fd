"""To optax and back. Needs optax, from the extra ``optax``."""

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
    """Return an ``optax.GradientTransformationExtraArgs``, for code that asks for one.

    All else that takes optax's optimizers takes these as they are: they unpack to ``(init, update)``, and have both.
    But optax's own ``chain`` and its like ask as well, before they pass on keywords such as ``value``.

    Example:
        >>> import optax
        >>> tx = optax.chain(optax.clip(1.0), to_optax(adam(0.1)))
        >>> updates, state = tx.update(2.0, tx.init(1.0))
        >>> print(f"{updates:.3g}")
        -0.1
    """
    import optax  # noqa: PLC0415 - an extra

    return optax.GradientTransformationExtraArgs(opt.init, opt.update)


@optimizer
def from_optax(tx: Any):
    """Build an optimizer from one of optax's, to be wrapped and raced with the others.

    Args:
        tx: an ``optax.GradientTransformation`` whose updates are steps, sign and learning rate included.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    ``value``, ``grad`` and ``value_fn`` reach it where they are given. It works on copies in float32 of what is in half
    precision, and its state is made for them: in half precision most of optax's states change their dtypes. Nothing
    tells whether it looks at leaves, and so it refuses what `pack` has packed.

    Example:
        >>> import optax
        >>> opt = average(from_optax(optax.sgd(0.1)))
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{updates:.3g}")
        -0.2

    State: optax's.
    Two of them are equal if they are of one ``tx``; they cannot be pickled, as optax's closures cannot.
    """
    return _pair("from_optax", tx)


@transform
def transform_from_optax(tx: Any):
    """Build a transform from one of optax's, to stand in a chain before a rule, or after it.

    Args:
        tx: an ``optax.GradientTransformation`` that gives what it is given: gradients, or steps.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    ``chain(transform_from_optax(optax.zero_nans()), adam())``. All else is as in `from_optax`.

    Example:
        >>> import optax
        >>> opt = chain(transform_from_optax(optax.clip_by_block_rms(1.0)), sgd(0.1))
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{updates:.3g}")
        -0.1

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
            p = shown(leaf)  # functions within optax, as masks are, see no places
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
