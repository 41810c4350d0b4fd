"""What is refused, and the sentence that it is refused with.

All of it reads structures, shapes and dtypes only, and so happens while a step is traced: a compiled step pays nothing.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.hyperparameters import ranges_of
from jaxopt_lite.tree.places import Place
from jaxopt_lite.tree.structure import fill_none, first_difference, format_leaf, is_prefix, same_structure
from jaxopt_lite.types import Tree

KEYWORDS = {"params", "value", "grad", "value_fn", "key"}
NUMBERS = {
    "value": "the loss at params",
    "weight": "of what this gradient counts as",
    "flush": "True at the last gradient",
}
WITHOUT = "put None in its place, as eqx.filter(model, eqx.is_inexact_array) does"
NEEDS = KEYWORDS | {"decay", "matrices", "leaf", "tree"}


def check_init(opt: Any, params: Tree) -> None:
    """What ``Optimizer.init`` refuses."""
    call = f"{opt.name}.init"
    check_arrays(call, params=params)
    _check_scalars(call, opt)
    check_floats(call, params=params)


def check_update(opt: Any, updates: Tree, state: Any, params: Tree, extra: dict[str, Any]) -> None:
    """What ``Optimizer.update`` refuses before a step."""
    call, given = f"{opt.name}.update", {"params": params} | extra
    _check_scalars(call, opt)
    for need in sorted(opt.needs & KEYWORDS):
        if given.get(need) is None:
            inside = "" if need == "params" else "; inside optax's chain it stands as to_optax(…)"
            raise TypeError(f"{call}: {need} is missing, and this rule needs it{inside}")
    for name in sorted(extra.keys() & NUMBERS.keys()):
        if np.ndim(extra[name]):
            raise ValueError(f"{call}: {name} has shape {np.shape(extra[name])}, and is one number, {NUMBERS[name]}")
    skeleton = _skeleton(opt, updates, state)
    if type(skeleton) in {type(updates), type(params)} and type(state) is not type(skeleton):
        raise TypeError(
            f"{call}: the order is gradients, state, params, and {format_leaf(skeleton)} did not come second"
        )
    if not jax.tree_util.all_leaves([skeleton], _is_place) and type(state) is not type(skeleton):
        raise TypeError(f"{call}: state is {format_leaf(state)}, where {opt.name}.init gives {format_leaf(skeleton)}")
    if params is not None:
        _check_alike(call, "gradients", updates, "params", params)
    check_floats(call, gradients=updates, params=params)
    if params is not None:
        _check_real(call, "gradients", updates, "params", params)
    _check_state(opt, skeleton, updates if params is None else params, state)


def check_state_shapes(opt: Any, expected: Any, state: Any) -> None:
    """What ``Optimizer.update`` refuses when a step has failed; to ask this before every step would take its time."""
    _check_structure(opt, expected, state, same_structure)
    for (path, leaf), other in _pairs(state, expected, np.shape):
        shapes = f"has shape {np.shape(leaf)}, where {opt.name}.init gives {other.shape} for these gradients"
        raise ValueError(f"{opt.name}.update: {_at('state', path)} {shapes}") from None


def check_new_state(opt: Any, state: Any, new: Any) -> None:
    """Refuse a step of ``Optimizer.update`` that changed the structure of the state."""
    if not same_structure(state, new):
        path, before, after = first_difference((), state, new, same_structure)
        raise ValueError(f"{opt.name}.update: {_at('state', path)} was {before}, and the step made it {after}")


def check_kept(call: str, name: str, kept: Tree, params: Tree) -> None:
    """What refuses a state that is not of these parameters; None stands for what it has nothing of."""
    structures = (jax.tree.structure(tree, is_leaf=lambda x: x is None) for tree in (kept, params))
    if len(set(structures)) > 1:
        raise ValueError(
            f"{call}: the state's {name} has another structure than params; of nnx.Optimizer give nnx.as_pure of both"
        )
    _check_alike(call, name, fill_none(kept, params), "params", params)


def check_apply(call: str, name: str, updates: Tree, params: Tree) -> None:
    """Refuse what cannot be added to parameters, for ``apply_updates`` and others that add."""
    _check_alike(call, name, updates, "params", params)
    check_floats(call, **{"params": params, name: updates})
    _check_real(call, name, updates, "params", params)


def check_declaration(body: Callable[..., Any], needs: Iterable[str]) -> None:
    """What ``@optimizer`` refuses."""
    for unknown in set(needs) - NEEDS:
        raise ValueError(
            f"{body.__name__}: {unknown!r} is nothing that a rule can need; there are {', '.join(sorted(NEEDS))}"
        )
    if "decay" in needs and "weight_decay" not in inspect.signature(body).parameters:
        raise ValueError(f"{body.__name__}: it needs 'decay', and has no argument weight_decay")


def _check_scalars(call: str, opt: Any) -> None:
    ranges = ranges_of(opt.factory)
    for name, argument in opt.arguments.items():
        if name in ranges and not ranges[name].several and np.ndim(argument) > 0:
            raise ValueError(
                f"{call}: {name} has shape {np.shape(argument)}, and a step takes one number: "
                "jax.vmap over the optimizer runs them all"
            )
    for inner in opt.children:
        _check_scalars(call, inner)


def check_numbers(call: str, **numbers: Any) -> None:
    """Refuses arrays of several numbers, which would be broadcast."""
    for name, number in numbers.items():
        if np.ndim(number):
            raise ValueError(f"{call}: {name} has shape {np.shape(number)}, and must be one number")


def check_examples(call: str, name: str, tree: Tree) -> None:
    """Refuses leaves that do not all begin with an axis of the same examples."""
    counts = [np.shape(leaf)[:1] for leaf in jax.tree.leaves(tree)]
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if np.shape(leaf)[:1] != counts[0] or counts[0] in {(), (0,)}:
            needed = "all leaves must begin with an axis of as many examples, one at least"
            raise ValueError(f"{call}: {_at(name, path)} has shape {np.shape(leaf)}: {needed}")


def check_arrays(call: str, **trees: Tree) -> None:
    """Refuses leaves that are no arrays at all: strings, functions, other objects."""
    for name, tree in trees.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            if not (hasattr(leaf, "shape")) and type(leaf) not in (
                bool,
                int,
                float,
                complex,
            ):
                instead = f": {WITHOUT}" if callable(leaf) else ""
                raise TypeError(f"{call}: {_at(name, path)} is {format_leaf(leaf)}, not an array{instead}") from None


def check_floats(call: str, **trees: Tree) -> None:
    """Refuses leaves that cannot be stepped along: integers, booleans, PRNG keys, float0."""
    for name, tree in trees.items():
        for dtype in {_dtype(leaf) for leaf in jax.tree.leaves(tree)}:
            if not jnp.issubdtype(dtype, jnp.inexact):
                leaves = jax.tree_util.tree_leaves_with_path(tree)
                path, leaf = next((path, leaf) for path, leaf in leaves if _dtype(leaf) == dtype)
                raise TypeError(
                    f"{call}: {_at(name, path)} is {format_leaf(leaf)}, and steps are taken in real or complex floats: "
                    f"{WITHOUT}"
                )


def _check_alike(call: str, name: str, tree: Tree, like_name: str, like: Tree) -> None:
    """Refuses a tree whose structure or shapes are not another's."""
    if not same_structure(tree, like):
        path, here, there = first_difference((), tree, like, same_structure)
        raise ValueError(f"{call}: {_at(name, path)} is {here}, {_at(like_name, path)} is {there}")
    for (path, leaf), other in _pairs(tree, like, np.shape):
        shapes = f"has shape {np.shape(leaf)}, {_at(like_name, path)} has shape {np.shape(other)}"
        raise ValueError(f"{call}: {_at(name, path)} {shapes}")


