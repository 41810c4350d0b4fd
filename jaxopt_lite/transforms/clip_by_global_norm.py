"""Clipping by the norm of the whole gradient."""

from jaxopt_lite.core import transform
from jaxopt_lite.ops import clip_to_norm, each, norm
from jaxopt_lite.types import Scalar


@transform(needs=("tree",))
def clip_by_global_norm(max_norm: Scalar):
    """Shorten a gradient that is longer than ``max_norm`` to it; its direction stays.

        g ← g min(1, max_norm / ‖g‖)    with the norm of all leaves together

    Use it first against steps that blow up; 1.0 is common for transformers. A gradient with a NaN or an infinity in it
    has no norm: all of it becomes NaN, for `skip_nonfinite` around the chain to skip.

    Args:
        max_norm: the largest norm that is let through; a number or an array, in the unit of the gradients.

    Example:
        >>> opt = chain(clip_by_global_norm(1.0), sgd(1.0))
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.zeros(2)))
        >>> print(updates)
        [-0.6 -0.8]

    State: none. The norm is taken in at least float32, and neither overflows nor vanishes before it has to.
    Source: Pascanu, Mikolov & Bengio (2013), arXiv:1211.5063. As optax; torch adds 1e-6 to the norm.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        length = norm(grads)

        def rule(g):
            return clip_to_norm(g, length, max_norm)

        return each(rule, grads), state

    return init, update
