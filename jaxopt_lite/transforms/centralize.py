"""Gradient centralization."""

import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import each
from jaxopt_lite.ops.matrices import unit_axes


@transform(needs=("leaf",))
def centralize(out_axis: int = -1):
    """Subtract from each unit's gradient its mean; vectors and scalars stay as they are.

        g ← g - mean(g)    over all axes but ``out_axis``

    Use it for convolutions and dense layers without normalisation of weights; it costs next to nothing.

    Args:
        out_axis: the axis of outputs: -1 for flax's and haiku's kernels, 0 for equinox's.

    Example:
        >>> opt = chain(centralize(), sgd(1.0))
        >>> grads = jnp.array([[1.0, 5.0], [3.0, 5.0]])
        >>> updates, state = opt.update(grads, opt.init(grads))
        >>> print(updates)
        [[ 1. -0.]
         [-1. -0.]]

    State: none.
    Source: Yong et al. (2020), arXiv:2004.01461. optax takes the mean over all axes but the first, which is the input
    of a flax kernel.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        def rule(g):
            return g - jnp.mean(g, unit_axes(g.ndim, out_axis), keepdims=True) if g.ndim > 1 and g.size else g

        return each(rule, grads), state

    return init, update
