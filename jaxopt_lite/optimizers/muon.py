"""Muon: momentum whose singular values are all the same."""

from typing import NamedTuple

import jax

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import Decay, at, decay_functions, each, next_step, zero_steps, zeros_like
from jaxopt_lite.ops.matrices import Axes, Hidden, Others, on_last_two_axes, split_hidden
from jaxopt_lite.ops.orthogonal import (
    Coefficients,
    Method,
    Preconditioning,
    Scale,
    in_triples,
    orthogonal,
    relative_scale,
)
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class MuonState(NamedTuple):
    """``iter``: steps taken. ``momentum``: B, the moving average of gradients."""

    iter: jax.Array
    momentum: Tree


@optimizer(
    family="matrix",
    paper="Jordan et al. (2024), kellerjordan.github.io/posts/muon",
    needs=("decay", "leaf", "matrices"),
)
def muon(
    lr: ScalarOrSchedule = 0.02,
    momentum: Scalar = 0.95,
    nesterov: bool = True,
    weight_decay: ScalarOrSchedule = 0.0,
    decay: Decay = "decoupled",
    peak_lr: Scalar | None = None,
    method: Method = "newton_schulz",
    steps: int = 5,
    coefficients: Coefficients = None,
    preconditioning: Preconditioning = "frobenius",
    scale: Scale = "original",
    bfloat16: bool = False,
    out_axis: Axes = -1,
    in_axis: Axes | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build Muon, momentum that is orthogonalised.

        B ← B + (1 - momentum) (g - B)
        U = orthogonal(g + momentum (B - g))    with nesterov, otherwise orthogonal(B)
        p ← p - lr s U - lr λ p                 λ is weight_decay, s = √max(1, fan_out / fan_in)

    Use it for the hidden matrices of transformers and other networks. Embeddings, head and vectors go to `adamw`:
    ``muon(others=adamw(), hidden="block*/kernel")``. Its lr is 10 to 50 times Adam's. With ``scale="match_rms_adamw"``,
    s is 0.2 √max(fan_in, fan_out), and lr and weight decay are Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        momentum: the share of ``B`` that each step keeps, in [0, 1).
        nesterov: look one step of the average ahead.
        weight_decay: λ; a number, an array, or a schedule.
        decay: "decoupled", "independent", "l2" or "proximal", as in `adamw`.
        peak_lr: the largest lr of the schedule, for "independent".
        method: "newton_schulz" brings singular values into [0.68, 1.20] in five steps, "polar_express" into [0.86,
            1.14]. Both hold above 0.003 of the norm.
        steps: the number of steps of ``method``.
        coefficients: a, b, c for all steps, or for each step, in place of the method's. The last triple repeats.
        preconditioning: the divisor of a matrix X before the first step. "frobenius": ‖X‖. "schatten": √‖X Xᴴ‖. "aol":
            for each row, the root of the sum of its |X Xᴴ|. The last two leave more of X, and may save a step.
        scale: "original", "match_rms_adamw", or "spectral", where s = √(fan_out / fan_in).
        bfloat16: multiply in bfloat16, and add up in float32; faster on processors with such products.
        out_axis: the axis of a matrix's outputs: -1 for flax's and haiku's kernels, (in, out); -2 for equinox's.
        in_axis: the axis of a matrix's inputs. None is the other one of the last two axes. All remaining axes are a
            stack of matrices: 0 steps each head of flax's queries, keys and values, (in, heads, size), by itself. A
            tuple of axes counts as one axis. ``in_axis=(0, 1, 2)`` makes one matrix of a convolution's kernel, (h, w,
            in, out), as the author does. ``in_axis=0, out_axis=(1, 2)`` makes one matrix of all heads. Leaves with
            different axes go to optimizers of their own in a `partition`.
        hidden: the leaves that are hidden matrices: a function ``(path, leaf) -> bool``, or patterns. None takes all
            leaves with two axes or more. It refuses names such as "embedding", "head" and "bias", and does not guess.
        others: the optimizer of all other leaves, `adamw` for instance; None allows no other leaves.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2), "bias": jnp.zeros(2)}
        >>> opt = muon(lr=0.1, method="polar_express", others=adamw(lr=0.001))
        >>> grads = {"kernel": jnp.diag(jnp.array([4.0, 0.5])), "bias": jnp.ones(2)}
        >>> updates, state = opt.update(grads, opt.init(params), params)
        >>> print(np.array(jnp.diag(updates["kernel"])).round(2), np.array(updates["bias"]).round(3))
        [-0.11 -0.09] [-0.001 -0.001]

    State: `MuonState`, 4 bytes per float32 parameter. With ``others``, the state is a dict of two states, with the keys
    ``hidden`` and ``others``.
    Source: Jordan et al. (2024), kellerjordan.github.io/posts/muon; "match_rms_adamw": Liu et al. (2025),
    arXiv:2502.16982; "polar_express": Amsel et al. (2025), arXiv:2505.16932; "schatten": Grishina et al. (2025),
    arXiv:2506.10935; "aol": Boissin et al. (2025), arXiv:2512.04632. It matches torch's ``Muon``, whose lr is 0.001 and
    whose λ is 0.1. optax corrects the bias of nesterov's two parts.
    """
    triples = in_triples("muon", coefficients)

    def init(params):
        return MuonState(iter=zero_steps(params), momentum=zeros_like(params))

    def update(grads, state, params=None):
        lr_t = at(lr, state.iter)
        add_l2, apply_decay = decay_functions(decay, weight_decay, lr, peak_lr, state.iter)

        def rule(g, B, p):
            g = add_l2(g, p)
            B = B + (1 - momentum) * (g - B)
            U = orthogonal(g + momentum * (B - g) if nesterov else B, method, steps, bfloat16, triples, preconditioning)
            return apply_decay(-lr_t * relative_scale(g.shape, scale) * U, p), B

        updates, B = each(on_last_two_axes(rule, out_axis, in_axis), grads, state.momentum, p=params)
        return updates, MuonState(next_step(state.iter), B)

    return split_hidden("muon", (init, update), hidden, others)
