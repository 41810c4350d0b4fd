"""What is raced on: the loss, where it starts, and what its parameters are worth."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.tree.structure import format_leaf, is_function
from jaxopt_lite.types import Tree


class Task(NamedTuple):
    """What is raced on: ``loss`` of parameters and a batch, ``params`` or a function of a key that gives them.

    ``evaluate``: a number of parameters and ``eval_data`` to rank by; None to rank by the loss. ``test_data``: for the
    score at the end, or None. ``metric``: the name of that number.
    """

    loss: Callable[..., Any]
    params: Any
    seeds: tuple[int, ...]
    evaluate: Callable[..., Any] | None = None
    eval_data: Any = None
    test_data: Any = None
    metric: str = "eval"

    def loss_on(self, batch: Tree) -> Callable[[Tree], Any]:
        """Return the loss on a batch, as a function of the parameters.

        Raises:
            TypeError: it returned something other than one real number.
        """

        def value(params: Tree) -> Any:
            return _number("loss", self.loss(params) if batch is None else self.loss(params, batch))

        return value

    def value_of(self, params: Tree, eval_data: Any) -> Any:
        """Return the result of ``evaluate``; raise as `loss_on` does."""
        assert self.evaluate is not None
        return _number(
            "eval", self.evaluate(params, eval_data) if jax.tree.leaves(eval_data) else self.evaluate(params)
        )

    def start(self, given: Any) -> Tree:
        """Return the parameters of every seed, from the keys or from the one tree that ``given`` is."""
        if is_function(self.params):
            return jax.vmap(self.params)(given)
        return jax.tree.map(lambda p: jnp.broadcast_to(p, (len(self.seeds), *jnp.shape(p))), given)

    @property
    def init_input(self) -> Any:
        """Return the input of ``start``."""
        if is_function(self.params):
            return jax.vmap(jax.random.key)(jnp.asarray(self.seeds, jnp.uint32))
        return jax.tree.map(lambda p: jnp.array(p, jnp.result_type(p)), self.params)


def _number(name: str, value: Any) -> Any:
    if isinstance(value, int | float):
        value = jnp.asarray(value)
    dtype = getattr(value, "dtype", None)
    if dtype is None or value.shape or not (jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)):
        raise TypeError(f"race: {name} must return one real number, not {format_leaf(value)}")
    return value if jnp.issubdtype(dtype, jnp.floating) else value.astype(float)


def name_of(evaluate: Callable[..., Any] | None) -> str:
    """Return the name of what a function measures: its own, if it has one that tells."""
    name = getattr(evaluate, "__name__", "eval")
    return name.replace("_", " ") if name.isidentifier() else "eval"
