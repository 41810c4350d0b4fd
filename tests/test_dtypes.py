"""The dtype promise: whatever gradients and learning rate are, a step moves no dtype, and there is one trace."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxopt_lite import apply_updates, registry
from jaxopt_lite.testing.problems import update

LR = 0.25
KINDS_OF_LR = {
    "float": lambda: LR,
    "np.float32": lambda: np.float32(LR),
    "np.float64": lambda: np.float64(LR),
    "strong array": lambda: jnp.full((), LR, jnp.float32),
    "weak array": lambda: jnp.asarray(LR),
    "schedule of floats": lambda: lambda iter: LR,
    "schedule of arrays": lambda: lambda iter: LR / (1 + iter),
}


def grid(real):
    """Pairs of dtypes: of the parameters and the gradients."""
    complex_ones = [jnp.complex64] if jnp.float64 not in real else [jnp.complex64, jnp.complex128]
    yield from itertools.product(real, real)
    yield from itertools.product(complex_ones, [*real, *complex_ones])


# Every kind of lr; for the rules beyond these, those kinds that differ most: what becomes of lr is ``at``'s affair.
EVERY_KIND = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]


def kinds_of_lr(name):
    return list(KINDS_OF_LR) if name in EVERY_KIND else ["float", "np.float64", "schedule of arrays"]


def assert_no_dtype_moves(name, pairs):
    for kind in kinds_of_lr(name):
        lr = KINDS_OF_LR[kind]
        opt = registry[name].on_any_tree(**{"lr": lr()} if "lr" in registry[name].on_any_tree().arguments else {})

        def step(grads, params, state, opt=opt):
            updates, state = update(opt, grads, state, params)
            assert updates.dtype == params.dtype
            if "params" not in opt.needs and jnp.iscomplexobj(grads) == jnp.iscomplexobj(params):
                without, _ = update(opt, grads, state, None)
                assert without.dtype == grads.dtype
            return apply_updates(params, updates), state

        for dtype, grads_dtype in pairs:
            grads = jax.ShapeDtypeStruct((2,), grads_dtype)
            first = jax.eval_shape(lambda dtype=dtype, opt=opt: (p := jnp.ones(2, dtype), opt.init(p)))
            second = jax.eval_shape(step, grads, *first)
            # What jit's cache is keyed by, weak types included: if that is the same, there is no second trace.
            assert second == first, f"{name}, {kind}, {jnp.dtype(dtype)} parameters, {jnp.dtype(grads_dtype)} gradients"
            for leaf in jax.tree.leaves(second[1]):
                assert leaf.dtype.name in {"int32", "uint32", "float32", "float64", "complex64", "complex128"}


@pytest.mark.parametrize("name", registry)
def test_grid(name):
    pairs = list(grid([jnp.float16, jnp.bfloat16, jnp.float32]))
    assert len(KINDS_OF_LR) * len(pairs) >= 63
    assert_no_dtype_moves(name, pairs)


@pytest.mark.parametrize("name", registry)
def test_grid_in_double_precision(x64, name):
    pairs = list(grid([jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64]))
    assert len(KINDS_OF_LR) * len(pairs) >= 112
    assert_no_dtype_moves(name, pairs)
