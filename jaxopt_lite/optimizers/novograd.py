"""NovoGrad: one second moment for a whole layer."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, next_step, norm, reduced_zeros, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class NovoGradState(NamedTuple):
    """``iter``: steps taken. ``m``: the fading sum of normalised gradients. ``v``: an average of ‖g‖² for each leaf."""

    iter: jax.Array
    m: Tree
    v: Tree


@optimizer(family="layerwise", paper="Ginsburg et al. (2019), arXiv:1905.11286", needs=("decay", "leaf"))
def novograd(
    lr: ScalarOrSchedule = 0.001,
    beta1: Scalar = 0.95,
    beta2: Scalar = 0.98,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
):
    """Build NovoGrad, with one second moment for each layer.

        v ← v + (1 - beta2) (‖g‖² - v)               leaf by leaf; at the first step v ← ‖g‖²
        m ← beta1 m + g / (√v + eps) + λ p           λ is weight_decay
        p ← p - lr m

    Use it for speech and other deep convolutional networks, and where memory is short. A whole leaf moves by up to lr /
    (1 - beta1) a step. Its lr is 1 to 10 times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the root; keeps the quotient finite for zero gradients.
        weight_decay: λ, inside the momentum; a number, an array, or a schedule.

    Example:
        >>> opt = novograd(lr=0.1)
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.ones(2)))
        >>> print(np.array(updates).round(3))
        [-0.06 -0.08]

    State: `NovoGradState`, 4 bytes per float32 parameter, and 4 per leaf.
    Source: Ginsburg et al. (2019), arXiv:1905.11286. It matches optax's, whose b1 is 0.9, b2 0.25, eps 1e-6.
    """

    def init(params):
        v = jax.tree.map(reduced_zeros, params)
        return NovoGradState(iter=zero_steps(params), m=zeros_like(params), v=v)

    def update(grads, state, params=None):
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        share = jnp.where(state.iter == 0, 1, 1 - beta2)

        def rule(g, m, v, p):
            v = v + share * (abs2(norm(g)) - v)
            m = beta1 * m + g / (sqrt(v) + eps) + shrink * p
            return -lr_t * m, m, v

        updates, m, v = each(rule, grads, state.m, state.v, p=params)
        return updates, NovoGradState(next_step(state.iter), m, v)

    return init, update
