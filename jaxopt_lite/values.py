"""Values that remember how they were made: what optimizers and the things they are made of have in common."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, cast

import jax
import numpy as np

from jaxopt_lite.checks import check_arguments


class _Array:
    """Stands among a value's constants where one of its arrays belongs."""


@dataclass(frozen=True, repr=False, eq=False)
class Value:
    """The call of a factory: it prints as that call, compares and hashes by its arguments, pickles and copies.

    To JAX it is a pytree. Arrays among the arguments, also those inside other values, are data: leaves that ``jit``
    traces and ``vmap`` maps over. Numbers, strings and functions are constants, part of what a program is compiled for.
    The two are told apart here, once, so that mapping over the leaves cannot change the structure.
    """

    factory: Callable[..., Any]
    treedef: Any
    constants: tuple[Any, ...]
    data: tuple[Any, ...]

    def __init_subclass__(cls) -> None:
        jax.tree_util.register_dataclass(cls, data_fields=["data"], meta_fields=["factory", "treedef", "constants"])

    @classmethod
    def made_by(cls, body: Callable[..., Any]) -> Callable[..., Self]:
        """The factory of values whose meaning is what ``body`` returns for the same arguments."""
        signature = inspect.signature(body)

        @functools.wraps(body)
        def factory(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            check_arguments(body.__name__, bound.arguments)
            leaves, treedef = jax.tree.flatten(tuple(bound.arguments.values()))
            leaves = [x.item() if isinstance(x, np.generic) else x for x in leaves]
            data = tuple(x for x in leaves if isinstance(x, jax.Array | np.ndarray))
            constants = tuple(_Array if isinstance(x, jax.Array | np.ndarray) else x for x in leaves)
            value = cls(factory, treedef, constants, data)
            # The body runs now, so that it fails now. One that returns a finished value is an alias of it.
            return value.meaning if isinstance(value.meaning, cls) else value

        return factory

    @functools.cached_property
    def meaning(self) -> Any:
        """What the body of the factory returns for these arguments; traced arrays included."""
        return _call(self.factory.__wrapped__, self.arguments)  # type: ignore[attr-defined]

    @property
    def name(self) -> str:
        """The factory's name."""
        return self.factory.__name__

    @property
    def arguments(self) -> dict[str, Any]:
        """The factory's arguments by name, defaults included, in the order of its signature."""
        data = iter(self.data)
        leaves = [next(data) if constant is _Array else constant for constant in self.constants]
        return dict(zip(inspect.signature(self.factory).parameters, self.treedef.unflatten(leaves), strict=True))

    def replace(self, **changes: Any) -> Self:
        """The same call with some arguments changed: ``adam().replace(lr=0.1)``.

        Raises:
            TypeError: the factory has no such argument.
        """
        arguments = self.arguments
        for unknown in changes.keys() - arguments.keys():
            raise TypeError(f"{self.name}.replace: there is no argument {unknown!r}; there are {', '.join(arguments)}")
        return cast(Self, _call(self.factory, arguments | changes))

    def __repr__(self) -> str:
        shown: list[str] = []
        for name, argument in self.arguments.items():
            if inspect.signature(self.factory).parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                # In a call, what stands before starred arguments can only be given by position.
                shown = [text.partition("=")[2] for text in shown] if argument else shown
                shown += map(_show, argument)
            else:
                shown.append(f"{name}={_show(argument)}")
        return f"{self.name}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._static == other._static and all(map(_equal, self.data, other.data))

    def __hash__(self) -> int:
        # A value holding tracers may be part of jit's cache key (an optimizer in a flax TrainState under vmap). Hashing
        # them by identity keeps it from being compared with the tracers of an earlier trace.
        return hash((self._static, *(id(x) for x in self.data if isinstance(x, jax.core.Tracer))))

    @property
    def _static(self) -> tuple[Any, ...]:
        return self.factory, self.treedef, self.constants

    def __reduce__(self) -> tuple[Any, ...]:
        return _call, (self.factory, self.arguments)


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    bound = inspect.signature(function).bind_partial()
    bound.arguments = arguments
    return function(*bound.args, **bound.kwargs)


def _show(argument: Any) -> str:
    return argument.__qualname__ if inspect.isfunction(argument) else repr(argument)


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, jax.core.Tracer) or isinstance(b, jax.core.Tracer):
        raise TypeError(
            "values with traced arguments cannot be compared, as a traced number has no value yet: "
            "compare them outside jit, or pass them to jit as ordinary arguments instead of static ones"
        )
    return bool(a.dtype == b.dtype and np.array_equal(a, b))
