"""Looking at an optimizer: the numbers in force, and what is done to which parameters."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core.hyperparameters import ranges_of
from jaxopt_lite.core.protocol import Optimizer, Transform
from jaxopt_lite.core.scheduled import CountedState, at
from jaxopt_lite.packing import advice
from jaxopt_lite.transforms.chain import chain
from jaxopt_lite.tree.packed import unpack_with
from jaxopt_lite.tree.paths import groups_of, map_with_path, select_group
from jaxopt_lite.tree.structure import as_arrays
from jaxopt_lite.tree.structure import format_leaf as form
from jaxopt_lite.types import Tree


class Part(NamedTuple):
    """An optimizer or a transform inside another one, or that one itself.

    ``prefix``: what its numbers are called by; up to its last slash, the group that it steps. ``iter``: its counter.
    ``steps``: whether its own rule steps parameters. ``params``: those. ``state``: the arrays that it keeps itself.
    """

    prefix: str
    opt: Transform
    iter: jax.Array
    steps: bool
    params: Tree
    state: list[Any]


def parts_of(opt: Transform, state: Any, params: Tree = None, prefix: str = "") -> Iterator[Part]:
    """Walk through an optimizer, from the outside to the inside.

    The state tells where its parts are: a tuple has those of a chain, in order; a dict those of groups, by name; and
    anything else has that of the one optimizer inside in its field ``inner``.

    Args:
        opt: the optimizer, or a transform.
        state: its state, or the shapes of it.
        params: what it steps; None where nobody asks.
        prefix: what its numbers are called by.

    Raises:
        ValueError: ``state`` is not that of ``opt``.
    """
    counted = isinstance(state, CountedState)
    kept, groups = state.inner if counted else state, groups_of(opt.implementation)
    inside = [x for x in opt.children if isinstance(x, Transform)]
    children: list[tuple[Transform, Any, Tree, str]] = []
    mine, rule = params, kept
    _check_form(opt, groups, kept)
    if groups:
        names = None if params is None else groups.names_of(params)
        for name, part in groups.parts.items():
            of_group = None if params is None else select_group(name, names, params)
            if part is None:
                mine, rule = of_group, kept[name]
            else:
                children.append((part, kept[name], of_group, f"{prefix}{name}/"))
    elif _is_tuple(kept) and inside:
        seen: list[str] = []
        for part, own in zip(inside, kept, strict=True):
            seen.append(part.name)
            again = seen.count(part.name)
            called = "" if isinstance(part, Optimizer) else f"{part.name}{again if again > 1 else ''}."
            children.append((part, own, params, prefix + called))
    else:
        children = [(part, getattr(kept, "inner", kept), params, prefix) for part in inside]
    within = {id(x) for _, own, *_ in children for x in jax.tree.leaves(own)}
    own = [x for x in jax.tree.leaves(state) if id(x) not in within]
    iter = getattr(state if counted else rule, "iter", jnp.zeros((), int))
    steps = rule is not kept or not any(isinstance(part, Optimizer) for part, *_ in children)
    yield Part(prefix, opt, iter, steps and isinstance(opt, Optimizer), mine, own)
    for part, state_of_part, of_part, called in children:
        yield from parts_of(part, state_of_part, of_part, called)


def _check_form(opt: Transform, groups: Any, state: Any) -> None:
    """Refuse a state that cannot be that of a chain, or of groups."""
    given = form(state)
    if groups and not (isinstance(state, Mapping) and state.keys() == groups.parts.keys()):
        given = f"of {', '.join(map(repr, state))}" if isinstance(state, Mapping) else given
        listed = ", ".join(map(repr, groups.parts))
        raise ValueError(f"hyperparams: the state of this {opt.name} is a dict of {listed}, not {given}")
    count = len(opt.children)
    if opt.factory is chain and not (_is_tuple(state) and len(state) == count):
        given = f"a tuple of {len(state)}" if type(state) is tuple else given
        raise ValueError(f"hyperparams: the state of this chain is a tuple of {count}, not {given}")


def _is_tuple(state: Any) -> bool:
    """Return whether a state is a chain's; checkpoints may give a list back."""
    return isinstance(state, tuple | list) and not hasattr(state, "_fields")


