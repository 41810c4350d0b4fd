"""Where the batches come from: drawn from arrays on the device, streamed from an iterable, or nowhere."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxopt_lite.tree.structure import format_leaf
from jaxopt_lite.types import Tree

# The book's.
DEFAULT_BATCH_SIZE = 100


class Batches(NamedTuple):
    """What a program needs of the data.

    ``source``: what is handed to the program, whole. ``take(count)``: what is handed to it for the next steps, with a
    leading axis of steps; None once there are no more. ``batch(source, now)`` is the batch of one step, where ``now``
    is that step's part of what was taken. ``by_seed``: whether the batch has a leading axis of seeds.
    """

    source: Tree
    take: Callable[[int], Tree]
    batch: Callable[[Tree, Tree], Tree]
    by_seed: bool = False


def batches_of(data: Any, batch_size: int | str | None, seeds: tuple[int, ...]) -> Batches:
    """Return the batches that ``race`` takes from its ``data``.

    Raises:
        TypeError: ``data`` is neither arrays, nor an iterable, nor None.
        ValueError: its arrays differ in length, or are shorter than a batch; or a batch is asked for of no arrays.
    """
    if data is None:
        _no_batch_size(batch_size, "there is no data")
        return Batches((), np.zeros, lambda source, now: None)
    if isinstance(data, Iterable) and not isinstance(data, tuple | Mapping | jax.Array | np.ndarray):
        _no_batch_size(batch_size, "data is an iterable of batches")
        return Batches((), _Stream(data), lambda source, now: now)
    if not all(np.ndim(x) for x in jax.tree.leaves(data)):
        raise TypeError(f"race: data must be arrays, an iterable of batches, or None, not {format_leaf(data)}")
    arrays = jax.device_put(data)
    lengths = {x.shape[0] for x in jax.tree.leaves(arrays)}
    if len(lengths) != 1:
        raise ValueError(f"race: the arrays in data must be of one length, not {', '.join(map(str, sorted(lengths)))}")
    length = lengths.pop()
    size = min(DEFAULT_BATCH_SIZE, length) if batch_size is None else batch_size
    size = int(size) if isinstance(size, np.integer) else size
    if size == "all":
        return Batches(arrays, np.zeros, lambda source, now: source)
    if not isinstance(size, int) or not 1 <= size <= length:
        raise ValueError(
            f"race: batch_size is {size!r}, and data has {length} examples: 'all' takes all of them at every step"
        )
    draws = [_draws(length, size, seed) for seed in seeds]

    def take(count: int) -> np.ndarray:
        return np.array([[next(draw) for draw in draws] for _ in range(count)], np.int32)

    return Batches(arrays, take, lambda source, now: jax.tree.map(lambda x: x[now], source), by_seed=True)


def _no_batch_size(batch_size: Any, reason: str) -> None:
    if batch_size is not None:
        raise ValueError(f"race: batch_size is {batch_size}, and {reason}")


def _draws(length: int, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield every example once an epoch, in a new order; examples that fill no batch wait for the next epoch."""
    # By NumPy on the host: a batch is a handful of integers, and jax.random would take longer to compile than to run.
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(length)
        for start in range(0, length - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


class _Stream:
    """Batches as they come, from the start again where the iterable can be started again."""

    def __init__(self, data: Iterable[Any]) -> None:
        self.data, self.batches, self.first = data, iter(data), None

    def __call__(self, count: int) -> Tree:
        taken = []
        for _ in range(count):
            batch = next(self.batches, None)
            if batch is None and not isinstance(self.data, Iterator):
                self.batches = iter(self.data)
                batch = next(self.batches, None)
            if batch is None:
                break
            batch = jax.tree.map(np.asarray, batch)
            form = jax.tree.map(lambda x: (x.shape, x.dtype), batch)
            if self.first is None:
                self.first = form
            if form != self.first:
                raise ValueError(
                    f"race: a batch has the shapes {_shapes(batch)}, where the first was another; "
                    "leave out what does not fill a batch (drop_last=True); what belongs together goes in a tuple"
                )
            taken.append(batch)
        return jax.tree.map(lambda *x: np.stack(x), *taken) if taken else None


def _shapes(batch: Tree) -> str:
    return ", ".join(str(x.shape) for x in jax.tree.leaves(batch))
