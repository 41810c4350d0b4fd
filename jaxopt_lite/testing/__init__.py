"""The laws that every optimizer here obeys, for anyone's own: ``check(my_opt)``. Needs the extra ``test``."""

from collections.abc import Iterable

from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.testing import arithmetic, form  # noqa: F401 - their laws are added to the dict
from jaxopt_lite.testing.problems import laws
from jaxopt_lite.tree.structure import format_leaf

__all__ = ["check", "laws"]


def check(opt: Optimizer, only: Iterable[str] = laws) -> None:
    """Hold an optimizer to the laws.

    Args:
        opt: the optimizer, with a learning rate that suits gradients of about 1.
        only: names from `laws`, a dict from name to function whose docstring is the law.

    Raises:
        AssertionError: a line for each law that is broken: the law, and what was found.
        TypeError: ``opt`` is no optimizer.
        ValueError: there is no law of that name.

    The laws say whether a rule behaves, not whether it is the paper's: for that, compare it with a twin.

    Example:
        >>> check(adam(), only=["descends"])
    """
    if not isinstance(opt, Optimizer):
        raise TypeError(f"check takes an optimizer, not {format_leaf(opt)}")
    if not __debug__:
        raise RuntimeError("check needs assertions: run Python without -O")
    broken, first = [], None
    for name in only:
        if name not in laws:
            raise ValueError(f"there is no law {name!r}; there are {', '.join(laws)}")
        try:
            laws[name](opt)
        except Exception as error:
            found = " ".join(str(error).split())[:500]
            broken.append(f"- {laws[name].__doc__} Found: {type(error).__name__}: {found}")
            first = first or error
    if broken:
        raise AssertionError("\n".join([f"{opt} breaks {len(broken)} of {len(laws)} laws.", *broken])) from first
