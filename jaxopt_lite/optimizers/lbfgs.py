"""L-BFGS: Newton's direction from the last few steps, and a line search along it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import optimizer
from jaxopt_lite.ops import (
    add_updates,
    cast,
    cast_like,
    difference,
    dot,
    each,
    next_step,
    norm,
    replicated_scalar,
    safe_divide,
    zero_steps,
    zeros_like,
)
from jaxopt_lite.ops.linesearch import Point, zoom
from jaxopt_lite.types import Scalar, Tree


class LBFGSState(NamedTuple):
    """``iter``: steps taken. ``value``, ``grad``: the function's, at the end of the last step; inf and 0 at first.

    ``steps``, ``changes``: the last s and y, the newest first, along an axis of their own.
    """

    iter: jax.Array
    value: jax.Array
    grad: Tree
    steps: Tree
    changes: Tree


@optimizer(
    family="second-order",
    paper="Liu & Nocedal (1989), Mathematical Programming 45",
    needs=("params", "value", "grad", "value_fn", "tree"),
)
def lbfgs(memory: int = 10, c1: Scalar = 1e-4, c2: Scalar = 0.9, max_evaluations: int = 20):
    """Build limited-memory BFGS with a line search.

        d = -H g                     H of the last ``memory`` pairs s, y, from ⟨s, y⟩ / ⟨y, y⟩ of the newest
        η ← zoom(value_fn, p, d)     the strong Wolfe conditions; looks at 1 first, at a step of length 1 without pairs
        p ← p + η d
        s, y = η d, (the gradient at the new p) - g      kept where ⟨s, y⟩ > ulp ‖s‖ ‖y‖

    Use it for smooth functions whose gradient has no noise: fits, physics, whole data sets. There it takes some tens of
    steps. It has no learning rate like Adam's.

    ``update`` needs ``value`` and ``grad`` at p, and ``value_fn``. ``value_fn`` is a function of the parameters alone,
    and returns one number. The search has already computed the next value and gradient.
    ``value_and_grad_from_state(value_fn)(params, state=state)`` takes them from the state.

    Put the whole step in one ``jax.jit``, with ``value_fn`` a function inside it. Outside, every new function, such as
    a lambda, compiles the search anew, and a warning says so. Under ``jax.pmap`` and ``jax.shard_map``, pass `pmean_fn`
    of that function.

    Args:
        memory: the number of pairs that are kept.
        c1: the smallest descent of a step, as a share of the descent that the slope promises.
        c2: the largest slope at the end of a step, as a share of the first slope.
        max_evaluations: the largest number of points in a search. If none is good, the pairs are forgotten.

    Example:
        >>> opt, params = lbfgs(), jnp.zeros(2)
        >>> @jax.jit
        ... def step(params, state):
        ...     def value_fn(x):
        ...         return (x[0] - 3) ** 2 + 10 * (x[1] + 1) ** 2
        ...     value, grad = value_and_grad_from_state(value_fn)(params, state=state)
        ...     updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)
        ...     return apply_updates(params, updates), state
        >>> state = opt.init(params)
        >>> for _ in range(8):
        ...     params, state = step(params, state)
        >>> print(np.array(params).round(3))
        [ 3. -1.]

    State: `LBFGSState`, 84 bytes per float32 parameter: 8 for each pair, and 4.
    Source: Liu & Nocedal (1989), "On the limited memory BFGS method for large scale optimization"; Nocedal & Wright
    (2006), algorithms 7.4 and 7.5. It is optax's ``lbfgs``, but its search looks at other points.
    """

    def init(params):
        def stack():
            return jax.tree.map(lambda z: jnp.broadcast_to(z[None], (memory, *z.shape)), zeros_like(params))

        # inf, because optax.value_and_grad_from_state takes every finite value for the result of a search.
        nowhere = replicated_scalar(params, jnp.inf)
        return LBFGSState(zero_steps(params), nowhere, zeros_like(params), stack(), stack())

    def update(grads, state, params=None, *, value, grad, value_fn):
        grads, grad, params, value, pairs = jax.lax.stop_gradient((grads, grad, params, value, state[3:]))

        def first(q, pair):
            s, y = pair
            sy = dot(s, y)
            a = safe_divide(dot(s, q), sy)
            return each(lambda q, y: q - a * y, q, y=y), (a, sy)

        def second(r, pair):
            s, y, a, sy = pair
            b = safe_divide(dot(y, r), sy)
            return each(lambda r, s: r + (a - b) * s, r, s=s), None

        q, (a, sy) = jax.lax.scan(first, grads, pairs, length=memory)
        newest = jax.tree.map(lambda y: y[0], pairs[1])
        yy = dot(newest, newest)
        size = jnp.where(yy > 0, safe_divide(sy[0], yy), safe_divide(jnp.ones(()), norm(grads)))
        Hg, _ = jax.lax.scan(second, each(lambda q: size * q, q), (*pairs, a, sy), reverse=True)

        def rule(h, t):
            return -t * h

        def along(t):  # cast, because the search must look at the rounded end of the step
            return cast_like(each(rule, Hg, t=t), params)

        def look(t):
            value, conjugates = jax.value_and_grad(value_fn)(add_updates(params, along(t)))
            here = jax.tree.map(lambda g, h: cast(jnp.conj(g), h.dtype), conjugates, Hg)
            return Point(t, cast_like(value, start.value), cast_like(-dot(here, Hg), start.slope)), here

        one = jnp.ones_like(state.value)
        start = Point(jnp.zeros_like(one), cast_like(value, one), cast_like(-dot(grad, Hg), one))
        here = jax.tree.map(lambda g, h: cast(g, h.dtype), grad, Hg)
        search = zoom(look, start, here, one, c1=c1, c2=c2, most=max_evaluations)
        updates = along(search.low.t)
        s, y = updates, difference(search.grad, here)
        keep, forget = dot(s, y) > jnp.finfo(one.dtype).eps * norm(s) * norm(y), search.low.t == 0

        def remembered(old, new):
            pushed = jnp.concatenate([new[None], old[:-1]])
            return jnp.where(forget, 0, jnp.where(keep, pushed, old))

        steps, changes = (each(remembered, old, new=new) for old, new in zip(state[3:], (s, y), strict=True))
        value, grad = cast_like((search.low.value, search.grad), (state.value, state.grad))
        return updates, LBFGSState(next_step(state.iter), value, grad, steps, changes)

    return init, update
