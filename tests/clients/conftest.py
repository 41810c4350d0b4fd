"""Run clients under the settings of their users."""

import jax
import pytest


@pytest.fixture(autouse=True)
def settings_of_users():
    """Promote as JAX does by default. Restore all settings after the test, because some clients change them."""
    before = dict(jax.config.values)
    jax.config.update("jax_numpy_dtype_promotion", "standard")
    jax.config.update("jax_numpy_rank_promotion", "allow")
    yield
    for name, value in before.items():
        if jax.config.values[name] != value:
            jax.config.update(name, value)
