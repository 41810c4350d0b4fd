"""The lanes: every optimizer at every rate, for every seed, in one compiled program."""

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.protocol import apply_updates
from jaxopt_lite.inspection import state_bytes
from jaxopt_lite.race.batches import Batches
from jaxopt_lite.race.entrants import Entrant
from jaxopt_lite.race.task import Task
from jaxopt_lite.types import Tree

# Bytes of batches that are handed to the device at once.
BYTES_KEPT = 2**26


class Carry(NamedTuple):
    """What a block of lanes hands from step to step; every array has leading axes of seeds and lanes.

    ``params``: all lanes', entrant after entrant. ``states``: one tree for each entrant, of its own lanes.
    """

    params: Tree
    states: tuple[Any, ...]


class Block(NamedTuple):
    """Lanes that run together. ``lanes``: for each entrant which of its lanes, -1 where a place is free."""

    lanes: tuple[np.ndarray, ...]
    numbers: tuple[Any, ...]
    carry: Carry | None


class Track:
    """The blocks of lanes, and the one program that moves any of them.

    It is compiled for blocks of ``widths`` lanes of the entrants. Lanes that fall out leave free places, and once what
    is left fits into fewer blocks it moves together: there is less to compute, and nothing to compile again.
    """

    task: Task
    entrants: Sequence[Entrant]
    batches: Batches
    widths: Sequence[int]
    longest: int
    bounds: list[tuple[int, int]]
    compile_seconds: float
    program: Any
    blocks: list[Block]

    def __init__(
        self, task: Task, entrants: Sequence[Entrant], batches: Batches, widths: Sequence[int], longest: int
    ) -> None:
        self.task, self.entrants, self.batches, self.widths, self.longest = task, entrants, batches, widths, longest
        self.bounds = list(itertools.pairwise(itertools.accumulate(widths, initial=0)))
        self.compile_seconds = 0.0
        self.program = None
        self.blocks = [
            Block(lanes, self._numbers(lanes), None) for lanes in self._seat([range(len(e.lanes)) for e in entrants])
        ]

    def bytes(self) -> list[int]:
        """Return the bytes of the state of one lane, for each entrant."""
        params = jax.eval_shape(self.task.start, self.task.init_input)
        params = jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape[1:], p.dtype), params)
        return [state_bytes(e.lanes[0], params) for e in self.entrants]

    def global_ids(self, lanes: Sequence[np.ndarray]) -> np.ndarray:
        """Return the numbers, among the lanes of all entrants, of these lanes of each; -1 stays."""
        firsts = itertools.accumulate([0, *(len(e.lanes) for e in self.entrants[:-1])])
        return np.concatenate([np.where(mine < 0, -1, mine + first) for mine, first in zip(lanes, firsts, strict=True)])

    @property
    def width(self) -> int:
        """Return how many lanes are computed at every step, free places included."""
        return len(self.blocks) * sum(self.widths)

    def run_chunk(self, now: Tree, evaluate: bool) -> tuple[np.ndarray, np.ndarray]:
        """Take as many steps as ``now`` has batches for.

        Returns:
            The losses before each step, shape (lanes, seeds, steps). The values of the parameters after the last one,
            shape (lanes, seeds), NaN unless ``evaluate``. Lanes are all entrants' in order, and NaN where a lane has
            fallen out.
        """
        count = len(jax.tree.leaves(now)[0])
        if self.program is None:
            most = BYTES_KEPT // max(1, sum(x.nbytes // count for x in jax.tree.leaves(now)))
            self.longest = max(count, min(self.longest, most))
        padded = jax.tree.map(lambda x: np.concatenate([x, np.repeat(x[:1], self.longest - count, 0)]), now)
        padded = jax.device_put(padded)
        if self.program is None:
            self._compile(padded)
        outs = []
        for i, block in enumerate(self.blocks):
            args = block.carry, block.numbers, self.batches.source, padded, count, evaluate, self.task.eval_data
            carry, losses, values = self.program(*args)
            self.blocks[i] = block._replace(carry=carry)
            outs.append((losses, values))
        total = sum(len(e.lanes) for e in self.entrants)
        shape = total, len(self.task.seeds)
        losses, values = (np.full(s, np.nan, jnp.result_type(float)) for s in ((*shape, count), shape))
        for block, (new_losses, new_values) in zip(self.blocks, outs, strict=True):
            lanes = self.global_ids(block.lanes)
            losses[lanes[lanes >= 0]] = np.asarray(new_losses)[:count].transpose(2, 1, 0)[lanes >= 0]
            values[lanes[lanes >= 0]] = np.asarray(new_values).T[lanes >= 0]
        return losses, values

    def test(self) -> np.ndarray:
        """Return what ``eval`` says of the test data, shape (lanes, seeds), NaN where a lane has fallen out."""
        of_all = jax.jit(jax.vmap(jax.vmap(self.task.value_of, (0, None)), (0, None)))
        values = np.full((sum(len(e.lanes) for e in self.entrants), len(self.task.seeds)), np.nan)
        for block in self.blocks:
            assert block.carry is not None
            lanes = self.global_ids(block.lanes)
            values[lanes[lanes >= 0]] = np.asarray(of_all(block.carry.params, self.task.test_data)).T[lanes >= 0]
        return values

    def retain(self, alive: Sequence[Any]) -> None:
        """Go on with these lanes of each entrant only, in as few blocks as they fit into."""
        seats = self._seat(alive)
        if len(seats) == len(self.blocks):
            return
        old, self.blocks = self.blocks, []
        carries = jax.tree.map(_on_host, [block.carry for block in old])
        for lanes in seats:
            picks = [[_place(old, k, lane) for lane in mine] for k, mine in enumerate(lanes)]
            in_all = [(b, first + i) for (first, _), mine in zip(self.bounds, picks, strict=True) for b, i in mine]
            params = _pick([carry.params for carry in carries], in_all)
            states = tuple(_pick([carry.states[k] for carry in carries], mine) for k, mine in enumerate(picks))
            self.blocks.append(Block(lanes, self._numbers(lanes), Carry(params, states)))

    def _seat(self, alive: Sequence[Any]) -> list[tuple[np.ndarray, ...]]:
        blocks = max(-(-len(lanes) // width) for lanes, width in zip(alive, self.widths, strict=True))
        padded = [
            np.concatenate([lanes, np.full(blocks * width - len(lanes), -1)]).astype(int)
            for lanes, width in zip(alive, self.widths, strict=True)
        ]
        return [
            tuple(lanes[i * width : (i + 1) * width] for lanes, width in zip(padded, self.widths, strict=True))
            for i in range(blocks)
        ]

    def _numbers(self, lanes: tuple[np.ndarray, ...]) -> tuple[Any, ...]:
        pairs = zip(self.entrants, lanes, strict=True)
        return tuple(jax.tree.map(lambda x, mine=mine: x[np.maximum(mine, 0)], e.numbers) for e, mine in pairs)

    def _compile(self, now: Tree) -> None:
        began = time.perf_counter()
        # What runs once is not worth the compiler's time: unoptimised, random numbers are ready to be drawn in a fifth
        # of it. And in two programs, or they are drawn again wherever they are used.
        once = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
        params = jax.jit(self.task.start, compiler_options=once)(self.task.init_input)
        start = jax.jit(self._start, compiler_options=once)
        self.blocks = [block._replace(carry=start(block.numbers, params)) for block in self.blocks]
        args = self.blocks[0].carry, self.blocks[0].numbers, self.batches.source, now, 1, True, self.task.eval_data
        self.program = jax.jit(self._run, donate_argnums=0).lower(*args).compile()
        self.compile_seconds = time.perf_counter() - began

    def _start(self, numbers: tuple[Any, ...], params: Tree) -> Carry:
        params = jax.tree.map(lambda p: jnp.repeat(p[:, None], sum(self.widths), axis=1), params)
        inits = [_over_lanes(lambda n, p, e=e: e.build(n).init(p), (None, 0)) for e in self.entrants]
        states = [init(n, self._of(params, k)) for k, (init, n) in enumerate(zip(inits, numbers, strict=True))]
        return Carry(params, tuple(states))

    def _of(self, tree: Tree, k: int) -> Tree:
        start, stop = self.bounds[k]
        return jax.tree.map(lambda x: x[:, start:stop], tree)

    def _run(
        self, carry: Carry, numbers: Any, source: Tree, now: Tree, count: Any, evaluate: Any, eval_data: Any
    ) -> Any:
        shape = len(self.task.seeds), sum(self.widths)

        def step(i: Any, loop: tuple[Carry, jax.Array]) -> tuple[Carry, jax.Array]:
            carry, losses = loop
            batch = self.batches.batch(source, jax.tree.map(lambda x: x[i], now))
            carry, values = self._step(carry, numbers, batch)
            return carry, losses.at[i].set(values.astype(losses.dtype))

        losses = jnp.full((self.longest, *shape), jnp.nan)
        carry, losses = jax.lax.fori_loop(0, count, step, (carry, losses))
        nothing = jnp.full(shape, jnp.nan)
        if self.task.evaluate is None:
            return carry, losses, nothing
        of_all = jax.vmap(jax.vmap(self.task.value_of, (0, None)), (0, None))
        values = jax.lax.cond(evaluate, lambda: of_all(carry.params, eval_data).astype(nothing.dtype), lambda: nothing)
        return carry, losses, values

    def _step(self, carry: Carry, numbers: tuple[Any, ...], batch: Tree) -> tuple[Carry, jax.Array]:
        """Step every lane: all gradients at once, then each entrant's update of its own."""

        def gradient(params: Tree, batch: Tree) -> tuple[jax.Array, Tree]:
            value, grads = jax.value_and_grad(self.task.loss_on(batch))(params)
            return value, jax.tree.map(jnp.conj, grads)  # which turns complex ones uphill, and leaves real ones alone

        seeds = 0 if self.batches.by_seed else None
        values, grads = _over_lanes(gradient, (0, seeds), (0, None))(carry.params, batch)

        def update(build, numbers, grads, state, params, value, batch):
            extra = {"value": value, "grad": grads, "value_fn": self.task.loss_on(batch)}
            updates, state = build(numbers).update(grads, state, params, **extra)
            return apply_updates(params, updates), state

        params, states = [], []
        for k, e in enumerate(self.entrants):
            mine = [self._of(x, k) for x in (grads, carry.params, values)]
            lanes = _over_lanes(functools.partial(update, e.build), (None, 0, 0, 0, 0, seeds), (0, 0, 0, 0, 0, None))
            new, state = lanes(numbers[k], mine[0], carry.states[k], mine[1], mine[2], batch)
            params.append(new)
            states.append(state)
        return Carry(jax.tree.map(lambda *x: jnp.concatenate(x, 1), *params), tuple(states)), values


def _over_lanes(
    f: Callable[..., Any], seeds: tuple[Any, ...], lanes: tuple[Any, ...] | None = None
) -> Callable[..., Any]:
    """Return a function of one lane over all seeds and lanes, whose arguments have these axes, 0 or None."""
    return jax.vmap(jax.vmap(f, lanes or 0), seeds)


def _on_host(x: jax.Array) -> Any:
    return x if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else np.asarray(x)


def _place(blocks: Sequence[Block], k: int, lane: int) -> tuple[int, int]:
    """Return the block of an entrant's lane, and its place there; any, for a free place."""
    found = ((b, list(block.lanes[k]).index(lane)) for b, block in enumerate(blocks) if lane in block.lanes[k])
    return next(found) if lane >= 0 else (0, 0)


def _pick(trees: Sequence[Tree], picks: Sequence[tuple[int, int]]) -> Tree:
    """Return a tree whose lane i is the lane ``picks[i]``, (block, place), of the trees."""

    def pick(*leaves: Any) -> Any:
        library = np if isinstance(leaves[0], np.ndarray) else jnp
        return jax.device_put(library.stack([leaves[block][:, place] for block, place in picks], axis=1))

    return jax.tree.map(pick, *trees)
