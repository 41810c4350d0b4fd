"""What stands in a state: found by name, and where it should live."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core.checks import check_kept
from jaxopt_lite.tree.dtypes import cast_as, to_compute_dtype
from jaxopt_lite.types import Tree


def find(state: Any, name: str) -> Any:
    """Return the field of this name in a state, through chains, groups and wrappers.

    Args:
        state: an optimizer's. A chain's is a tuple of states, and a partition's a dict. A wrapper's has another one in
            its field ``inner``.
        name: the name of a field, such as ``m`` or ``skipped``.

    Returns:
        The tree of that name.

    Raises:
        ValueError: there is none, or there are several, in which case the sentence says where.

    Example:
        >>> opt = chain(clip(1.0), adam())
        >>> print(find(opt.init(jnp.zeros(2)), "m"))
        [0. 0.]
    """
    fields = list(_fields(state, "state"))
    found = [(where, value) for where, field, value in fields if field == name]
    if not found:
        raise ValueError(
            f"find: there is no {name!r} in this state; there are {', '.join(sorted({f for _, f, _ in fields}))}"
        )
    if len(found) > 1:
        raise ValueError(f"find: {name!r} is more than one: {', '.join(where for where, _ in found)}")
    return found[0][1]


def _fields(state: Any, where: str) -> Iterator[tuple[str, str, Any]]:
    """Yield where each named part of a state is, its name, and the part."""
    for field in getattr(state, "_fields", ()):
        yield f"{where}.{field}", field, getattr(state, field)
    if hasattr(state, "inner"):
        yield from _fields(state.inner, f"{where}.inner")
    elif type(state) is tuple:
        for i, part in enumerate(state):
            yield from _fields(part, f"{where}[{i}]")
    elif type(state) is dict:
        for key, part in state.items():
            yield from _fields(part, f"{where}[{key!r}]")


def averaged_params(state: Any) -> Tree:
    """Return the parameters' average, from a state with `average` in it; at least float32.

    Raises:
        ValueError: no `average`, or more than one, has a part in this state.

    Example:
        >>> opt = average(sgd(0.1), ema=0.5)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> print(f"{averaged_params(state):.3g}")
        0.8
    """
    return _kept_by("average(opt)", "averaged_params", state, "average")


def _kept_by(maker: str, call: str, state: Any, name: str) -> Any:
    """Return a field of a state; refuse a state without it in the name of ``call``."""
    try:
        return find(state, name)
    except ValueError as error:
        instead = f"; it is kept by {maker}" if "there is no" in str(error) else ""
        raise ValueError(f"{call}: {str(error).removeprefix('find: ')}{instead}") from None


def evaluation_params(state: Any, params: Tree) -> Tree:
    """Return the parameters to evaluate, x, of `schedule_free_sgd` or `schedule_free_adamw`.

        x = p + (1 - 1 / beta1) (z - p)

    Args:
        state: the state after some steps.
        params: p, the parameters after the same steps, where gradients are taken; training goes on from these.

    Returns:
        x, in the dtypes of ``params``; what another group steps as it is.

    Raises:
        ValueError: no schedule-free rule, or more than one, has a part in this state, or it is not of these parameters.

    Example:
        >>> opt = schedule_free_sgd(lr=0.1)
        >>> updates, state = opt.update(2.0, opt.init(1.0), 1.0)
        >>> params = apply_updates(1.0, updates)
        >>> print(f"{evaluation_params(state, params):.3g}")
        0.8
    """
    rules = "schedule_free_sgd and schedule_free_adamw"
    beta1, z = (_kept_by(rules, "evaluation_params", state, name) for name in ("beta1", "z"))
    check_kept("evaluation_params", "z", z, params)

    def evaluated(z: Any, p: Any) -> Any:
        if z is None:
            return p
        y = to_compute_dtype(p)
        return cast_as(y + (1 - 1 / beta1) * (z - y), p)

    return jax.tree.map(evaluated, z, params, is_leaf=lambda z: z is None)


def value_and_grad_from_state(value_fn: Callable[..., Any]) -> Callable[..., tuple[jax.Array, Tree]]:
    """Return a ``jax.value_and_grad`` that takes the last value and gradient from a state of `lbfgs`.

    Args:
        value_fn: the function that ``update`` was given, of parameters and perhaps of more.

    Returns:
        A function of the same arguments and of ``state``. Before the first step it evaluates; afterwards it does not,
        and so ``params`` must be where that step ended, and the function must be the same: not another batch's.

    Raises:
        ValueError: the state is neither that of `lbfgs` nor that of a chain that ends in it: what is around it, or
            after it, may have changed the function, or where the step ended. Or it is not of these parameters.

    Example:
        >>> opt, f = lbfgs(), lambda x: (x - 1) ** 2
        >>> value, grad = value_and_grad_from_state(f)(3.0, state=opt.init(3.0))
        >>> print(f"{value:.3g} {grad:.3g}")
        4 4
    """

    def value_and_grad(params: Tree, *args: Any, state: Any, **kwargs: Any) -> tuple[jax.Array, Tree]:
        last = state[-1] if type(state) is tuple and state else state
        if not {"iter", "value", "grad"} <= set(getattr(last, "_fields", ())):
            raise ValueError(
                "value_and_grad_from_state: the state must be that of lbfgs, or of a chain that ends in it; "
                "around or before anything else, use jax.value_and_grad"
            )
        iter, value, grad = last.iter, last.value, last.grad
        check_kept("value_and_grad_from_state", "grad", grad, params)

        def evaluated() -> Any:
            return jax.value_and_grad(value_fn)(params, *args, **kwargs)

        def kept() -> Any:
            form = jax.eval_shape(value_fn, params, *args, **kwargs)
            gradient = jax.tree.map(lambda g, p: jnp.conj(g).astype(jnp.result_type(p)), grad, params)
            return value.astype(form.dtype), gradient

        now: tuple[jax.Array, Tree] = jax.lax.cond(iter == 0, evaluated, kept)
        return now

    return value_and_grad
