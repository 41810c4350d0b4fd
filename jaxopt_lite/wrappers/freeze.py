"""Not moving at all."""

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer


@optimizer
def freeze():
    """Leave every parameter where it is.

        p ← p

    Use it in `partition`, for the parameters that are not to be trained: there is no state, and no decay.

    Example:
        >>> opt = partition({"frozen": freeze(), "rest": sgd(0.1)}, {"frozen": "body", "rest": "*"})
        >>> grads = {"body": jnp.array(1.0), "head": jnp.array(1.0)}
        >>> updates, state = opt.update(grads, opt.init(grads))
        >>> print(updates)
        {'body': Array(0., dtype=float32), 'head': Array(-0.1, dtype=float32)}

    State: none.
    Source: as optax's ``set_to_zero``.
    """

    def init(params):
        return ()

    def update(grads, state, params=None):
        return jax.tree.map(jnp.zeros_like, grads), state

    return init, update
