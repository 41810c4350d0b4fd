"""Check, cast and step; outside of ``jit`` a step is one compiled call, which equal optimizers share."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core import checks
from jaxopt_lite.core.meshes import in_auto_axes
from jaxopt_lite.core.state_checks import check_new_state, check_state_shapes
from jaxopt_lite.tree.dtypes import cast, cast_like, to_compute_dtype
from jaxopt_lite.tree.structure import as_arrays, params_with_gradient
from jaxopt_lite.types import Tree


def checked_step(opt: Any, updates: Tree, state: Any, params: Tree, extra: dict[str, Any]) -> tuple[Tree, Any]:
    """Check the input, step in at least float32, and return updates in the dtypes of the parameters."""
    updates, params = as_arrays((updates, params_with_gradient(updates, params)))
    with jax.numpy_dtype_promotion("standard"):
        state = checks.check_update(opt, updates, state, params, extra)
        like = updates if params is None else params
        # A float32 gradient of a float64 parameter is worked on in float64.
        loaded = jax.tree.map(
            lambda g, p: cast(g, jnp.result_type(to_compute_dtype(g), to_compute_dtype(p))), updates, like
        )
        try:
            out, new = in_auto_axes(opt, loaded, jax.tree.map(to_compute_dtype, state), params, extra)
        except (AttributeError, TypeError, ValueError):
            check_state_shapes(opt, jax.eval_shape(opt.unchecked.init, like), state)
            raise
        check_new_state(opt, state, new)
        return cast_like(out, like), cast_like(new, state)


_shared = jax.jit(checked_step, inline=True)
# Both ends are weak, because a step holds its optimizer: it lives while one of the optimizers that share it does.
_own: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = weakref.WeakKeyDictionary()


def compiled_step(opt: Any) -> Callable[..., tuple[Tree, Any]]:
    """Return the compiled step of an optimizer, which it shares with those that are equal to it.

    The caches of ``jit`` keep their keys for good. So an optimizer that holds on to other objects, as a closure does,
    is no key there. Its compiled step dies with it.
    """
    if opt.is_plain:
        return functools.partial(_shared, opt)
    step = _own.get(opt, lambda: None)()
    if step is None:
        step = jax.jit(functools.partial(checked_step, opt), inline=True)
        _own[opt] = weakref.ref(step)
    return step
