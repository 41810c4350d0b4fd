"""Averages of the parameters along the way."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import Optimizer, optimizer
from jaxopt_lite.ops import add_updates, bias_correction, cast_like, copy, next_step, zero_steps
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.types import Scalar, Tree


class AverageState(NamedTuple):
    """``inner``: the optimizer's. ``iter``: steps taken. ``average``: of parameters; at first, those at the start."""

    inner: Any
    iter: jax.Array
    average: Tree


@optimizer(needs=("params",))
def average(opt: Optimizer, ema: Scalar | None = 0.999, debias: bool = True, begin: int = 0, every: int = 1):
    """Train as the optimizer does, and keep an average of the parameters to evaluate: `averaged_params`.

        n: how many parameters have been averaged, one in ``every`` steps, from step ``begin`` on
        average ← average + weight (p - average)
        weight = (1 - ema) / (1 - ema^n), without ``debias`` 1 - ema, and for ``ema=None`` 1 / n

    Use it to get at the end of training what a falling learning rate gives. ``ema=None`` alone is Polyak averaging;
    with ``begin`` and ``every`` it is stochastic weight averaging.

    Args:
        opt: the optimizer.
        ema: the share of the average that each step keeps, in [0, 1); None for equal weights.
        debias: let the first parameters that are averaged stand for those before.
        begin: how many steps are taken before the first that counts.
        every: how many steps later the next one counts.

    Example:
        >>> opt = average(sgd(0.1), ema=0.5)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{averaged_params(state):.3g}")
        0.8

    State: `AverageState`, 4 bytes per float32 parameter more than the optimizer's; at least float32.
    Source: Polyak & Juditsky (1992); SWA: Izmailov et al. (2018), arXiv:1803.05407. debias: as optax's ``ema``.
    """

    def init(params):
        return AverageState(opt.unchecked.init(params), zero_steps(params), copy(params))

    def update(grads, state, params=None, **extra):
        updates, inner = opt.unchecked.update(grads, state.inner, params, **extra)
        iter = next_step(state.iter)
        n = jnp.maximum((iter - begin + every - 1) // every, 1)
        biased = 1.0 if ema is None else 1 - ema
        weight = biased / (n if ema is None else bias_correction(ema, n) if debias else 1.0)
        weight = jnp.where((iter > begin) & ((iter - begin - 1) % every == 0), weight, 0)
        taken = add_updates(params, cast_like(updates, params))
        averaged = jax.tree.map(lambda a, p: a + weight * (to_compute_dtype(p) - a), state.average, taken)
        return updates, AverageState(inner, iter, averaged)

    return init, update
