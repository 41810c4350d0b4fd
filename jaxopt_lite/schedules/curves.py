"""Numbers that change with the step, drawn."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.types import ScalarOrSchedule


def plot(*schedules: ScalarOrSchedule, steps: int) -> Any:
    """Draw schedules over the steps from 0 to ``steps``; needs matplotlib, from the extra ``race``.

    Returns:
        The ``matplotlib.axes.Axes`` of a new figure.

    Example:
        >>> axes = schedules.plot(schedules.cosine(1.0, steps=10), steps=10)
        >>> print(axes.get_xlabel())
        step
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra

    _, axes = plt.subplots()
    iter = jnp.unique(jnp.linspace(0, steps, 1001).astype(int))
    for number in schedules:
        with jax.numpy_dtype_promotion("standard"):
            values = jnp.broadcast_to(number(iter) if callable(number) else number, iter.shape)
        axes.plot(iter, values, label=repr(number))
    axes.set_xlabel("step")
    axes.legend()
    return axes
