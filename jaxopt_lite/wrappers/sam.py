"""Sharpness-aware minimization."""

from typing import Any, NamedTuple

import jax

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.training import perturbed_params
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Scalar


class SAMState(NamedTuple):
    """``inner``: the optimizer's."""

    inner: Any


@optimizer(needs=("params", "value_fn", "tree"))
def sam(opt: Optimizer, rho: Scalar = 0.05):
    """Step along the gradient at the worst place nearby.

        ĝ = ∇f(p + rho g / ‖g‖)    with the norm of all leaves together

    Use it for flatter minima, at twice the cost of a step: ``opt.update(grads, state, params, value_fn=f)`` takes the
    second gradient itself. Call it within ``jit``: a function among the keywords is no argument of a compiled step.
    A model's state, as batch norm has one, is kept from the first gradient, which is taken at the parameters:

        (value, new), grads = jax.value_and_grad(loss, has_aux=True)(params, stats, batch)
        updates, state = opt.update(grads, state, params, value_fn=lambda p: loss(p, stats, batch)[0])
        params, stats = apply_updates(params, updates), new

    `train_step` with ``has_aux`` does the same. For the second gradient of another batch, close over that one. To take
    the second gradient yourself, ``sam`` is not needed: take it at `perturbed_params`, and give it to ``opt.update``.

    Args:
        opt: the optimizer, which gets ĝ in place of g.
        rho: how far away the place is, in the unit of the parameters.

    Asks for ``value_fn``, the function of the parameters whose gradient was given; of another batch, if it should be.
    Under ``jax.pmap`` and ``jax.shard_map`` give it `pmean_fn` of that function.

    Example:
        >>> opt, f = sam(sgd(1.0), rho=0.5), lambda x: x**2
        >>> step = jax.jit(lambda x, state: opt.update(jax.grad(f)(x), state, x, value_fn=f))
        >>> updates, state = step(1.0, opt.init(1.0))
        >>> print(updates)  # the gradient at 1.5
        -3.0

    State: `SAMState`, the optimizer's.
    Source: Foret et al. (2021), arXiv:2010.01412.
    """

    def init(params):
        return SAMState(opt.unchecked.init(params))

    def update(grads, state, params=None, *, value_fn, **extra):
        conjugates = jax.grad(value_fn)(perturbed_params(params, grads, rho))
        there = jax.tree.map(lambda g: to_compute_dtype(g).conj(), conjugates)
        updates, inner = opt.unchecked.update(there, state.inner, params, value_fn=value_fn, **extra)
        return updates, SAMState(inner)

    return init, update
