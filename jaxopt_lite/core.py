"""The machinery: an optimizer is a value, and a rule for one array is lifted to the tree by ``each``."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, ParamSpec, overload

import jax
import jax.numpy as jnp

from jaxopt_lite.numerics import Scalar, at_least_float32, cast, load
from jaxopt_lite.trees import Tree
from jaxopt_lite.values import Value

Number = Scalar | Callable[[jax.Array], Scalar]
P = ParamSpec("P")


class Pair(NamedTuple):
    """The arithmetic of an optimizer: no casts, no checks, no compilation."""

    init: Callable[[Tree], Any]
    update: Callable[..., tuple[Tree, Any]]


class Entry(NamedTuple):
    """What an optimizer's declaration says of it."""

    name: str
    factory: "Callable[..., Optimizer]"
    family: str
    paper: str
    needs: tuple[str, ...]


registry: dict[str, Entry] = {}
"""Every optimizer declared with a ``family``, by name. Tests, documentation and tools read it."""


class Optimizer(Value):
    """A pure ``(init, update)`` pair that remembers how it was made; see `Value` for what that gives.

    Optimizers come from factories made by `optimizer`, never from this class. One unpacks to the pair it is:
    ``init, update = adam()``.
    """

    @property
    def needs(self) -> tuple[str, ...]:
        """What the rule cannot do without, as its declaration says."""
        return self.factory.entry.needs  # type: ignore[attr-defined, no-any-return]

    @functools.cached_property
    def meaning(self) -> Any:
        """The pair ``(init, update)`` that the factory's body returns."""
        pair = super().meaning
        if not isinstance(pair, Optimizer) and not (isinstance(pair, tuple) and len(pair) == 2):
            raise TypeError(f"{self.name} must return (init, update), not {type(pair).__name__}")
        return pair

    @functools.cached_property
    def keywords(self) -> frozenset[str]:
        """The keywords beyond ``params`` that this optimizer's update, or that of one inside it, asks for."""
        _, _, _, *rest = inspect.signature(self.meaning[1]).parameters.values()
        own = frozenset(p.name for p in rest if p.kind is not p.VAR_KEYWORD)
        if len(own) == len(rest):
            return own
        arguments = jax.tree.leaves(tuple(self.arguments.values()), is_leaf=lambda x: isinstance(x, Optimizer))
        return own.union(*(inner.keywords for inner in arguments if isinstance(inner, Optimizer)))

    @functools.cached_property
    def pair(self) -> Pair:
        """The arithmetic alone, which wrappers build on. ``update`` drops the keywords that nobody in it asks for."""
        init, update = self.meaning
        return Pair(init, lambda grads, state, params=None, **extra: update(grads, state, params, **self._known(extra)))

    def init(self, params: Tree) -> Any:
        """The state before the first step.

        Args:
            params: a tree of arrays or of ``jax.ShapeDtypeStruct``.

        Returns:
            A NamedTuple of arrays; moments are shaped and sharded like ``params``, and at least float32.
        """
        with jax.numpy_dtype_promotion("standard"):
            return self.pair.init(params)

    def update(self, updates: Tree, state: Any, params: Tree = None, **extra_args: Any) -> tuple[Tree, Any]:
        """One step: gradients in, updates out, which `apply_updates` adds to the parameters.

        Args:
            updates: the gradients; a tree with the structure and shapes of the parameters, in any precision.
            state: what ``init``, or the update before, returned.
            params: the parameters; may be left out where the mathematics does not need them.
            **extra_args: what some rules ask for (``value``, ``key``, …); what nobody asks for is ignored.

        Returns:
            The updates, sign and learning rate included, in the dtypes of ``params`` (or of the gradients, where
            ``params`` is left out), and the new state, in the dtypes of the old one.

        Outside ``jit`` this is one compiled call. It is compiled anew for every new Python number among the
        optimizer's arguments: a rate that changes from step to step should be a schedule or a jax array.
        """
        extra = self._known(extra_args)
        # A function cannot be traced, and as a static argument it would keep what it closes over in jit's cache.
        step = _step if any(map(callable, extra.values())) else _compiled_step
        return step(self, updates, state, params, extra)

    def _known(self, extra: dict[str, Any]) -> dict[str, Any]:
        return {name: extra[name] for name in self.keywords & extra.keys()}

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return iter((self.init, self.update))


def _step(opt: Optimizer, updates: Tree, state: Any, params: Tree, extra: dict[str, Any]) -> tuple[Tree, Any]:
    with jax.numpy_dtype_promotion("standard"):
        like = updates if params is None else params
        # A float32 gradient of a float64 parameter is worked on in float64.
        loaded = jax.tree.map(lambda g, p: cast(g, at_least_float32(jnp.result_type(g, p))), updates, like)
        out, state = opt.pair.update(loaded, state, params, **extra)
        return jax.tree.map(lambda u, p: cast(u, jnp.result_type(p)), out, like), state


