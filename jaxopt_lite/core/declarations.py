"""The decorators that make factories of optimizers and of transforms, and the registry."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, overload

from jaxopt_lite.core import checks
from jaxopt_lite.core.counterparts import meant
from jaxopt_lite.core.protocol import Optimizer, Transform

P = ParamSpec("P")


class Declaration(NamedTuple):
    """What the declaration of an optimizer, or of a transform, says of it."""

    name: str
    factory: Callable[..., Any]
    family: str = ""
    paper: str = ""
    needs: tuple[str, ...] = ()
    after_rule: bool = False
    sets_rate: bool = False

    def build(self, **arguments: Any) -> Any:
        """Build the optimizer with these arguments; a rule for matrices gets AdamW for all other leaves."""
        beside = {"others": registry["adamw"].factory()} if "matrices" in self.needs else {}
        return self.factory(**beside | arguments)


registry: dict[str, Declaration] = {}
"""Every optimizer declared with a ``family``, by name. Tests, documentation and tools read it."""


def by_name(name: str, where: str = "") -> Declaration:
    """Return the declaration of an optimizer.

    Raises:
        ValueError: there is none of that name; ``where`` begins the sentence.
    """
    if name not in registry:
        there = ", ".join(sorted(registry))
        raise ValueError(f"{where}there is no optimizer {name!r}{meant(name, registry)}; there are {there}")
    return registry[name]


@overload
def optimizer(body: Callable[P, Any], /) -> Callable[P, Optimizer]: ...
@overload
def optimizer(
    *, family: str = "", paper: str = "", needs: tuple[str, ...] = ()
) -> Callable[[Callable[P, Any]], Callable[P, Optimizer]]: ...
def optimizer(body: Any = None, /, *, family: str = "", paper: str = "", needs: tuple[str, ...] = ()) -> Any:
    """Make a factory of optimizers from a function of hyperparameters that returns ``(init, update)``.

    Args:
        body: the function. It runs at the call, so that it fails there, and again where JAX rebuilds the optimizer. It
            should do no more than define the two functions.
        family: what kind of method this is. An optimizer with a family is listed in `registry`.
        paper: where the rule was published.
        needs: what the rule cannot do without: any of ``"params"``, ``"value"``, ``"grad"``, ``"value_fn"``, ``"key"``,
            ``"matrices"``; ``"decay"``, if only the decay looks at parameters, which a ``weight_decay`` of 0 makes
            optional; ``"leaf"``, if an entry depends on the gradient of its whole leaf; and ``"tree"``, if on that of
            all leaves.

    Returns:
        The factory, with the signature of ``body``. Its ``entry`` attribute is the declaration.

    Raises:
        ValueError: ``needs`` has something else in it, or speaks of a ``weight_decay`` that is no argument of ``body``.

    Example:
        >>> @optimizer
        ... def signed(lr=0.1):
        ...     def init(params):
        ...         return ()
        ...     def update(grads, state, params=None):
        ...         return each(lambda g: -lr * jnp.sign(g), grads), state
        ...     return init, update
        >>> print(signed(lr=0.5), signed().update(-3.0, ())[0])
        signed(lr=0.5) 0.1
    """
    if body is None:
        return functools.partial(optimizer, family=family, paper=paper, needs=needs)
    factory = _declared(Optimizer, body, family=family, paper=paper, needs=needs)
    if family:
        registry[factory.__name__] = factory.entry
    return factory


@overload
def transform(body: Callable[P, Any], /) -> Callable[P, Transform]: ...
@overload
def transform(
    *, needs: tuple[str, ...] = (), after_rule: bool = False, sets_rate: bool = False
) -> Callable[[Callable[P, Any]], Callable[P, Transform]]: ...
def transform(
    body: Any = None, /, *, needs: tuple[str, ...] = (), after_rule: bool = False, sets_rate: bool = False
) -> Any:
    """Make a factory of transforms from a function that returns ``(init, update)``, as `optimizer` does.

    Args:
        body: the function.
        needs: as for `optimizer`.
        after_rule: it works on updates, not on gradients, so that in a chain it stands after the optimizer.
        sets_rate: its ``lr`` takes the place of the rule's, whose updates it rescales; the race sweeps it.

    Example:
        >>> @transform
        ... def halve():
        ...     def init(params):
        ...         return ()
        ...     def update(grads, state, params=None):
        ...         return each(lambda g: g / 2, grads), state
        ...     return init, update
        >>> opt = chain(halve(), sgd(1.0))
        >>> print(opt.update(3.0, opt.init(0.0))[0])
        -1.5
    """
    if body is None:
        return functools.partial(transform, needs=needs, after_rule=after_rule, sets_rate=sets_rate)
    return _declared(Transform, body, needs=needs, after_rule=after_rule, sets_rate=sets_rate)


def _declared(kind: type[Transform], body: Callable[..., Any], **declaration: Any) -> Any:
    checks.check_declaration(body, declaration["needs"])
    factory: Any = kind.make_factory(body)
    factory.entry = Declaration(factory.__name__, factory, **declaration)
    return factory
