"""Scion: steps to the far side of a ball, in a norm that suits the layer."""

from typing import Literal, NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import at, each, next_step, sign, zero_steps, zeros_like
from jaxopt_lite.ops.matrices import Axes, Hidden, Others, on_last_two_axes, split_hidden
from jaxopt_lite.ops.orthogonal import Coefficients, Method, in_triples, orthogonal
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class ScionState(NamedTuple):
    """``iter``: steps taken. ``momentum``: the moving average of gradients."""

    iter: jax.Array
    momentum: Tree


@optimizer(family="matrix", paper="Pethick et al. (2025), arXiv:2502.07529", needs=("params", "leaf", "matrices"))
def scion(
    lr: ScalarOrSchedule = 0.00025,
    momentum: Scalar = 0.9,
    radius: Scalar = 50.0,
    norm: Literal["spectral", "sign", "sign_fan_in"] = "spectral",
    constrained: bool = True,
    method: Method = "newton_schulz",
    steps: int = 5,
    coefficients: Coefficients = None,
    bfloat16: bool = False,
    out_axis: Axes = -1,
    in_axis: Axes | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build Scion, stochastic conditional gradients.

        m ← m + (1 - momentum) (g - m)
        step = √(fan_out / fan_in) orthogonal(m)    for "spectral"; "sign": sign(m); "sign_fan_in": sign(m) / fan_in
        p ← p - lr radius step - lr p               without the last part, if not ``constrained``

    Use it for whole networks at one lr, which stays right as they widen. Hidden matrices have radius 50, with
    ``hidden="block*/kernel"`` for instance. Embedding and head go to
    ``others=scion(radius=3000.0, norm="sign", hidden="embed*|head/kernel", others=adamw())``. Its lr times its radius
    is 10 to 50 times Adam's lr.

    Args:
        lr: the share of the way to the ball's far side; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of ``m`` that each step keeps, in [0, 1).
        radius: ρ of the paper, the radius of the ball.
        norm: the norm of the ball: "spectral" for hidden matrices, "sign" for embeddings, "sign_fan_in" for heads.
        constrained: stay within the ball. Otherwise the radius is only the unit of the step, and nothing decays.
        method: "newton_schulz" or "polar_express", as in `muon`.
        steps: the number of steps of ``method``.
        coefficients: a, b, c for all steps, or for each step, in place of the method's; as in `muon`.
        bfloat16: multiply in bfloat16, as in `muon`.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = scion(lr=0.1, radius=2.0, norm="sign")
        >>> updates, state = opt.update({"kernel": jnp.array([[1.0, -7.0], [0.1, 3.0]])}, opt.init(params), params)
        >>> print(np.array(apply_updates(params, updates)["kernel"]).round(2))  # 0.9 p - 0.2 sign(m)
        [[ 0.7  0.2]
         [-0.2  0.7]]

    State: `ScionState`, 4 bytes per float32 parameter. With ``others``, the state is a dict of two states, with the
    keys ``hidden`` and ``others``.
    Source: Pethick et al. (2025), arXiv:2502.07529, algorithms 1 and 2, with the scales of the authors' code. There, lr
    is 2⁻¹², and momentum is 1 - ours. A convolution's kernel, (h, w, in, out), is one matrix there, at 1 / (h w).
    """
    triples = in_triples("scion", coefficients)

    def init(params):
        return ScionState(iter=zero_steps(params), momentum=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)

        def rule(g, m, p):
            m = m + (1 - momentum) * (g - m)
            fan_in, fan_out = m.shape[-2:]
            if norm == "spectral":
                step = (fan_out / fan_in) ** 0.5 * orthogonal(m, method, steps, bfloat16, triples)
            else:
                step = sign(m) / (fan_in if norm == "sign_fan_in" else 1)
            return -lr_t * (radius * step + (p if constrained else 0)), m

        updates, m = each(on_last_two_axes(rule, out_axis, in_axis), grads, state.momentum, p=params)
        return updates, ScionState(next_step(state.iter), m)

    return split_hidden("scion", (init, update), hidden, others)
