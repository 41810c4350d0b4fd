"""AdaBelief: long steps where the gradient is as expected."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class AdaBeliefState(NamedTuple):
    """``iter``: steps taken. ``m``: the moving average of gradients. ``s``: the moving average of (g - m)²."""

    iter: jax.Array
    m: Tree
    s: Tree


@optimizer(family="adaptive", paper="Zhuang et al. (2020), arXiv:2010.07468")
def adabelief(lr: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, eps: Scalar = 1e-16):
    """Build AdaBelief, which takes long steps where the gradient is as expected.

        iter ← iter + 1
        m ← m + (1 - beta1) (g - m)
        s ← beta2 s + (1 - beta2) (g - m)² + eps
        p ← p - lr m̂ / (√ŝ + eps)    m̂, ŝ = m / (1 - beta1^iter), s / (1 - beta2^iter)

    Use it where Adam generalises worse than SGD. If gradients agree from step to step, s is small and steps are long.
    Its lr is Adam's, but AdaBelief follows a steady gradient much faster.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``s`` that each step keeps, in [0, 1).
        eps: added to ``s`` at every step, and to its root. ``s`` thus grows to at least eps / (1 - beta2).

    Example:
        >>> opt = adabelief(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.889

    State: `AdaBeliefState`, 8 bytes per float32 parameter. ``s`` is real for complex parameters.
    Source: Zhuang et al. (2020), arXiv:2010.07468, with the authors' eps. Their code also rectifies, as `radam` does.
    optax has two eps, both 1e-16, and is equal.
    """

    def init(params):
        return AdaBeliefState(iter=zero_steps(params), m=zeros_like(params), s=zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        c1, c2 = bias_correction(beta1, t), bias_correction(beta2, t)

        def rule(g, m, s):
            m = m + (1 - beta1) * (g - m)
            s = beta2 * s + (1 - beta2) * abs2(g - m) + eps
            return -lr_t * (m / c1) / (sqrt(s / c2) + eps), m, s

        updates, m, s = each(rule, grads, state.m, state.s)
        return updates, AdaBeliefState(t, m, s)

    return init, update
