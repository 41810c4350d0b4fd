"""Adaptive gradient clipping: by the norm of the parameters."""

import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import clip_to_norm, each, length
from jaxopt_lite.ops.matrices import unit_axes
from jaxopt_lite.types import Scalar


@transform(needs=("params", "leaf"))
def adaptive_clip(clipping: Scalar = 0.01, floor: Scalar = 1e-3, out_axis: int = -1):
    """Shorten each unit's gradient to at most ``clipping`` times the norm of its weights.

        g ← g min(1, clipping max(‖p‖, floor) / ‖g‖)    unit by unit

    Use it for networks without normalisation. A unit is what feeds one output: in a kernel all axes but ``out_axis``;
    a vector or a scalar is one unit.

    Args:
        clipping: the largest ratio of the norms.
        floor: stands in for the norm of weights that are smaller, so that zeros can leave zero.
        out_axis: the axis of outputs: -1 for flax's and haiku's kernels, 0 for equinox's.

    Example:
        >>> opt = chain(adaptive_clip(0.5), sgd(1.0))
        >>> params = jnp.array([0.0, 2.0])
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(params), params)
        >>> print(updates)
        [-0.6 -0.8]

    State: none.
    Source: Brock et al. (2021), arXiv:2102.06171. optax takes a stack of matrices (rank 3) for many heads, and reduces
    the first axis only.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        def rule(g, p):
            axes = unit_axes(g.ndim, out_axis)
            return clip_to_norm(g, length(g, axes), clipping * jnp.maximum(length(p, axes), floor))

        return each(rule, grads, p=params), state

    return init, update
