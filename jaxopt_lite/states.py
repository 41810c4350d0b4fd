"""Parts of a state, found by name."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core.checks import check_kept
from jaxopt_lite.tree.dtypes import cast_as, to_compute_dtype
from jaxopt_lite.types import Tree


def find(state: Any, name: str) -> Any:
    """Return the field of a state with this name, through chains, groups and wrappers: ``find(state, "m")``.

    Args:
        state: the state of an optimizer. The state of a chain is a tuple of states. The state of a partition is a dict.
            The state of a wrapper has the inner state in its field ``inner``.
        name: the name of a field, such as ``m`` or ``skipped``.

    Returns:
        The tree of that name.

    Raises:
        ValueError: no field has that name, or several fields have it; then the message names their places.

    Example:
        >>> state = chain(clip(1.0), adam()).init({"kernel": jnp.ones(2)})
        >>> print(find(state, "m")["kernel"])
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
    """Yield the place, the name and the value of each field of a state."""
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
    """Return the average of the parameters from the state of `average`, in at least float32.

    The state may be the state of an optimizer around `average`.

    Raises:
        ValueError: the state has no part of `average`, or several.

    Example:
        >>> opt = average(sgd(lr=0.1))
        >>> state, params = opt.init(1.0), 1.0
        >>> for _ in range(2):
        ...     updates, state = opt.update(1.0, state, params)
        ...     params = apply_updates(params, updates)
        >>> print(f"{params:.2f} {averaged_params(state):.2f}")
        0.80 0.85
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
    """Return x, the parameters for evaluation, from the state of `schedule_free_sgd` or `schedule_free_adamw`.

        x = p + (1 - 1 / beta1) (z - p)

    The state may be the state of an optimizer around such a rule.

    Args:
        state: the state after some steps.
        params: p, the parameters after the same steps. Gradients are taken at p, and training continues from p.

    Returns:
        x, in the dtypes of ``params``. Parameters of other groups are returned unchanged.

    Raises:
        ValueError: the state has no part of a schedule-free rule, or several; or it belongs to other parameters.

    Example:
        >>> opt = schedule_free_sgd(lr=0.5, beta1=0.5)
        >>> state, p = opt.init(1.0), 1.0
        >>> for _ in range(2):
        ...     updates, state = opt.update(1.0, state, p)
        ...     p = apply_updates(p, updates)
        >>> print(f"p = {p:.3f}, z = {state.z:.3f}, x = {evaluation_params(state, p):.3f}")
        p = 0.125, z = 0.000, x = 0.250
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
    """Return ``jax.value_and_grad`` of a function, with the last value and gradient taken from a state of `lbfgs`.

    The line search of `lbfgs` has already evaluated both at the end of its step.

    Args:
        value_fn: the function that ``update`` got, of the parameters and perhaps of more arguments.

    Returns:
        A function of the same arguments and of ``state``. It evaluates ``value_fn`` before the first step alone. Later,
        ``params`` must be those after the last step, and the function must be the same, with the same batch.

    Raises:
        ValueError: the state is not a state of `lbfgs`, or of a chain with `lbfgs` at its end. Other wrappers and
            transforms may change the function, or the end of the step. Or the state belongs to other parameters.

    Example:
        >>> def loss(p):
        ...     return (p - 3.0) ** 2
        >>> value_and_grad, opt = value_and_grad_from_state(loss), lbfgs()
        >>> params, state = jnp.array(1.0), opt.init(1.0)
        >>> value, grad = value_and_grad(params, state=state)
        >>> print(f"{value:.1f} {grad:.1f}")
        4.0 -4.0
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