def _check_real(call: str, name: str, tree: Tree, like_name: str, like: Tree) -> None:
    """Refuses complex leaves where another tree's are real."""
    for (path, leaf), other in _pairs(tree, like, _dtype):
        if jnp.iscomplexobj(leaf) and not jnp.iscomplexobj(other):
            dtypes = f"is {format_leaf(leaf)}, {_at(like_name, path)} is {format_leaf(other)}"
            raise TypeError(f"{call}: {_at(name, path)} {dtypes}: take the real part first")


def _pairs(tree: Tree, like: Tree, of: Callable[[Any], Any]) -> list[Any]:
    """The pairs of leaves, the first with its path, of which something differs."""
    ours, theirs = jax.tree.leaves(tree), jax.tree.leaves(like)
    if list(map(of, ours)) == list(map(of, theirs)):
        return []  # as nearly always: paths take their time
    pairs = zip(jax.tree_util.tree_leaves_with_path(tree), theirs, strict=True)
    return [(with_path, other) for with_path, other in pairs if of(with_path[1]) != of(other)]


def _dtype(leaf: Any) -> Any:
    return getattr(leaf, "dtype", type(leaf))


def _skeleton(opt: Any, updates: Tree, state: Any) -> Any:
    """A state with places for moments.

    One place stands for all parameters, which takes no time; one for each, if ``init`` looks at their paths; and the
    state is taken as it is, if ``init`` expects arrays and so cannot be asked.
    """
    for places in (Place, lambda: jax.tree.map(lambda x: Place(jnp.shape(x), _dtype(x)), updates)):
        try:
            return jax.eval_shape(opt.unchecked.init, places())
        except Exception:  # whatever an init may raise
            continue
    return state


