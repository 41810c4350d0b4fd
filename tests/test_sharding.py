"""Sharded parameters have sharded states: on eight fake devices, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

from jaxopt_lite import adam, state_shardings

FOLDER = Path(__file__).with_name("on_eight_devices")
FILES = [str(FOLDER / f"{name}.py") for name in ("states", "steps", "norms", "packing", "gradients")]


SLOW = [pytest.param("slow", chosen, marks=pytest.mark.slow) for chosen in ("explicit", "not explicit")]


@pytest.mark.parametrize(("part", "chosen"), [("not slow", ""), *SLOW])
def test_on_eight_devices(part, chosen):
    devices = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=8"
    env = os.environ | {"XLA_FLAGS": devices, "PJRT_NPROC": "16", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-m", part, "-k", chosen, *FILES]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_parameters_without_a_mesh_are_refused():
    with pytest.raises(
        TypeError, match=r"^state_shardings: params\['w'\] has the sharding .*, and needs a NamedSharding$"
    ):
        state_shardings(adam(), {"w": jnp.ones(3)})
    with pytest.raises(TypeError, match=r"^state_shardings: params has no leaves, and so no mesh$"):
        state_shardings(adam(), {})
