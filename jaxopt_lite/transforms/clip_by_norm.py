"""Clipping by norm, leaf by leaf."""

from jaxopt_lite.core import transform
from jaxopt_lite.ops import clip_to_norm, each, norm
from jaxopt_lite.types import Scalar


@transform(needs=("leaf",))
def clip_by_norm(max_norm: Scalar):
    """Shorten each leaf that is longer than ``max_norm`` to it; the others stay as they are.

        g ← g min(1, max_norm / ‖g‖)    with the norm of the leaf

    Use it where leaves should not shorten each other, as they do in `clip_by_global_norm`.

    Args:
        max_norm: the largest norm that a leaf keeps; a number or an array, in the unit of the gradients.

    Example:
        >>> opt = chain(clip_by_norm(1.0), sgd(1.0))
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.zeros(2)))
        >>> print(updates)
        [-0.6 -0.8]

    State: none.
    Source: Pascanu, Mikolov & Bengio (2013), arXiv:1211.5063, leaf by leaf.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        def rule(g):
            return clip_to_norm(g, norm(g), max_norm)

        return each(rule, grads), state

    return init, update
