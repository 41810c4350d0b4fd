"""Types that the whole package shares."""

from collections.abc import Callable
from typing import Any

import jax

Tree = Any


Scalar = float | jax.Array


ScalarOrSchedule = Scalar | Callable[[jax.Array], Scalar]