_compiled_step = jax.jit(_step, inline=True)


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """``params + updates``, each leaf in the parameter's dtype. Outside ``jit`` this is one compiled call."""
    return _compiled_apply(params, updates)


@functools.partial(jax.jit, inline=True)
def _compiled_apply(params: Tree, updates: Tree) -> Tree:
    with jax.numpy_dtype_promotion("standard"):
        return jax.tree.map(lambda p, u: cast(p + u, p.dtype), params, updates)


def each(rule: Callable[..., Any], *trees: Tree, **read: Tree) -> Any:
    """Applies a rule written for one array to every leaf of the trees.

    Args:
        rule: a function of one leaf of each tree. What it gets by position it returns, in that order: one value where
            there is one, a tuple where there are more.
        *trees: the first gives the structure. At its leaves the others may hold arrays or small trees of arrays.
        **read: trees that the rule gets by name and only reads; a scalar or None by name is handed to every leaf.

    Returns:
        One tree for each of ``trees``, a tuple where there are more than one. Each array has the shape and dtype it
        came in with: the rule sees it in at least float32, and what it returns is stored in the format it came in.

    Raises:
        TypeError: the rule returned another number of values than it got, or an array of another shape.

    Leaves of one shape and dtype share one trace of the rule.
    """
    treedef: Any = jax.tree.structure(trees[0])
    slots = [treedef.flatten_up_to(tree) for tree in trees]
    named = {name: _per_leaf(treedef, tree) for name, tree in read.items()}

    @jax.jit
    def one(old: tuple[Any, ...], by_name: dict[str, Any]) -> Any:
        loaded, loaded_by_name = jax.tree.map(load, (old, by_name))
        new = rule(*loaded, **loaded_by_name)
        new = (new,) if len(old) == 1 else new
        if not isinstance(new, tuple) or len(new) != len(old):
            raise TypeError(f"each: {_name(rule)} gets {len(old)} values by position and must return as many")
        return jax.tree.map(functools.partial(_store, rule), old, new)

    leaves = [
        one(old, {name: column[i] for name, column in named.items()}) for i, old in enumerate(zip(*slots, strict=True))
    ]
    out = tuple(treedef.unflatten([leaf[slot] for leaf in leaves]) for slot in range(len(trees)))
    return out[0] if len(out) == 1 else out


def _per_leaf(treedef: Any, tree: Tree) -> list[Any]:
    scalar = tree is None or (jax.tree_util.all_leaves([tree]) and jnp.ndim(tree) == 0)
    return [tree] * treedef.num_leaves if scalar else treedef.flatten_up_to(tree)


def _store(rule: Callable[..., Any], old: jax.Array, new: jax.Array) -> jax.Array:
    new = jnp.asarray(new)
    if new.shape != old.shape or (jnp.iscomplexobj(new) and not jnp.iscomplexobj(old)):
        was, came = (f"{x.dtype}{list(x.shape)}" for x in (old, new))
        raise TypeError(f"each: {_name(rule)} got {was} and returned {came} in its place")
    return cast(new, old.dtype)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


def at(number: Number, iter: jax.Array) -> Scalar:
    """The value of a hyperparameter at step ``iter``, counted from 0: a schedule's value there, or the number itself.

    Python numbers stay Python numbers, exact and weakly typed; arrays come back in at least float32.
    """
    value = number(iter) if callable(number) else number
    return load(value) if isinstance(value, jax.Array) else value


@overload
def optimizer(body: Callable[P, Any], /) -> Callable[P, Optimizer]: ...
@overload
def optimizer(
    *, family: str, paper: str, needs: tuple[str, ...] = ()
) -> Callable[[Callable[P, Any]], Callable[P, Optimizer]]: ...
def optimizer(body: Any = None, /, *, family: str = "", paper: str = "", needs: tuple[str, ...] = ()) -> Any:
    """Makes a function of hyperparameters that returns ``(init, update)`` into a factory of optimizers.

    Args:
        body: the function. It runs once at the call, so that it fails there, and again wherever JAX rebuilds the
            optimizer from its leaves: it should do no more than define the two functions.
        family: what kind of method this is. An optimizer with a family is listed in `registry`.
        paper: where the rule was published.
        needs: what the rule cannot do without: ``"params"``, ``"value"``, ``"matrices"``, …

    Returns:
        The factory, with the signature of ``body``. Its ``entry`` attribute is the declaration.
    """
    if body is None:
        return functools.partial(optimizer, family=family, paper=paper, needs=needs)
    factory = Optimizer.made_by(body)
    entry = Entry(factory.__name__, factory, family, paper, needs)
    factory.entry = entry  # type: ignore[attr-defined]
    if family:
        registry[entry.name] = entry
    return factory