def hyperparams(opt: Transform, state: Any) -> dict[str, Any]:
    """Return the learning rates, weight decays and schedules as the next step will use them, for logging.

    Args:
        opt: the optimizer, with anything around it or inside it.
        state: its state. Schedules are read at the counter of the part that they are for.

    Returns:
        Scalars by name: ``lr`` for the rule's own; ``weight_decay.lr`` for a transform's in a chain, numbered where the
        chain has several of a kind (``weight_decay2.lr``); ``head/lr`` for the rule's of the group ``head``, and
        ``others/lr`` for the optimizer beside a rule for matrices. Where two parts have numbers of one name, the inner
        one's has its part before it: ``ademamix.alpha``.

    Raises:
        ValueError: ``state`` is not that of ``opt``.

    Example:
        >>> opt = chain(clip(1.0), adam(schedules.linear(0.1, 0.0, steps=10)))
        >>> print(hyperparams(opt, opt.init(jnp.zeros(2))))
        {'lr': Array(0.1, dtype=float32)}
    """
    numbers: dict[str, Any] = {}
    with jax.numpy_dtype_promotion("standard"):
        for part in parts_of(opt, state):
            ranges = ranges_of(part.opt.factory)
            for name, argument in part.opt.arguments.items():
                if name in ranges and (callable(argument) or (ranges[name].schedule and not ranges[name].integer)):
                    called = part.prefix + name
                    called = f"{part.prefix}{part.opt.name}.{name}" if called in numbers else called
                    numbers[called] = at(argument, part.iter)
    return numbers


def describe(opt: Optimizer, params: Tree) -> None:
    """Print a table of groups: their parameters, their rule, and the bytes of its state.

    Args:
        opt: the optimizer.
        params: arrays, or ``jax.ShapeDtypeStruct``.

    Needs rich, from the extra ``race``. Each group has a row, and so has each wrapper and transform around it that
    keeps something; the last row is their sum. A line below tells whether `pack` would pay.

    Example:
        >>> describe(adam(), {"w": jnp.ones((2, 3))})  # doctest: +ELLIPSIS
        ┏━━━━━━━┳━━━━━━━┳━━━━━━━━━━━━┳━━━━━━┳━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
        ┃ group ┃ paths ┃ parameters ┃ rule ┃ lr    ┃ weight decay ┃ bytes of state ┃
        ┡━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━╇━━━━━━╇━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
        │       │ w     │          6 │ adam │ 0.001 │              │             52 │
        ├───────┼───────┼────────────┼──────┼───────┼──────────────┼────────────────┤
        │ all   │       │          6 │ adam │       │              │             52 │
        └───────┴───────┴────────────┴──────┴───────┴──────────────┴────────────────┘
        1 of 1 leaves have at most 8192 entries: pack(params) would not pay.
    """
    from rich.console import Console  # noqa: PLC0415 - an extra
    from rich.table import Column, Table  # noqa: PLC0415 - an extra

    params = as_arrays(params)
    parameters, of_state = (Column(title, justify="right") for title in ("parameters", "bytes of state"))
    table = Table("group", "paths", parameters, "rule", "lr", "weight decay", of_state)
    for part in parts_of(opt, jax.eval_shape(opt.init, params), params):
        rule, kept = part.opt, _bytes(part.state)
        numbers = [str(rule.arguments.get(name, "")) for name in ("lr", "weight_decay")]
        if part.steps:
            paths = jax.tree.leaves(map_with_path(lambda path, _: path, unpack_with(part.params)))
            shown = "\n".join([*paths[:3], f"… {len(paths) - 3} more"] if len(paths) > 4 else paths)
            group = part.prefix.rpartition("/")[0]
            table.add_row(group, shown, f"{_count(part.params):,}", rule.name, *numbers, f"{kept:,}")
        elif kept:
            table.add_row("", "", "", rule.name, *numbers, f"{kept:,}")
    table.add_section()
    table.add_row("all", "", f"{_count(params):,}", opt.name, "", "", f"{state_bytes(opt, params):,}")
    Console().print(table)
    Console().print(advice(params), highlight=False)


def _count(tree: Tree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(unpack_with(tree)))


def state_bytes(opt: Optimizer, params: Tree) -> int:
    """Return the bytes of an optimizer's state; ``params`` are arrays, or ``jax.ShapeDtypeStruct``."""
    return _bytes(jax.eval_shape(opt.init, params))


def _bytes(state: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
