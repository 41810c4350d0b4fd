"""The call that makes an optimizer, as a line to paste."""

import inspect
from typing import Any

import jax
import numpy as np

from jaxopt_lite.schedules import Schedule
from jaxopt_lite.values import Value


def call_of(value: Any) -> str:
    """The call that makes an optimizer, to be pasted: what has its default is left out."""
    if not isinstance(value, Value):
        if hasattr(value, "update") and not isinstance(value, dict):
            return "…"  # another library's, which does not tell how it was made
        if isinstance(value, tuple | list):
            inside = ", ".join(map(call_of, value))
            return f"({inside},)" if isinstance(value, tuple) else f"[{inside}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {call_of(x)}" for key, x in value.items()) + "}"
        name = getattr(value, "__qualname__", None) or repr(value)
        return "…" if "<" in name else name
    ours = str(value.factory.__module__).startswith("jaxopt_lite.")
    home = "jaxopt_lite." * ours + "schedules." * (ours and isinstance(value, Schedule))
    return home + value.written(call_of, _is_told)


def _is_told(parameter: inspect.Parameter, argument: Any) -> bool:
    return isinstance(argument, jax.Array | np.ndarray) or argument != parameter.default or parameter.name == "lr"
