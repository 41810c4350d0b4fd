"""Schedules where a rule expects numbers: each step is the rule's with the numbers of that step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jaxopt_lite.numerics import next_step
from jaxopt_lite.rules import at
from jaxopt_lite.trees import Tree, zero_steps


class CountedState(NamedTuple):
    """``iter``: steps taken, which the schedules count by. ``inner``: the state of what does not count them itself."""

    iter: jax.Array
    inner: Any


def by_schedules(opt: Any, schedules: dict[str, Callable[..., Any]]) -> tuple[Any, Any]:
    """The pair of an optimizer, or transform, of which these arguments are schedules, and its body expects numbers.

    It is what its factory gives for the numbers at ``iter``: a beta that changes enters a bias correction as if it had
    always been what it is now. The state is the rule's own, or a `CountedState` if that has no ``iter``.
    """

    def at_step(iter: Any) -> Any:
        return opt.replace(**{name: at(schedule, iter) for name, schedule in schedules.items()}).pair

    first = at_step(zero_steps(None))

    def init(params: Tree) -> Any:
        state = first.init(params)
        return state if hasattr(state, "iter") else CountedState(zero_steps(params), state)

    def update(grads: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        counted = isinstance(state, CountedState)
        updates, new = at_step(state.iter).update(grads, state.inner if counted else state, params, **extra)
        return updates, CountedState(next_step(state.iter), new) if counted else new

    return init, type(first.update)(update, first.update.keywords)
