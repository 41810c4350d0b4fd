"""LARS: every layer moves by a share of its own length."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, norm, trust_ratio, zero_steps, zeros_like
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class LARSState(NamedTuple):
    """``iter``: steps taken. ``velocity``: the fading sum of steps, learning rate included."""

    iter: jax.Array
    velocity: Tree


@optimizer(family="layerwise", paper="You et al. (2017), arXiv:1708.03888", needs=("params", "leaf"))
def lars(
    lr: ScalarOrSchedule = 1.0,
    momentum: Scalar = 0.9,
    weight_decay: ScalarOrSchedule = 0.0,
    trust_coefficient: Scalar = 0.001,
):
    """Build LARS, layer-wise adaptive rate scaling.

        ℓ = trust_coefficient ‖p‖ / (‖g‖ + λ ‖p‖)    leaf by leaf, 1 where ‖p‖ or what is below is 0; λ is weight_decay
        velocity ← momentum velocity - lr ℓ (g + λ p)
        p ← p + velocity

    Use it for convolutional networks with batches of thousands. A step is lr · trust_coefficient of a leaf's length.
    Its lr is 1 to 30 in the paper, and of another kind than Adam's. Biases and scales of normalisation do better
    without LARS; give them `momentum` in a `partition`.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of the velocity that each step keeps, in [0, 1).
        weight_decay: λ; a number, an array, or a schedule.
        trust_coefficient: η of the paper.

    Example:
        >>> opt = lars(lr=10.0)
        >>> updates, state = opt.update(2.0, opt.init(5.0), 5.0)
        >>> print(f"{apply_updates(5.0, updates):.3f}")
        4.950

    State: `LARSState`, 4 bytes per float32 parameter.
    Source: You et al. (2017), arXiv:1708.03888. optax has ‖g + λ p‖ in ℓ. pytorch_optimizer keeps lr outside the
    velocity, which is equal while lr is constant. It also leaves vectors out.
    """

    def init(params):
        return LARSState(iter=zero_steps(params), velocity=zeros_like(params))

    def update(grads, state, params=None):
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)

        def rule(g, velocity, p):
            local = trust_ratio(norm(p), norm(g) + shrink * norm(p), trust_coefficient)
            velocity = momentum * velocity - lr_t * local * (g + shrink * p)
            return velocity, velocity

        updates, velocity = each(rule, grads, state.velocity, p=params)
        return updates, LARSState(next_step(state.iter), velocity)

    return init, update
