"""Hyperball: matrices stay as long as they began."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import transform
from jaxopt_lite.ops import at, each, next_step, norm, replicated_zeros, safe_divide, zero_steps
from jaxopt_lite.types import ScalarOrSchedule, Tree


class HyperballState(NamedTuple):
    """``iter``: steps taken. ``radius``: the norm that each matrix had at the start; 0 for what is no matrix."""

    iter: jax.Array
    radius: Tree


@transform(needs=("params", "leaf"), after_rule=True, sets_rate=True)
def hyperball(lr: ScalarOrSchedule = 0.01):
    """Step on the sphere of each matrix's first norm R; only the direction of the rule's update counts.

        u ← R u / ‖u‖
        p ← R (p + lr u) / ‖p + lr u‖

    Use it in place of weight decay. Vectors and scalars, biases above all, keep the rule's own update. Not with
    `dadapt_adam`: gradients on the sphere do not vanish, and its rate grows without end.

    Args:
        lr: the angle of a step, about; a number, an array, or a schedule. The rule's own lr has no effect on matrices.

    Example:
        >>> opt = chain(sgd(), hyperball(lr=0.1))
        >>> params = {"kernel": 2 * jnp.eye(2)}
        >>> updates, state = opt.update(params, opt.init(params), params)
        >>> after = apply_updates(params, updates)
        >>> print(f"{jnp.linalg.norm(after['kernel']):.3f}")
        2.828

    State: `HyperballState`, 4 bytes per leaf. A matrix of zeros has no direction to keep, and stays zero.
    Source: Wen et al. (2025), "Fantastic pretraining optimizers and where to find them 2: hyperball".
    """

    def init(params):
        def radius(p):
            return norm(p) if p.ndim > 1 else replicated_zeros(p, (), jnp.float32)

        return HyperballState(zero_steps(params), jax.tree.map(radius, params))

    def update(updates, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(u, p, R):
            ahead = p + lr_t * R * safe_divide(u, norm(u))
            return R * safe_divide(ahead, norm(ahead)) - p if u.ndim > 1 else u

        return each(rule, updates, p=params, R=state.radius), HyperballState(next_step(state.iter), state.radius)

    return init, update
