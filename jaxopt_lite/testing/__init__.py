"""The laws that every optimizer here obeys, for anyone's own: ``check(my_opt)``. Needs the extra ``test``."""

from collections.abc import Iterable

from jaxopt_lite.core import Optimizer
from jaxopt_lite.testing import arithmetic, form  # noqa: F401 - their laws are added to the dict
from jaxopt_lite.testing.problems import laws

__all__ = ["check", "laws"]


def check(opt: Optimizer, only: Iterable[str] = laws) -> None:
    """Holds an optimizer to the laws.

    Args:
        opt: the optimizer, with a learning rate that suits gradients of about 1.
        only: names from `laws`, a dict from name to function whose docstring is the law.

    Raises:
        AssertionError: a line for each law that is broken: the law, and what was found.
    """
    broken = []
    for name in only:
        try:
            laws[name](opt)
        except Exception as error:
            found = " ".join(str(error).split())[:500]
            broken.append(f"- {laws[name].__doc__} Found: {type(error).__name__}: {found}")
    if broken:
        raise AssertionError("\n".join([f"{opt} breaks {len(broken)} of {len(laws)} laws.", *broken]))
