"""The laws that every optimizer here obeys, for anyone's own: ``check(my_opt)``. Needs the extra ``test``."""

import traceback
from collections.abc import Iterable
from pathlib import Path

import chex
import jax
import jaxlib

import jaxopt_lite
from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.testing import arithmetic, form  # noqa: F401 - their laws are added to the dict
from jaxopt_lite.testing.problems import laws
from jaxopt_lite.tree.structure import format_leaf

__all__ = ["check", "laws"]

# The mistakes that authors of rules make most, by words of the error that JAX or Python raises.
HINTS = {
    "TracerBoolConversionError": "A rule branches by jnp.where or jax.lax.cond, and takes jnp.maximum for max",
    "TracerArrayConversionError": "A rule calls jnp in place of np",
    "values to unpack": "update returns (updates, state)",
    "for unary -: 'function'": "A rule reads its rate by at(lr, state.iter)",
    "and must return as many": "A tree that the rule only reads is given by name: each(rule, g, m, p=params)",
}
NOT_THE_USERS = [str(Path(str(package.__file__)).parent) for package in (jax, jaxlib, chex, jaxopt_lite)]


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
    broken: dict[tuple[str, ...], list[str]] = {}
    first = None
    for name in only:
        if name not in laws:
            raise ValueError(f"there is no law {name!r}; there are {', '.join(laws)}")
        try:
            laws[name](opt)
        except Exception as error:
            broken.setdefault(_cause(error), []).append(name)
            first = first or error
    if broken:
        count = sum(map(len, broken.values()))
        lines = [f"- {laws[names[0]].__doc__} Found: {_told(cause, names)}" for cause, names in broken.items()]
        raise AssertionError("\n".join([f"{opt} breaks {count} of {len(laws)} laws.", *lines])) from first


def _cause(error: Exception) -> tuple[str, ...]:
    """Return the sentences that tell an error: what it says, the last line of the user's code, and a hint."""
    said = " ".join(str(error).split())[:500].partition(" The error occurred while tracing")[0]
    said = f"{type(error).__name__}: {said}"
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if not frame.filename.startswith(tuple(NOT_THE_USERS))]
    at = [f"At {Path(frame.filename).name}, line {frame.lineno}: {frame.line}" for frame in mine[-1:]]
    return said, *at, *[hint for words, hint in HINTS.items() if words in said][:1]


def _told(cause: tuple[str, ...], names: list[str]) -> str:
    others = [f"{len(names) - 1} other laws fail in the same way"] if len(names) > 1 else []
    return " ".join(f"{sentence.rstrip('.')}." for sentence in (*cause, *others))
