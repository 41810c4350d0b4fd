"""Learning rates of their own for some parameters."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.core.arguments import checked_number
from jaxopt_lite.core.hyperparameters import ANY, Range
from jaxopt_lite.ops import at, each, next_step, zero_steps
from jaxopt_lite.tree.paths import by_pattern, map_with_path
from jaxopt_lite.tree.structure import format_leaf, is_function
from jaxopt_lite.types import Scalar, ScalarOrSchedule


class LrMultiplierState(NamedTuple):
    """``iter``: steps taken, which the schedules count by."""

    iter: jax.Array


@transform(after_rule=True)
def lr_multiplier(factors: dict[str, ScalarOrSchedule] | Callable[[str, Any], Scalar]):
    """Multiply updates by a factor for each leaf.

        u ← factor u

    Use it for layers that should learn slower than others, as in fine-tuning: what stands in the chain before it,
    weight decay too, is multiplied.

    Args:
        factors: a dict of numbers or schedules by pattern, ``{"embed/*": 0.1, "*": 1.0}``, or a function
            ``(path, leaf) -> number``. Paths read ``layer/kernel``; patterns are those of `partition`.

    Raises:
        TypeError: a factor is no number and no schedule, or ``factors`` is something else.
        ValueError: no pattern, or more than one, fits the path of a leaf; a pattern fits nothing; or a factor is not
            finite, or an array of several numbers, outside ``vmap``.

    Example:
        >>> opt = chain(sgd(1.0), lr_multiplier({"head": 0.5, "*": 1.0}))
        >>> grads = {"body": jnp.array(2.0), "head": jnp.array(2.0)}
        >>> updates, state = opt.update(grads, opt.init(grads))
        >>> print(updates)
        {'body': Array(-2., dtype=float32), 'head': Array(-1., dtype=float32)}

    State: none; with schedules, `LrMultiplierState`, 4 bytes.
    Source: ULMFiT, Howard & Ruder (2018), arXiv:1801.06146, has a rate for each layer.
    """
    if not isinstance(factors, dict) and not is_function(factors):
        raise TypeError(f"lr_multiplier: factors must be a dict by pattern, or a function, not {format_leaf(factors)}")
    patterns = factors if isinstance(factors, dict) else {}
    for pattern, factor in patterns.items():
        if not isinstance(pattern, str):
            raise TypeError(f"lr_multiplier: factors has the key {pattern!r}, and a pattern is a string")
        checked_number(f"lr_multiplier: factors[{pattern!r}]", factor, Range(schedule=True))
    scheduled = any(map(callable, patterns.values()))

    def init(params):
        return LrMultiplierState(zero_steps(params)) if scheduled else ()

    def update(updates, state, params=None):
        def factor_of(path, leaf):
            factor = factors(path, leaf)  # type: ignore[operator]
            return checked_number(f"lr_multiplier: the factor of {path!r}", factor, ANY)

        now = {pattern: at(factor, state.iter) if scheduled else factor for pattern, factor in patterns.items()}
        by: Any = by_pattern if isinstance(factors, dict) else map_with_path
        tree = by(now if isinstance(factors, dict) else factor_of, updates, "lr_multiplier")

        def rule(u, factor):
            if jnp.ndim(factor):
                shape = f"a factor has shape {jnp.shape(factor)}, and a step takes one number"
                raise ValueError(f"lr_multiplier: {shape}: jax.vmap over the optimizer runs them all")
            return factor * u

        new = LrMultiplierState(next_step(state.iter)) if scheduled else state
        return each(rule, updates, factor=tree), new

    return init, update
