"""Grokfast: the slow part of the gradient, amplified."""

from typing import NamedTuple

from jaxopt_lite.core import transform
from jaxopt_lite.ops import each, zeros_like
from jaxopt_lite.types import Scalar, Tree


class GrokfastState(NamedTuple):
    """``h``: the moving average of gradients."""

    h: Tree


@transform
def grokfast(decay_rate: Scalar = 0.98, amplify: Scalar = 2.0):
    """Add the moving average of gradients to the gradient.

        h ← decay_rate h + (1 - decay_rate) g
        g ← g + amplify h

    Use it where the training loss is long gone before the test loss moves: small data sets of algorithms, with decay.

    Args:
        decay_rate: the share of ``h`` that each step keeps, in [0, 1).
        amplify: how much of ``h`` is added.

    Example:
        >>> opt = chain(grokfast(decay_rate=0.75, amplify=2.0), sgd(1.0))
        >>> updates, state = opt.update(4.0, opt.init(0.0))
        >>> print(updates)
        -6.0

    State: `GrokfastState`, 4 bytes per float32 parameter.
    Source: Lee et al. (2024), arXiv:2405.20233; the authors' code starts h at the first gradient, not at 0.
    """

    def init(params):
        return GrokfastState(h=zeros_like(params))

    def update(grads, state, params=None):
        def rule(g, h):
            h = decay_rate * h + (1 - decay_rate) * g
            return g + amplify * h, h

        grads, h = each(rule, grads, state.h)
        return grads, GrokfastState(h)

    return init, update
