"""Schedules as hyperparameters: each step is the rule's step with the numbers at its ``iter``."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core.arguments import check_scheduled
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.tree.paths import groups_of
from jaxopt_lite.tree.zeros import next_step, zero_steps
from jaxopt_lite.types import Scalar, ScalarOrSchedule, Tree


class CountedState(NamedTuple):
    """``iter``: steps taken, the input of the schedules. ``inner``: the state of a rule without its own counter."""

    iter: jax.Array
    inner: Any


def by_schedules(opt: Any, schedules: dict[str, Callable[..., Any]]) -> tuple[Any, Any, frozenset[str]]:
    """Return the pair of a rule with schedules as arguments, for a body that expects numbers.

    Each step makes the rule anew with the numbers at ``iter``, and takes one step of it.
    The rule does not see a change: a bias correction takes the beta of this step as the beta of all steps before.
    The state is the rule's own state, or a `CountedState` around a state without ``iter``.

    Returns:
        ``init``, ``update``, and the keywords that the update asks for.
    """

    def at_step(iter: Any) -> Any:
        return opt.replace(**{name: at(schedule, iter) for name, schedule in schedules.items()})

    first = at_step(zero_steps(None))

    def init(params: Tree) -> Any:
        state = first.unchecked.init(params)
        return state if hasattr(state, "iter") else CountedState(zero_steps(params), state)

    def update(grads: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        counted = isinstance(state, CountedState)
        updates, new = at_step(state.iter).unchecked.update(grads, state.inner if counted else state, params, **extra)
        return updates, CountedState(next_step(state.iter), new) if counted else new

    vars(init)["groups"] = groups_of(first.implementation)
    return init, update, first.keywords


def at(number: ScalarOrSchedule, iter: jax.Array) -> Scalar:
    """Return the value of a hyperparameter at step ``iter``, counted from 0; a number is returned as it is.

    Python numbers stay Python numbers, exact and weakly typed. Arrays are returned in at least float32.

    Raises:
        TypeError: the schedule did not return one number.

    Example:
        >>> iter = jnp.int32(4)
        >>> print(at(0.1, iter), f"{at(schedules.linear(0.0, 1.0, steps=10), iter):.1f}")
        0.1 0.4
    """
    if callable(number):
        schedule, number = number, number(iter)
        check_scheduled(schedule, number)
    if isinstance(number, int | float):
        return number
    # Integers become float32, because -lr of an unsigned integer would be four billion.
    return (
        to_compute_dtype(number)
        if jnp.issubdtype(jnp.result_type(number), jnp.floating)
        else jnp.asarray(number, jnp.float32)
    )
