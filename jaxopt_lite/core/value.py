"""Values that remember how they were made: the base class of optimizers, transforms and schedules."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any, Self, cast

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.arguments import checked
from jaxopt_lite.core.counterparts import argument_meant
from jaxopt_lite.tree.dtypes import to_compute_dtype


class _Array:
    """Mark the place of an array among a value's constants."""


class Value:
    """The call of a factory: it prints as that call, compares and hashes by its arguments, pickles and copies.

    A value is a pytree. Arrays among the arguments, also inside other values, are its leaves, for ``jit`` and ``vmap``.
    Numbers, strings and functions are constants: they are part of the key under which ``jit`` caches a program.
    Data and constants are separated once, at construction, so tree_map cannot change the structure.

    A tracer has no value, and so is compared by identity. The cache of ``jit`` needs this for an optimizer in a static
    field.
    """

    def __init__(
        self, factory: Callable[..., Any], treedef: Any, constants: tuple[Any, ...], data: tuple[Any, ...]
    ) -> None:
        """Build a value from its parts. Only JAX does so, to unflatten it; everyone else calls the factory."""
        vars(self).update(factory=factory, treedef=treedef, constants=constants, data=data)

    type_label = "a value"
    home = "jaxopt_lite."  # the prefix of this package's factories in `call_of`
    takes_schedules = False
    factory: Callable[..., Any]
    treedef: Any
    constants: tuple[Any, ...]
    data: tuple[Any, ...]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.name}: a value cannot be changed; .replace({name}=…) makes another")

    def __init_subclass__(cls) -> None:
        jax.tree_util.register_dataclass(cls, data_fields=["data"], meta_fields=["factory", "treedef", "constants"])

    @classmethod
    def make_factory(cls, body: Callable[..., Any]) -> Callable[..., Self]:
        """Return a factory of values; the implementation of a value is the output of ``body`` for its arguments."""
        signature = inspect.signature(body)

        @functools.wraps(body)
        def factory(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                known = ", ".join(signature.parameters)
                hint = argument_meant(kwargs, signature.parameters)
                raise TypeError(f"{body.__name__}: {error}; its arguments are {known}{hint}") from None
            bound.apply_defaults()
            bound.arguments = checked(body, bound.arguments, cls.takes_schedules)
            leaves, treedef = jax.tree.flatten(tuple(bound.arguments.values()))
            data = tuple(_frozen(x) for x in leaves if _is_array(x))
            constants = tuple(_Array if _is_array(x) else x.item() if isinstance(x, np.generic) else x for x in leaves)
            value = cls.class_for(_values_in(bound.arguments))(factory, treedef, constants, data)
            # The body runs now, so that its errors appear now. A body may return a finished value, as an alias of it.
            return value.implementation if isinstance(value.implementation, cls) else value

        vars(factory)["makes"] = cls.type_label
        return factory

    @classmethod
    def class_for(cls, inside: "tuple[Value, ...]") -> type[Self]:
        """Return the class of a value with these values among its arguments."""
        return cls

    @functools.cached_property
    def implementation(self) -> Any:
        """Return the output of the factory's body for these arguments, with arrays in at least float32."""
        return call(self.factory.__wrapped__, self._arguments(map(to_compute_dtype, self.data)))  # type: ignore[attr-defined]

    @property
    def name(self) -> str:
        """Return the name of the factory."""
        return self.factory.__name__

    @functools.cached_property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the factory by name, defaults included, in the order of its signature."""
        return self._arguments(iter(self.data))

    def _arguments(self, data: Iterator[Any]) -> dict[str, Any]:
        leaves = [next(data) if constant is _Array else constant for constant in self.constants]
        return dict(zip(inspect.signature(self.factory).parameters, self.treedef.unflatten(leaves), strict=True))

    @functools.cached_property
    def children(self) -> "tuple[Value, ...]":
        """Return the values among the arguments: an optimizer's schedules, a wrapper's optimizer, a chain's parts."""
        return _values_in(self.arguments)

    @property
    def is_plain(self) -> bool:
        """Return True if the constants hold no other objects, so that a cache may keep them for good."""
        return _is_plain(self.arguments)

    def replace(self, **changes: Any) -> Self:
        """Return the same call with some arguments changed.

        Raises:
            TypeError: the factory has no such argument.

        Example:
            >>> print(sgd(lr=0.1).replace(lr=0.5))
            sgd(lr=0.5)
        """
        arguments = self.arguments
        for unknown in changes.keys() - arguments.keys():
            raise TypeError(f"{self.name}.replace: there is no argument {unknown!r}; there are {', '.join(arguments)}")
        return cast(Self, call(self.factory, arguments | changes))

    def __repr__(self) -> str:
        return self.format_call(_show)

    def format_call(
        self, show: Callable[[Any], str], keep: Callable[[inspect.Parameter, Any], bool] = lambda parameter, x: True
    ) -> str:
        """Return the call as text: ``show`` writes each argument, and ``keep`` selects those written by name."""
        shown: list[str] = []
        for name, argument in self.arguments.items():
            parameter = inspect.signature(self.factory).parameters[name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                # Arguments before starred ones are written without names, because Python takes them by position alone.
                shown = [text.partition("=")[2] for text in shown] if argument else shown
                shown += map(show, argument)
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                shown += [f"{key}={show(value)}" for key, value in argument.items()]
            elif keep(parameter, argument):
                shown.append(f"{name}={show(argument)}")
        return f"{self.name}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._static == other._static and all(map(_equal, self.data, other.data))

    def __hash__(self) -> int:
        return hash(self._static)

    @property
    def _static(self) -> tuple[Any, ...]:
        return self.factory, self.treedef, self.constants

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a value cannot be changed, so no copy is needed, as of a tuple of numbers

    def __reduce__(self) -> tuple[Any, ...]:
        return call, (self.factory, self.arguments)


def call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function with all its arguments by name, starred ones included."""
    bound = inspect.signature(function).bind_partial()
    bound.arguments = arguments
    return function(*bound.args, **bound.kwargs)


def _values_in(arguments: dict[str, Any]) -> tuple[Value, ...]:
    leaves = jax.tree.leaves(tuple(arguments.values()), is_leaf=lambda x: isinstance(x, Value))
    return tuple(x for x in leaves if isinstance(x, Value))


def _show(argument: Any) -> str:
    return argument.__qualname__ if inspect.isfunction(argument) else repr(argument)


def _is_plain(x: Any) -> bool:
    """Return True for data, a number, a function that its module keeps anyway, or a container of these."""
    if isinstance(x, Value | dict):
        return all(map(_is_plain, (x.arguments if isinstance(x, Value) else x).values()))
    if isinstance(x, tuple | list):
        return all(map(_is_plain, x))
    if inspect.isfunction(x):
        # A notebook or a loop may define a function again: its module drops the first, and so must our caches.
        held = x.__closure__ or x.__defaults__ or x.__kwdefaults__ or vars(x)
        return not held and getattr(sys.modules.get(x.__module__), x.__name__, None) is x
    return x is None or _is_array(x) or isinstance(x, str | int | float | complex | type | np.generic | np.dtype)


def _is_array(x: Any) -> bool:
    return isinstance(x, jax.Array | np.ndarray)


def _frozen(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = x.copy()
        x.flags.writeable = False
    return x


def _equal(a: Any, b: Any) -> bool:
    """Compare arrays by dtype and value, tracers by identity, and all other leaves by their own ``==``."""
    if a is b or not (_is_array(a) and _is_array(b)):
        return bool(a is b or a == b)
    if isinstance(a, jax.core.Tracer) or isinstance(b, jax.core.Tracer) or a.dtype != b.dtype:
        return False
    if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
        a, b = jax.random.key_data(a), jax.random.key_data(b)
    return np.array_equal(a, b, equal_nan=jnp.issubdtype(a.dtype, jnp.inexact))


def call_of(value: Any) -> str:
    """Return the call that makes an optimizer, to be pasted, without arguments that have their defaults."""
    if not isinstance(value, Value):
        if hasattr(value, "update") and not isinstance(value, dict):
            return "…"  # an optimizer of another library, which does not remember its call
        if isinstance(value, tuple | list):
            inside = ", ".join(map(call_of, value))
            return f"({inside},)" if isinstance(value, tuple) else f"[{inside}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {call_of(x)}" for key, x in value.items()) + "}"
        name = getattr(value, "__qualname__", None) or repr(value)
        return "…" if "<" in name else name
    ours = str(value.factory.__module__).startswith("jaxopt_lite.")
    return (value.home if ours else "") + value.format_call(call_of, _is_told)


def _is_told(parameter: inspect.Parameter, argument: Any) -> bool:
    return isinstance(argument, jax.Array | np.ndarray) or argument != parameter.default or parameter.name == "lr"
