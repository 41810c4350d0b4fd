"""The protocol: optimizers and transforms are values with the methods ``init`` and ``update``."""

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite.core import checks
from jaxopt_lite.core.eager import checked_step, compiled_step
from jaxopt_lite.core.hyperparameters import schedules_of
from jaxopt_lite.core.scheduled import by_schedules
from jaxopt_lite.core.value import Value
from jaxopt_lite.tree.packed import reject_packed
from jaxopt_lite.tree.structure import (
    add_updates,
    as_arrays,
    fill_none,
    functions_among,
    is_traced,
    params_with_gradient,
)
from jaxopt_lite.types import Tree


class Unchecked(NamedTuple):
    """The arithmetic of an optimizer: no casts, no checks, no compilation."""

    init: Callable[[Tree], Any]
    update: Callable[..., tuple[Tree, Any]]


def _drop_unknown(update: Callable[..., tuple[Tree, Any]], keywords: frozenset[str]) -> Callable[..., tuple[Tree, Any]]:
    """Return an update that takes any keywords, and passes on those in ``keywords``."""

    def known(grads: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        return update(grads, state, params, **{name: extra[name] for name in keywords & extra.keys()})

    vars(known)["known_keywords"] = keywords
    return known


def _at_zero(update: Callable[..., tuple[Tree, Any]]) -> Callable[..., tuple[Tree, Any]]:
    """Return an update that works without parameters: at a decay of 0 their values do not matter, so zeros do."""

    def at_zero(grads: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        params = jax.tree.map(jnp.zeros_like, grads) if params is None else params
        return update(grads, state, params, **extra)

    return at_zero


class Transform(Value):
    """A pure ``(init, update)`` pair for a chain, which remembers how it was made; see `Value`.

    Factories made by ``transform`` return transforms. Their output is still a gradient, or still an update.
    A transform alone is no optimizer, because a step along a gradient climbs.
    """

    type_label = "a transform"
    takes_schedules = True

    @classmethod
    def class_for(cls, inside: tuple[Value, ...]) -> Any:
        """Return `Optimizer` if an optimizer is inside, as in a chain, and this class otherwise."""
        return Optimizer if any(isinstance(x, Optimizer) for x in inside) else cls

    @property
    def entry(self) -> Any:
        """Return the declaration of the factory."""
        return self.factory.entry  # type: ignore[attr-defined]

    @functools.cached_property
    def needs(self) -> frozenset[str]:
        """Return the inputs that this rule, or a part inside, requires: by declaration, and by weight decay."""
        own = frozenset(self.entry.needs)
        if "decay" in own:
            number = self.arguments["weight_decay"]
            decays = not isinstance(number, int | float) or number != 0
            own = (own - {"decay"}) | ({"params"} if decays else set())
        return own.union(*(x.needs for x in self.children if isinstance(x, Transform)))

    @functools.cached_property
    def implementation(self) -> Any:
        """Return the pair ``(init, update)`` of the factory's body."""
        if schedules := schedules_of(self):
            init, update, keywords = by_schedules(self, schedules)
            return init, _drop_unknown(update, keywords)
        pair = super().implementation
        if not isinstance(pair, type(self)) and not (isinstance(pair, tuple) and len(pair) == 2):
            raise TypeError(f"{self.name} must return (init, update), not {type(pair).__name__}")
        return pair

    @functools.cached_property
    def keywords(self) -> frozenset[str]:
        """Return the keywords beyond ``params`` that this update, or the update of a part inside, reads."""
        _, update = self.implementation
        if (known := getattr(update, "known_keywords", None)) is not None:
            return frozenset(known)
        _, _, _, *rest = inspect.signature(update).parameters.values()
        own = frozenset(p.name for p in rest if p.kind is not p.VAR_KEYWORD)
        inside = (x for x in self.children if isinstance(x, Transform))
        return own if len(own) == len(rest) else own.union(*(x.keywords for x in inside))

    @functools.cached_property
    def unchecked(self) -> Unchecked:
        """Return the arithmetic alone, for wrappers. Its ``update`` drops all keywords that no part reads."""
        init, update = self.implementation
        # Rules for matrices are left out, because they reject packed leaves themselves.
        if "leaf" in self.entry.needs and "matrices" not in self.entry.needs:
            init = reject_packed(self.name, init)
        if "decay" in self.entry.needs and "params" not in self.needs:
            update = _at_zero(update)
        return Unchecked(init, _drop_unknown(update, self.keywords))

    def init(self, params: Tree) -> Any:
        """Return the state before the first step.

        Args:
            params: a tree of arrays or of ``jax.ShapeDtypeStruct``; a Python float counts as an array.

        Returns:
            A NamedTuple of arrays; moments are shaped and sharded like ``params``, and at least float32.

        Raises:
            TypeError: a leaf of ``params`` is not an array of real or complex floats.
            ValueError: a hyperparameter is an array of several numbers, outside ``vmap``.

        Example:
            >>> state = adam().init({"kernel": jnp.ones(2)})
            >>> print(state.iter, state.m["kernel"])
            0 [0. 0.]
        """
        params = as_arrays(params)
        checks.check_init(self, params)
        with jax.numpy_dtype_promotion("standard"):
            return self.unchecked.init(params)

    def update(self, updates: Tree, state: Any, params: Tree = None, **extra_args: Any) -> tuple[Tree, Any]:
        """Return the updates of one step, for `apply_updates` to add, and the new state.

        Args:
            updates: the gradients, in the structure and shapes of the parameters, in any precision (float8 too).
            state: the state from ``init`` or from the last update. Its floats may have been cast to another precision.
            params: the parameters. They may be left out if the mathematics does not need them, as with a Python number
                0 as ``weight_decay``. A parameter whose gradient is None is ignored.
            **extra_args: inputs of some rules (``value``, ``key``, …). Inputs that no rule reads are ignored.

        Returns:
            The updates, with sign and learning rate, in the dtypes of ``params`` (of the gradients, without
            ``params``). And the new state, in the dtypes of the old state.

        Raises:
            TypeError: a leaf is not an array of floats; a gradient is complex and its parameter real; or a required
                input is missing.
            ValueError: gradients, state and params differ in structure or shape, or a hyperparameter is an array of
                several numbers, outside ``vmap``. Nothing is broadcast.

        Example:
            >>> opt = sgd(lr=0.1)
            >>> updates, state = opt.update(2.0, opt.init(1.0))
            >>> print(f"{updates:.1f}")
            -0.2

        Outside ``jit`` this is one compiled call. Only a step with a function among the keywords (``value_fn``) runs
        operation by operation. Each new Python number among the optimizer's arguments compiles anew. So a rate that
        changes from step to step should be a schedule or a jax array. For a complex parameter ``jax.grad`` returns the
        conjugate of the gradient: conjugate its result first.
        """
        extra = {name: extra_args[name] for name in self.keywords & extra_args.keys()}
        # A step with a function is not compiled, because jit cannot trace it, and would cache its closure for good.
        has_function = bool(functions_among(extra))
        step = functools.partial(checked_step, self) if has_function or is_traced(updates) else self._compiled_step
        if has_function and _compiles_functions(self) and not is_traced((updates, state, params)):
            warnings.warn(
                f"{self.name}.update: outside jax.jit, what is done with value_fn is compiled anew at each step: "
                "put the whole step in one jax.jit",
                stacklevel=2,
            )
        try:
            return step(updates, state, params, extra)
        except TypeError:
            # jit rejects non-arrays (a string) before our checks run; check here, for the better message.
            stepped = params_with_gradient(updates, params)
            checks.check_arrays(f"{self.name}.update", gradients=updates, state=state, params=stepped)
            if stepped is params:
                raise
            return step(updates, state, stepped, extra)

    @functools.cached_property
    def _compiled_step(self) -> Callable[..., tuple[Tree, Any]]:
        return compiled_step(self)

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return iter((self.init, self.update))


class Optimizer(Transform):
    """A transform whose output is a step, with sign and learning rate, for `apply_updates` to add.

    Factories made by ``optimizer`` return optimizers. An optimizer unpacks to a pair: ``init, update = adam()``.
    """

    type_label = "an optimizer"


def _compiles_functions(opt: Transform) -> bool:
    """Return True if this rule, or a rule inside, searches or estimates by ``value_fn``; a wrapper only calls it."""
    alone = bool(opt.entry.family) and "value_fn" in opt.entry.needs
    return alone or any(_compiles_functions(x) for x in opt.children if isinstance(x, Transform))


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """Return ``params + updates``, in the dtypes of ``params``; an update of None leaves its parameter unchanged.

    Outside ``jit`` this is one compiled call.

    Raises:
        TypeError: a leaf is not an array of floats, or an update is complex and its parameter real.
        ValueError: the trees differ in structure or shape. Nothing is broadcast.

    Example:
        >>> params = apply_updates({"kernel": 1.0, "bias": 2.0}, {"kernel": -0.25, "bias": None})
        >>> print(params["kernel"], params["bias"])
        0.75 2.0
    """
    try:
        return (_apply if is_traced(updates) else _compiled_apply)(params, updates)
    except TypeError:
        stepped = params_with_gradient(updates, params)
        checks.check_arrays("apply_updates", params=stepped, updates=updates)
        if stepped is params:
            raise
        return fill_none(_compiled_apply(stepped, updates), params)


def _apply(params: Tree, updates: Tree) -> Tree:
    stepped = params_with_gradient(updates, params)
    with jax.numpy_dtype_promotion("standard"):
        checks.check_apply("apply_updates", "updates", updates, stepped)
        return fill_none(add_updates(stepped, updates), params)


_compiled_apply = jax.jit(_apply, inline=True)
