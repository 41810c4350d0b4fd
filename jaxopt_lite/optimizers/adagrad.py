"""AdaGrad: every parameter has a rate of its own, which falls as it is used."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, cast_like, each, next_step, saturating_add, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdaGradState(NamedTuple):
    """``iter``: steps taken. ``h``: the sum of all squared gradients."""

    iter: jax.Array
    h: Tree


@optimizer(family="adaptive", paper="Duchi, Hazan & Singer (2011), JMLR 12")
def adagrad(lr: ScalarOrSchedule = 0.01, eps: Scalar = 1e-7, h0: Scalar = 0.0):
    """Build AdaGrad, which gives each parameter its own falling rate.

        h ← h + g²
        p ← p - lr g / (√h + eps)

    Use it for sparse gradients and convex problems. Its rates only fall: as 1/√t for steady gradients. Its lr is
    therefore ten or more times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        eps: added to the root; keeps the quotient finite until the first nonzero gradient.
        h0: the first value of ``h``; a larger one makes the first steps shorter.

    Example:
        >>> opt = adagrad(lr=0.1)
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(2.0, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.100 -0.071

    State: `AdaGradState`, 4 bytes per float32 parameter. ``h`` is real for complex parameters.
    Source: Deep Learning from Scratch, §6.1.5. optax starts h at 0.1 and has eps inside the root. torch's eps is 1e-10.
    """

    def init(params):
        h = zeros_like(params, real=True)
        return AdaGradState(iter=zero_steps(params), h=cast_like(jax.tree.map(lambda h: h + h0, h), h))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, h):
            h = saturating_add(h, abs2(g))
            return -lr_t * g / (sqrt(h) + eps), h

        updates, h = each(rule, grads, state.h)
        return updates, AdaGradState(next_step(state.iter), h)

    return init, update
