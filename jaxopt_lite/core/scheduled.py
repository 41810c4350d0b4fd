"""Schedules where a rule expects numbers: each step is the rule's with the numbers of that step."""

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
    """``iter``: steps taken, which the schedules count by. ``inner``: the state of what does not count them itself."""

    iter: jax.Array
    inner: Any


def by_schedules(opt: Any, schedules: dict[str, Callable[..., Any]]) -> tuple[Any, Any, frozenset[str]]:
    """Return the pair of an optimizer whose body expects numbers where these arguments are schedules.

    Each step is that of the numbers at ``iter``: a beta that changes enters a bias correction as if it had always been
    what it is now. The state is the rule's own, or a `CountedState` if that has no ``iter``.

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
    """Return the value of a hyperparameter at step ``iter``, counted from 0: a schedule's, or the number itself.

    Python numbers stay Python numbers, exact and weakly typed; arrays come back in at least float32.

    Raises:
        TypeError: the schedule gave something other than one number.

    Example:
        >>> print(at(0.1, 3), at(lambda step: 1 / (1 + step), jnp.array(3)))
        0.1 0.25
    """
    if callable(number):
        schedule, number = number, number(iter)
        check_scheduled(schedule, number)
    if isinstance(number, int | float):
        return number
    # An unsigned integer would turn -lr into four billion.
    return (
        to_compute_dtype(number)
        if jnp.issubdtype(jnp.result_type(number), jnp.floating)
        else jnp.asarray(number, jnp.float32)
    )
