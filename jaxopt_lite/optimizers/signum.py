"""Signum: the sign of the momentum."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, sign, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class SignumState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients."""

    iter: jax.Array
    m: Tree


@optimizer(family="sign", paper="Bernstein et al. (2018), arXiv:1802.04434")
def signum(lr: ScalarOrSchedule = 1e-4, beta1: Scalar = 0.9):
    """Build Signum, the sign of the momentum.

        m ← m + (1 - beta1) (g - m)
        p ← p - lr sign(m)

    Use it to compare Adam with the sign alone, and where gradients must be sent in one bit. Every parameter moves by lr
    at each step. Its lr is 3 to 10 times smaller than Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1); 0 is signSGD.

    Example:
        >>> opt = signum(lr=0.1)
        >>> updates, state = opt.update(jnp.array([0.001, -100.0]), opt.init(jnp.ones(2)))
        >>> print(np.array(updates).round(3))
        [-0.1  0.1]

    State: `SignumState`, 4 bytes per float32 parameter. The sign of a complex number is its direction.
    Source: Bernstein et al. (2018), arXiv:1802.04434, with the defaults of its experiments on ImageNet. It matches
    optax's.
    """

    def init(params):
        return SignumState(iter=zero_steps(params), m=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, m):
            m = m + (1 - beta1) * (g - m)
            return -lr_t * sign(m), m

        updates, m = each(rule, grads, state.m)
        return updates, SignumState(next_step(state.iter), m)

    return init, update
