"""Types that the whole package shares."""

from collections.abc import Callable
from typing import Any

import jax

Tree = Any
"""A pytree of arrays, of their shapes, or of None."""

Scalar = float | jax.Array
"""A Python number, or an array of one number."""

ScalarOrSchedule = Scalar | Callable[[jax.Array], Scalar]
"""A number, or a function from the step to one."""
