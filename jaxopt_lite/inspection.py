"""Views of an optimizer: the numbers of the next step, and the rule of each group of parameters."""

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
    """An optimizer or a transform inside another optimizer, or the outermost optimizer.

    ``prefix``: the prefix of the names of its numbers; up to the last slash, the name of its group. ``iter``: its
    counter. ``steps``: True if its own rule steps parameters. ``params``: these parameters. ``state``: its own arrays.
    """

    prefix: str
    opt: Transform
    iter: jax.Array
    steps: bool
    params: Tree
    state: list[Any]


def parts_of(opt: Transform, state: Any, params: Tree = None, prefix: str = "") -> Iterator[Part]:
    """Walk through an optimizer, from the outside to the inside.

    The form of the state shows its parts. A tuple has the states of a chain, in order. A dict has the states of groups,
    by name. Any other state has the state of the one optimizer inside in its field ``inner``.

    Args:
        opt: the optimizer, or a transform.
        state: its state, or the shapes of its state.
        params: its parameters; None if they are not needed.
        prefix: the prefix of the names of its numbers.

    Raises:
        ValueError: ``state`` is not a state of ``opt``.
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
    """Raise for a state that cannot belong to this chain, or to these groups."""
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
    """Return True for the state of a chain; a checkpoint may return a list."""
    return isinstance(state, tuple | list) and not hasattr(state, "_fields")


def hyperparams(opt: Transform, state: Any) -> dict[str, Any]:
    """Return the learning rates, weight decays and all other schedules of the next step, for logging.

    Args:
        opt: the optimizer, with all wrappers and parts.
        state: its state. Each schedule is read at the counter of its own part.

    Returns:
        Scalars by name: ``lr`` for the rule; ``weight_decay.lr`` for a transform in a chain. Transforms of one kind are
        numbered (``weight_decay2.lr``). ``head/lr`` is for the rule of the group ``head``, and ``others/lr`` for the
        optimizer beside a rule for matrices. If two parts have a number of one name, the inner part's name stands
        before its own: ``ademamix.alpha``.

    Raises:
        ValueError: ``state`` is not a state of ``opt``.

    Example:
        >>> opt = sgd(lr=schedules.linear(0.0, 1.0, steps=10))
        >>> state = opt.init(1.0)
        >>> for _ in range(3):
        ...     updates, state = opt.update(1.0, state)
        >>> print(f"{hyperparams(opt, state)['lr']:.1f}")
        0.3
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
    """Print a table of the groups of parameters, with the rule of each group and the bytes of its state.

    Args:
        opt: the optimizer.
        params: arrays, or ``jax.ShapeDtypeStruct``.

    Example:
        >>> describe(adam(), {"kernel": jnp.ones((3, 2)), "bias": jnp.ones(2)})
        ┏...
        ┃ group ┃ paths  ┃ parameters ┃ rule ┃ lr    ┃ weight decay ┃ bytes of state ┃
        ...
        │       │ bias   │          8 │ adam │ 0.001 │              │             68 │
        │       │ kernel │            │      │       │              │                │
        ...
        2 of 2 leaves have at most 8192 entries: pack(params) would not pay.

    It needs rich, from the extra ``race``. Each group has a row. Each wrapper and transform with a state has a row as
    well. The last row is the sum. A line below says if `pack` would pay.
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
