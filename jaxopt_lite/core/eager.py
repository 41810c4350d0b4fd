"""A step with checks and casts, and its compiled form for calls outside ``jit``.

Outside ``jit``, JAX would dispatch each operation of a step by itself, and run all checks at each step.
So ``Optimizer.update`` calls one ``jax.jit`` of `checked_step`, with the optimizer as an argument.
The optimizer's constants are part of the cache key, so equal optimizers share one compiled step.
"""

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
    """Step once: check the input, compute in at least float32, and return the dtypes of the parameters."""
    updates, params = as_arrays((updates, params_with_gradient(updates, params)))
    with jax.numpy_dtype_promotion("standard"):
        state = checks.check_update(opt, updates, state, params, extra)
        like = updates if params is None else params
        # A float32 gradient is cast to float64 if its parameter is float64, because arithmetic needs the wider dtype.
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
# Keys and values are weak references, because a step holds its optimizer: strong references would never be freed.
# A step lives as long as one of the optimizers that share it.
_own: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = weakref.WeakKeyDictionary()


def compiled_step(opt: Any) -> Callable[..., tuple[Tree, Any]]:
    """Return the compiled step of an optimizer; equal optimizers share it.

    The cache of ``jit`` keeps its keys for good, and with them all objects that a key holds.
    A plain optimizer (numbers, arrays, functions of a module) is a harmless key, and is passed to one shared ``jit``.
    An optimizer with a closure or a bound method (as a schedule) gets its own ``jit``, which is freed with it.
    """
    if opt.is_plain:
        return functools.partial(_shared, opt)
    step = _own.get(opt, lambda: None)()
    if step is None:
        step = jax.jit(functools.partial(checked_step, opt), inline=True)
        _own[opt] = weakref.ref(step)
    return step
