"""Import a client, and compare its training with our optimizers to its training with optax's."""

import importlib
import os

import chex
import jax
import numpy as np
import optax
import pytest

from jaxopt_lite import adam_standard, sgd

# Each rule, as ours and as optax's.
PAIRS = {
    "sgd": (sgd(0.01), optax.sgd(0.01)),
    "adam": (adam_standard(0.01), optax.adam(0.01)),
}


def client(name):
    """Return the client's module, or skip the test if the client is missing. ``.ci/run clients`` skips nothing.

    Each test imports its client itself, because some clients change the settings of the whole process.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0] or "ALL_CLIENTS" in os.environ:
            raise
        pytest.skip(f"{error.name} is missing: pip install -e '.[test,clients]'")


def assert_trains_as_with_optax(train, rtol=1e-5, atol=1e-6):
    """Raise if the client ends elsewhere with our optimizers than with optax's, or if it ignores its optimizer.

    Args:
        train: a function of the optimizer. It returns the trained parameters, and the losses where there are any.
        rtol: the relative error of rounding.
        atol: the absolute error of rounding.
    """
    with_optax = {name: train(theirs) for name, (_, theirs) in PAIRS.items()}
    for name, (ours, _) in PAIRS.items():
        chex.assert_trees_all_close(train(ours), with_optax[name], rtol=rtol, atol=atol, custom_message=f"with {name}")
    leaves = zip(*map(jax.tree.leaves, with_optax.values()), strict=True)
    assert any(not np.allclose(a, b, rtol=100 * rtol, atol=100 * atol) for a, b in leaves)
