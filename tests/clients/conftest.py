"""Clients run in tests as they run for their users."""

import os

import jax
import pytest


@pytest.fixture(autouse=True)
def settings_of_users():
    """Promote as JAX does by default; restore all settings after, because some clients change them on import."""
    before, environment = dict(jax.config.values), dict(os.environ)
    jax.config.update("jax_numpy_dtype_promotion", "standard")
    jax.config.update("jax_numpy_rank_promotion", "allow")
    yield
    for name, value in jax.config.values.items():
        if name in before and value != before[name]:
            jax.config.update(name, before[name])
    os.environ.clear()
    os.environ.update(environment)
