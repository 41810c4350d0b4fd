"""Learning rates of their own for some parameters."""

from collections.abc import Callable
from typing import Any

from jaxopt_lite.core import transform
from jaxopt_lite.numerics import Scalar
from jaxopt_lite.paths import by_pattern, map_with_path
from jaxopt_lite.rules import each
from jaxopt_lite.trees import is_function


@transform(after_rule=True)
def lr_multiplier(factors: dict[str, Scalar] | Callable[[str, Any], Scalar]):
    """Multiplies updates by a factor for each leaf.

        u ← factor u

    Use it for layers that should learn slower than others, as in fine-tuning: what stands in the chain before it,
    weight decay too, is multiplied.

    Args:
        factors: a dict of numbers by pattern, ``{"embed/*": 0.1, "*": 1.0}``, or a function ``(path, leaf) -> number``.
            Paths read ``layer/kernel``; patterns are those of `partition`.

    Raises:
        ValueError: no pattern, or more than one, fits the path of a leaf; or a pattern fits nothing.

    State: none.
    Source: ULMFiT, Howard & Ruder (2018), arXiv:1801.06146, has a rate for each layer.
    """

    def init(params):
        return ()

    def update(updates, state, params=None):
        by: Any = map_with_path if is_function(factors) else by_pattern
        tree = by(factors, updates, "lr_multiplier")

        def rule(u, factor):
            return factor * u

        return each(rule, updates, factor=tree), state

    return init, update
