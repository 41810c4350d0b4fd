"""Looking at an optimizer: the numbers in force, and what is done to which parameters."""

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.buffers import opened
from jaxopt_lite.kinds import kinds_of
from jaxopt_lite.packing import advice
from jaxopt_lite.paths import labels, map_with_path, only
from jaxopt_lite.protocol import Optimizer, Transform
from jaxopt_lite.rules import at
from jaxopt_lite.scheduled import CountedState
from jaxopt_lite.transforms.chain import chain
from jaxopt_lite.trees import Tree
from jaxopt_lite.wrappers.partition import partition


def hyperparams(opt: Transform, state: Any) -> dict[str, Any]:
    """The learning rates, weight decays, and all other schedules, as the next step will use them; for logging.

    Args:
        opt: the optimizer, with anything around it or inside it.
        state: its state. Schedules are read at the counter of the part that they are for.

    Returns:
        Scalars by name: ``lr`` for the rule's own; ``weight_decay.lr`` for a transform's in a chain, numbered where the
        chain has several of a kind (``weight_decay2.lr``); ``head/lr`` for the rule's of the group ``head``.
    """
    numbers = {}
    with jax.numpy_dtype_promotion("standard"):
        for prefix, part, own in _parts(opt, state, ""):
            kinds = kinds_of(part.factory)
            for name, argument in part.arguments.items():
                if name in kinds and (callable(argument) or (kinds[name].schedule and not kinds[name].whole)):
                    numbers[prefix + name] = at(argument, getattr(own, "iter", jnp.zeros((), int)))
    return numbers


def _parts(opt: Any, state: Any, prefix: str) -> Iterator[tuple[str, Transform, Any]]:
    """The optimizer and all that is inside it, each with its state and with what its numbers are called by."""
    yield prefix, opt, state
    state = state.inner if isinstance(state, CountedState) else state
    if opt.factory is chain:
        seen: list[str] = []
        for part, own in zip(opt.inside, state, strict=True):
            seen.append(part.name)
            again = seen.count(part.name)
            called = "" if isinstance(part, Optimizer) else f"{part.name}{again if again > 1 else ''}."
            yield from _parts(part, own, prefix + called)
    elif opt.factory is partition:
        for group, part in opt.arguments["groups"].items():
            yield from _parts(part, state[group], f"{prefix}{group}/")
    else:
        for part in opt.inside:
            if isinstance(part, Transform):
                yield from _parts(part, getattr(state, "inner", state), prefix)


def describe(opt: Optimizer, params: Tree) -> None:
    """Prints a table: which parameters are in which group, what rule they follow, and what it keeps of them.

    Args:
        opt: the optimizer.
        params: arrays, or ``jax.ShapeDtypeStruct``.

    Needs rich, from the extra ``race``. The last row is the whole; its state has what wrappers around keep as well. A
    line below tells whether `pack` would pay.
    """
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.table import Column, Table  # noqa: PLC0415 - an extra

    parameters, of_state = (Column(title, justify="right") for title in ("parameters", "bytes of state"))
    table = Table("group", "paths", parameters, "rule", "lr", "weight decay", of_state)
    for group, rule, mine in _groups(opt, params, ""):
        paths = jax.tree.leaves(map_with_path(lambda path, _: path, opened(mine)))
        shown = "\n".join([*paths[:3], f"… {len(paths) - 3} more"] if len(paths) > 4 else paths)
        numbers = [str(rule.arguments.get(name, "")) for name in ("lr", "weight_decay")]
        table.add_row(group, shown, f"{_count(mine):,}", rule.name, *numbers, f"{state_bytes(rule, mine):,}")
    table.add_section()
    table.add_row("all", "", f"{_count(params):,}", opt.name, "", "", f"{state_bytes(opt, params):,}")
    Console().print(table)
    Console().print(advice(params), highlight=False)


def _groups(opt: Optimizer, params: Tree, name: str) -> Iterator[tuple[str, Optimizer, Tree]]:
    """The rules, each with the name of its group and with the parameters in it."""
    if opt.factory is partition:
        groups, label = opt.arguments.values()
        names = labels(groups, label, params)
        for group, part in groups.items():
            yield from _groups(part, only(group, names, params), f"{name}/{group}" if name else group)
    elif inside := [part for part in opt.inside if isinstance(part, Optimizer)]:
        yield from _groups(inside[0], params, name)
    else:
        yield name, opt, params


def _count(tree: Tree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(opened(tree)))


def state_bytes(opt: Optimizer, params: Tree) -> int:
    """What the state of an optimizer takes; ``params`` are arrays, or ``jax.ShapeDtypeStruct``."""
    leaves = jax.tree.leaves(jax.eval_shape(opt.init, params))
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)
