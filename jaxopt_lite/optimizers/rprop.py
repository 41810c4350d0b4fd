"""Rprop: a step size for every parameter, from signs alone."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, sign, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class RpropState(NamedTuple):
    """``iter``: steps taken. ``scale``: each parameter's step, in units of lr. ``sign``: its last gradient's sign."""

    iter: jax.Array
    scale: Tree
    sign: Tree


@optimizer(family="sign", paper="Riedmiller & Braun (1993)")
def rprop(
    lr: ScalarOrSchedule = 0.01,
    eta_minus: Scalar = 0.5,
    eta_plus: Scalar = 1.2,
    min_scale: Scalar = 1e-4,
    max_scale: Scalar = 5000.0,
):
    """Build resilient backpropagation, without weight backtracking.

        scale ← eta_plus scale                where sign(g) is the last sign
        scale ← eta_minus scale; g ← 0        where it has turned
        p ← p - lr scale sign(g)              scale begins at 1 and stays in [min_scale, max_scale]
        sign ← sign(g)

    Use it with gradients of the whole data set. Noise turns signs, and steps then shrink to nothing. Its lr is the
    first step; it may be ten times Adam's, and matters little.

    Args:
        lr: the length of the first step; a number, an array, or a schedule of ``iter``, counted from 0.
        eta_minus: the factor of a step whose sign has turned, in [0, 1).
        eta_plus: the factor of a step whose sign is the same, at least 1.
        min_scale: the smallest step, in units of lr.
        max_scale: the largest step, in units of lr.

    Example:
        >>> opt = rprop(lr=0.1)
        >>> first, state = opt.update(2.0, opt.init(1.0))
        >>> second, state = opt.update(0.001, state)
        >>> print(f"{first:.3f} {second:.3f}")
        -0.100 -0.120

    State: `RpropState`, 8 bytes per float32 parameter. ``scale`` is real for complex parameters. Their sign is their
    direction, and turns if two directions are more than 90° apart.
    Source: Riedmiller & Braun (1993), "A direct adaptive method for faster backpropagation learning", with torch's
    bounds. In torch, these are lengths: 1e-6 and 50. optax takes every step one step late.
    """

    def init(params):
        scale = jax.tree.map(lambda zeros: zeros + 1, zeros_like(params, real=True))
        return RpropState(iter=zero_steps(params), scale=scale, sign=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, scale, last):
            new = sign(g)
            agreement = (new * last.conj()).real
            factor = jnp.where(agreement > 0, eta_plus, jnp.where(agreement < 0, eta_minus, 1))
            scale = jnp.clip(scale * factor, min_scale, max_scale)
            new = jnp.where(agreement < 0, 0, new)
            return -lr_t * scale * new, scale, new

        updates, scale, signs = each(rule, grads, state.scale, state.sign)
        return updates, RpropState(next_step(state.iter), scale, signs)

    return init, update
