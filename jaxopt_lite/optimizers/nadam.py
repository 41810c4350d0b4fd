"""NAdam: Nesterov's momentum in Adam, with a momentum that warms up."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, bias_correction, each, next_step, replicated_zeros, sqrt, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class NAdamState(NamedTuple):
    """``iter``: steps taken. ``product``: Π μ. ``m``, ``v``: moving averages of gradients and of their squares."""

    iter: jax.Array
    product: jax.Array
    m: Tree
    v: Tree


@optimizer(family="adaptive", paper="Dozat (2016), ICLR workshop")
def nadam(
    lr: ScalarOrSchedule = 0.002,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    momentum_decay: Scalar = 0.004,
):
    """Build Adam with Nesterov's momentum.

        iter ← iter + 1
        μ_t = beta1 (1 - 0.96^(iter momentum_decay) / 2)
        m ← m + (1 - beta1) (g - m)
        v ← v + (1 - beta2) (g² - v)
        m̂ = μ_{t+1} m / (1 - μ_1 … μ_{t+1}) + (1 - μ_t) g / (1 - μ_1 … μ_t)
        p ← p - lr m̂ / (√v̂ + eps)                                          v̂ = v / (1 - beta2^iter)

    Use it in place of Adam for faster turns: the gradient of this step weighs more. Its lr is about Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1). μ_t grows from half of beta1 to beta1.
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        eps: added to the corrected root; keeps the quotient finite for zero gradients.
        momentum_decay: ψ of the paper, the speed at which μ_t approaches beta1; half of the way takes 4,000 steps.

    Example:
        >>> opt = nadam(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0))
        >>> print(f"{apply_updates(1.0, updates):.3f}")
        0.894

    State: `NAdamState`, 8 bytes per float32 parameter. ``v`` is real for complex parameters.
    Source: Dozat (2016), with torch's defaults; it matches torch's. optax's nadam has no warm-up of μ; here, that is
    `nadamw`.
    """

    def init(params):
        one = replicated_zeros(params, (), float) + 1
        return NAdamState(zero_steps(params), one, zeros_like(params), zeros_like(params, real=True))

    def update(grads, state, params=None):
        t = next_step(state.iter)
        lr_t = at(lr, state.iter)
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (n * momentum_decay)) for n in (t, next_step(t)))
        product = state.product * mu
        of_g, of_m = (1 - mu) / (1 - product), mu_next / (1 - product * mu_next)
        c2 = bias_correction(beta2, t)

        def rule(g, m, v):
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (abs2(g) - v)
            return -lr_t * (of_m * m + of_g * g) / (sqrt(v / c2) + eps), m, v

        updates, m, v = each(rule, grads, state.m, state.v)
        return updates, NAdamState(t, product, m, v)

    return init, update
