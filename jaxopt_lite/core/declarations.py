"""The decorators that make factories of optimizers and of transforms, and the registry."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, overload

from jaxopt_lite.core import checks
from jaxopt_lite.core.counterparts import meant
from jaxopt_lite.core.protocol import Optimizer, Transform

P = ParamSpec("P")


class Declaration(NamedTuple):
    """The declaration of an optimizer or a transform: name, factory, and the arguments of its decorator."""

    name: str
    factory: Callable[..., Any]
    family: str = ""
    paper: str = ""
    needs: tuple[str, ...] = ()
    after_rule: bool = False
    sets_rate: bool = False

    def build(self, **arguments: Any) -> Any:
        """Build the optimizer with these arguments. A rule for matrices gets AdamW for all other leaves."""
        beside = {"others": registry["adamw"].factory()} if "matrices" in self.needs else {}
        return self.factory(**beside | arguments)


registry: dict[str, Declaration] = {}
"""All optimizers declared with a ``family``, by name, for tests, documentation and tools."""


def by_name(name: str, where: str = "") -> Declaration:
    """Return the declaration of an optimizer in the registry.

    Raises:
        ValueError: no optimizer has that name. ``where`` begins the error message.
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
    """Build a factory of optimizers from a function that returns ``(init, update)``.

    Args:
        body: a function of hyperparameters. It runs when the factory is called, so that its errors appear there.
            It runs again wherever JAX rebuilds the optimizer from its leaves. It should only define two functions.
        family: the kind of method. `registry` lists each optimizer that has a family.
        paper: the publication of the rule.
        needs: the inputs that the rule requires: any of ``"params"``, ``"value"``, ``"grad"``, ``"value_fn"``,
            ``"key"``, ``"matrices"``. ``"decay"``: only the weight decay reads the parameters, so that they may be left
            out with a ``weight_decay`` of 0. ``"leaf"``: an entry depends on the gradient of its whole leaf.
            ``"tree"``: an entry depends on the gradients of all leaves.

    Returns:
        The factory, with the signature of ``body``. Its attribute ``entry`` is the declaration.

    Raises:
        ValueError: ``needs`` has an unknown name, or ``"decay"`` while ``body`` has no argument ``weight_decay``.

    Example:
        >>> @optimizer
        ... def by_sign(lr=0.1):
        ...     def init(params):
        ...         return ()
        ...     def update(grads, state, params=None):
        ...         return each(lambda g: -lr * jnp.sign(g), grads), state
        ...     return init, update
        >>> updates, state = by_sign(lr=0.5).update(2.0, ())
        >>> print(by_sign(), updates)
        by_sign(lr=0.1) -0.5
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
    """Build a factory of transforms from a function that returns ``(init, update)``; see `optimizer`.

    Args:
        body: the function.
        needs: as for `optimizer`.
        after_rule: the transform works on updates, not on gradients. In a chain, its place is after the optimizer.
        sets_rate: the transform rescales the rule's updates, so that its ``lr`` replaces the rule's. The race sweeps
            this ``lr``.

    Example:
        >>> @transform
        ... def double():
        ...     def init(params):
        ...         return ()
        ...     def update(grads, state, params=None):
        ...         return each(lambda g: 2 * g, grads), state
        ...     return init, update
        >>> opt = chain(double(), sgd(lr=0.1))
        >>> updates, state = opt.update(3.0, opt.init(1.0))
        >>> print(f"{updates:.1f}")
        -0.6
    """
    if body is None:
        return functools.partial(transform, needs=needs, after_rule=after_rule, sets_rate=sets_rate)
    return _declared(Transform, body, needs=needs, after_rule=after_rule, sets_rate=sets_rate)


def _declared(kind: type[Transform], body: Callable[..., Any], **declaration: Any) -> Any:
    checks.check_declaration(body, declaration["needs"])
    factory: Any = kind.make_factory(body)
    factory.entry = Declaration(factory.__name__, factory, **declaration)
    return factory
