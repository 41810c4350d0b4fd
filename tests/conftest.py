"""The suite runs under the strictest settings that a user may have."""

import contextlib
import gc
import os
import sys
from pathlib import Path

# Two workers run side by side, and LAPACK's threads would spin against each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Programs are kept for the next run, which takes half the time. ``pytest --cache-clear`` forgets them.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "d" / "programs"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import chex
import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.psgd_kron import waves

# Compiling is most of the run, and what runs once need not be fast. Without these flags it takes twice as long; the
# emitters of fusions cannot be left out of later versions. ``XLA_FLAGS= python -m pytest`` compiles as users do.
QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_parallel_codegen_split_count": 1}
AS_USERS_DO = {"xla_backend_optimization_level": 3, "xla_cpu_parallel_codegen_split_count": 32}
if jax.__version_info__ < (0, 11):
    QUICKLY["xla_cpu_use_fusion_emitters"], AS_USERS_DO["xla_cpu_use_fusion_emitters"] = False, True
os.environ.setdefault("XLA_FLAGS", " ".join(f"--{flag}={value}" for flag, value in QUICKLY.items()))

# Tracing makes many objects that live for long. Python need not look through them so often.
gc.freeze()
gc.set_threshold(50_000, 20, 50)

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
# How long a case takes is the machine's affair, and the first of each compiles.
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")


@contextlib.contextmanager
def double():
    """Double precision within; ``jax.enable_x64`` is younger than the oldest jax."""
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


@pytest.fixture
def x64():
    """Double precision, for this test."""
    with double():
        yield


@pytest.fixture
def standard():
    """The promotion that rules run under."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture
def waves_for_noise(monkeypatch):
    """Random numbers of psgd_kron are the same here as in its twin, and as they were for its peer."""

    def draw(distribution, key, iter, tree):
        def of_all_steps(shape):
            return jnp.asarray(np.stack([waves(t, shape) for t in range(100)]), jnp.result_type(float))

        return jax.tree.map(lambda x: of_all_steps(x.shape)[iter].astype(x.dtype), tree)

    monkeypatch.setattr(sys.modules["jaxopt_lite.optimizers.psgd_kron"], "draw", draw)


@pytest.fixture(autouse=True)
def count_traces_anew():
    """``chex.assert_max_traces`` counts by the name of a function, through a whole process."""
    chex.clear_trace_counter()


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """What one file has compiled no other needs, and thousands of programs are gigabytes."""
    yield
    jax.clear_caches()
