"""KL-SOAP: SOAP with each factor whitened by the other."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import abs2, at, each, next_step, reduced_zeros, sqrt, when, zero_steps, zeros_like
from jaxopt_lite.ops.matrices import Hidden, Others, matrix_axes, on_last_two_axes, split_hidden
from jaxopt_lite.ops.preconditioners import Sides, averaged, kl_statistics, next_basis, rotated, square_zeros, unrotated
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class KLSOAPState(NamedTuple):
    """``iter``: steps taken. ``m``, ``v``: the moving averages of gradients and of their squares, in the bases.

    ``factors``: L and R. ``bases``: Q_L and Q_R, close to their eigenvectors. ``eigenvalues``: d_L of L, d_R of R.
    """

    iter: jax.Array
    m: Tree
    v: Tree
    factors: Tree
    bases: Tree
    eigenvalues: Tree


@optimizer(family="matrix", paper="Lin et al. (2025), arXiv:2509.03378", needs=("decay", "leaf", "matrices"))
def kl_soap(
    lr: ScalarOrSchedule = 0.003,
    beta1: Scalar = 0.95,
    beta2: Scalar = 0.95,
    shampoo_beta: Scalar = 0.95,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
    every: int = 10,
    out_axis: int = -1,
    in_axis: int | None = None,
    hidden: Hidden = None,
    others: Others = None,
):
    """Build KL-SOAP, SOAP by way of the Kullback-Leibler divergence.

        g' = Q_Lᵀ g Q_R
        m ← m + (1 - beta1) (g' - m)                    the first call takes no step: it finds the bases
        v ← v + (1 - beta2) (g'² - v)
        p ← p - lr Q_L (m / (√v + eps)) Q_Rᵀ - lr λ p   λ is weight_decay; no bias is corrected
        L ← L + (1 - shampoo_beta) (g Q_R (1 / d_R) Q_Rᵀ gᵀ / fan_out - L)
        R ← R + (1 - shampoo_beta) (gᵀ Q_L (1 / d_L) Q_Lᵀ g / fan_in - R)
        d_L ← d_L + (1 - shampoo_beta) (mean(g'² / d_R) - d_L)    over the outputs; d_R likewise, from the old d_L
        Q_L ← orthonormal(L Q_L)                        every so many steps, Q_R likewise; m turns with them

    Use it as `soap`. Here each factor sees gradients that the other factor has whitened, so that neither counts twice.
    Its lr is one to three times Adam's.

    Args:
        lr: learning rate; a number, an array, or a schedule of ``iter``, counted from 0.
        beta1: the share of ``m`` that each step keeps, in [0, 1).
        beta2: the share of ``v`` that each step keeps, in [0, 1).
        shampoo_beta: the share of the factors that each step keeps, in [0, 1).
        eps: added to √v; keeps the quotient finite for zero gradients.
        weight_decay: λ, decoupled; a number, an array, or a schedule.
        every: the number of steps from one change of the bases to the next.
        out_axis: the axis of a matrix's outputs, as in `muon`.
        in_axis: the axis of a matrix's inputs, as in `muon`.
        hidden: the leaves that are hidden matrices, as in `muon`.
        others: the optimizer of all other leaves, as in `muon`.

    Raises:
        ValueError: at ``init`` and ``update``, if a leaf is no hidden matrix and ``others`` is None.

    Example:
        >>> params = {"kernel": jnp.eye(2)}
        >>> opt = kl_soap(lr=0.1, weight_decay=0.0)
        >>> grads = {"kernel": jnp.diag(jnp.array([4.0, 0.5]))}
        >>> first, state = opt.update(grads, opt.init(params))
        >>> second, state = opt.update(grads, state)
        >>> print(abs(first["kernel"]).max(), np.array(jnp.diag(second["kernel"])).round(3))
        0.0 [-0.022 -0.022]

    State: `KLSOAPState`, 24 bytes per float32 parameter of a square matrix. These are 8 bytes per parameter, and 8
    fan_in² + 8 fan_out² bytes per matrix. With ``others``, the state is a dict of two states, with the keys ``hidden``
    and ``others``.
    Source: Lin et al. (2025), arXiv:2509.03378, in the order of the authors' code. d begins at 0.1, as there, but has
    no lower limit. Derivatives do not go through the bases.
    """

    def init(params):
        def squares():
            return jax.tree.map(lambda p: square_zeros(p, out_axis, in_axis), params)

        def tenths(p):
            into, out = matrix_axes(len(p.shape), out_axis, in_axis)
            of_inputs = jnp.moveaxis(reduced_zeros(p, out), into - (out < into), -1)
            of_outputs = jnp.moveaxis(reduced_zeros(p, into), out - (into < out), -1)
            return Sides(of_inputs + 0.1, of_outputs + 0.1)

        m, v = zeros_like(params), zeros_like(params, real=True)
        return KLSOAPState(zero_steps(params), m, v, squares(), squares(), jax.tree.map(tenths, params))

    def update(grads, state, params=None):
        lr_t, shrink = at(lr, state.iter), at(weight_decay, state.iter)
        begun, due = state.iter > 0, state.iter % every == 0

        def turned(m, factors, bases):
            new = jax.tree.map(lambda f, q: next_basis(f, q, begun), factors, bases)
            return rotated(unrotated(m, bases), new), new

        def rule(g, m, v, factors, bases, eigenvalues, p):
            along = rotated(g, bases)
            m = m + (1 - beta1) * (along - m)
            v = v + (1 - beta2) * (abs2(along) - v)
            u = -lr_t * unrotated(m / (sqrt(v) + eps), bases) - lr_t * shrink * p
            outer, values = kl_statistics(g, along, bases, eigenvalues, begun)
            factors = averaged(factors, outer, shampoo_beta)
            eigenvalues = averaged(eigenvalues, values, shampoo_beta)
            m, bases = when(due, lambda: turned(m, factors, bases), (m, bases))
            return jnp.where(begun, u, 0 * g), m, v, factors, bases, eigenvalues

        rule = on_last_two_axes(rule, out_axis, in_axis)
        updates, *kept = each(rule, grads, *state[1:], p=params)
        return updates, KLSOAPState(next_step(state.iter), *kept)

    return split_hidden("kl_soap", (init, update), hidden, others)