def _check_state(opt: Any, skeleton: Any, params: Tree, state: Any) -> None:
    """Refuses a state of another form; floats of any width are taken, as a trainer casts all of a state at once."""
    treedef: Any
    places, treedef = jax.tree_util.tree_flatten_with_path(skeleton, is_leaf=_is_place)
    expected = [_expected(kept, params) for _, kept in places]
    _check_structure(opt, treedef.unflatten(expected), state, is_prefix)
    parts = treedef.flatten_up_to(state)
    if all(
        _is_place(kept) or format_leaf(kept) == format_leaf(part) for (_, kept), part in zip(places, parts, strict=True)
    ):
        return
    # A number may be in the dtype of the parameters, and those are asked only now: it would take its time.
    exact = treedef.flatten_up_to(jax.eval_shape(opt.unchecked.init, params))
    for (path, place), kept, part in zip(places, exact, parts, strict=True):
        floats = all(jnp.issubdtype(_dtype(x), jnp.floating) for x in (kept, part))
        same = np.shape(kept) == np.shape(part) if floats else format_leaf(kept) == format_leaf(part)
        if not _is_place(place) and not same:
            there = f"is {format_leaf(part)}, where {opt.name}.init gives {format_leaf(kept)}"
            raise TypeError(f"{opt.name}.update: {_at('state', path)} {there}")


def _check_structure(opt: Any, expected: Any, state: Any, agree: Callable[[Tree, Tree], bool]) -> None:
    if not agree(expected, state):
        path, there, here = first_difference((), expected, state, agree)
        gives = {"missing": "nothing", "None": "None, as the gradient is"}.get(there, there)
        raise ValueError(
            f"{opt.name}.update: {_at('state', path)} is {here}, where {opt.name}.init gives {gives}"
        ) from None


def _expected(kept: Any, params: Tree) -> Any:
    """What the state should have where the skeleton has this."""
    if not _is_place(kept):
        return kept
    return params if kept.dtype is None else jax.ShapeDtypeStruct(*kept)


def _is_place(x: Any) -> bool:
    return isinstance(x, Place)


def _at(name: str, path: Any) -> str:
    return name + jax.tree_util.keystr(path)
