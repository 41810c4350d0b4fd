"""The paths that optimizers take down a landscape."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.landscapes.functions import Landscape
from jaxopt_lite.training import take_step


def trajectories(opt: Optimizer, landscape: Landscape, starts: Any, steps: int) -> np.ndarray:
    """Return the points that an optimizer passes, from each start.

    Args:
        opt: the optimizer.
        landscape: what it descends.
        starts: points (x, y); shape (starts, 2).
        steps: how many updates are taken.

    Returns:
        Floats of shape (starts, steps + 1, 2), the start the first of each path. From where a path is no longer finite
        it is NaN.

    Example:
        >>> points = trajectories(sgd(0.1), LANDSCAPES["book"], [(-7.0, 2.0)], steps=2)
        >>> print(points.shape)
        (1, 3, 2)
    """

    def path(start: jax.Array) -> jax.Array:
        params = {"x": start[0], "y": start[1]}

        def step(carry: Any, _: None) -> Any:
            params, state, _ = take_step(landscape.f, opt, *carry)
            return (params, state), params

        _, after = jax.lax.scan(step, (params, opt.init(params)), length=steps)
        return jnp.concatenate([start[None], jnp.stack([after["x"], after["y"]], axis=-1)])

    points = np.array(jax.jit(jax.vmap(path))(jnp.asarray(starts, float)))
    lost = np.logical_or.accumulate(~np.isfinite(points).all(-1), axis=1)
    points[lost] = np.nan
    return points
