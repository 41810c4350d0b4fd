"""Define what the rows are written with: sound parameters, gradients and a state to spoil, and parts of sentences."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxopt_lite
from jaxopt_lite import adam, optimizer

Row = tuple[str, type[Exception], str]
"""The code, the exception that it raises, and its sentence."""


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclasses.dataclass
class Halving:
    """A schedule that compares by its fields but, not being frozen, cannot be hashed."""

    start: float

    def __call__(self, iter):
        return self.start * 0.5**iter


def pulled(iter):
    return jnp.ones(3)


@optimizer(needs=("params",))
def decaying(lr=0.01, weight_decay=0.1):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g, p: -lr * (g + weight_decay * p), grads, params), state

    return jaxopt_lite.zero_steps, update


@optimizer(needs=("value", "params"))
def polyak(lr=0.01):
    def update(grads, state, params=None, *, value):
        return jax.tree.map(lambda g: -lr * value * g, grads), state

    return jaxopt_lite.zero_steps, update


@optimizer
def twice(inner):
    def update(grads, state, params=None, **extra):
        updates, state = inner.unchecked.update(grads, state, params, **extra)
        return jax.tree.map(lambda u: 2 * u, updates), state

    return inner.unchecked.init, update


def names() -> dict[str, Any]:
    """The names that the code of a row may use."""
    w, b = jnp.ones(3), jnp.ones(())
    params = {"layer": {"w": w, "b": b}}
    opt = adam()
    inputs = {"w": w, "b": b, "params": params, "grads": params, "opt": opt, "state": opt.init(params)}
    inputs |= {"key": jax.random.key(0)}
    tools = {"jax": jax, "jnp": jnp, "np": np, "Pair": Pair, "Halving": Halving, "pulled": pulled}
    mine = {"decaying": decaying, "polyak": polyak, "twice": twice}
    return {name: getattr(jaxopt_lite, name) for name in jaxopt_lite.__all__} | inputs | tools | mine


def layer(**leaves: str) -> str:
    return "{'layer': {" + ", ".join(f"'{name}': {leaf}" for name, leaf in leaves.items()) + "}}"


def given(grads: str = "grads", state: str = "state", params: str = "") -> str:
    return f"opt.update({grads}, {state}{params and ', ' + params})"


NUMBER, SHARE, POSITIVE = (f"a finite number{bounds} or a schedule" for bounds in ("", " in [0, 1)", " of at least 0"))
COUNT = "a whole number of at least 1"
WITHOUT = "put None in its place, as eqx.filter(model, eqx.is_inexact_array) does"
FLOATS = "and steps are taken in real or complex floats: " + WITHOUT
