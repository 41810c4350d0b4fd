"""Numbers that hold up: in float32, at zero, at 1e30, and after two billion steps."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxopt_lite import abs2, bias_correction, next_step, sqrt
from jaxopt_lite.ops.numerics import mean, saturate
from jaxopt_lite.tree.dtypes import at_least_float32, cast, to_compute_dtype

LARGEST = np.finfo(np.float32).max


@pytest.mark.parametrize(
    ("dtype", "wide"),
    [
        (jnp.float8_e5m2, jnp.float32),
        (jnp.float16, jnp.float32),
        (jnp.bfloat16, jnp.float32),
        (jnp.float32, jnp.float32),
        (jnp.float64, jnp.float64),
        (jnp.complex64, jnp.complex64),
        (jnp.complex128, jnp.complex128),
        (jnp.int8, jnp.int8),
        (jnp.int32, jnp.int32),
        (jnp.bool_, jnp.bool_),
    ],
)
def test_at_least_float32(dtype, wide):
    result = at_least_float32(jnp.dtype(dtype))
    assert result == jnp.dtype(wide)
    assert isinstance(result, np.dtype)


def test_casting():
    key = jax.random.key(0)
    assert to_compute_dtype(key) is key
    assert to_compute_dtype(jnp.ones(2, jnp.bfloat16)).dtype == jnp.float32
    assert cast(jnp.ones(2), jnp.dtype(jnp.float16)).dtype == jnp.float16
    assert not cast(1.0, jnp.dtype(jnp.float32)).weak_type


@given(st.floats(width=32), st.floats(width=32))
def test_abs2_is_the_square_that_never_overflows(re, im):
    real, both = abs2(jnp.float32(re)), abs2(jnp.complex64(complex(re, im)))
    assert real.dtype == both.dtype == jnp.float32
    with np.errstate(all="ignore"):
        for ours, exact in ((real, np.float64(re) ** 2), (both, np.float64(re) ** 2 + np.float64(im) ** 2)):
            np.testing.assert_allclose(ours, np.minimum(exact, LARGEST), rtol=3e-7, atol=1e-37)


def test_saturate():
    assert saturate(jnp.float32(jnp.inf)) == LARGEST
    assert saturate(jnp.float32(3.0)) == 3.0
    assert jnp.isnan(saturate(jnp.float32(jnp.nan)))
    assert saturate(jnp.float16(jnp.inf)) == jnp.finfo(jnp.float16).max


def test_mean():
    x = jnp.arange(12.0).reshape(3, 4)
    assert mean(x) == 5.5
    np.testing.assert_array_equal(mean(x, -1), [1.5, 5.5, 9.5])
    np.testing.assert_array_equal(mean(x, (0,), keepdims=True), [[4, 5, 6, 7]])
    assert mean(jnp.float32(3.0)) == 3
    np.testing.assert_array_equal(mean(jnp.ones((0, 2)), 0), [0, 0])
    assert mean(jnp.ones((2, 0)), 0).shape == (0,)
    assert mean(jnp.full(4, LARGEST)) == LARGEST / 4
    assert jnp.isnan(mean(jnp.asarray([1.0, jnp.nan])))


def test_sqrt_is_the_root_with_a_derivative_everywhere():
    x = jnp.asarray([0.0, 2e-38, 0.25, 4.0, 1e30])
    np.testing.assert_array_equal(sqrt(x), jnp.sqrt(x))
    slope = jax.vmap(jax.grad(sqrt))(x)
    assert slope[0] == 0
    np.testing.assert_allclose(slope[1:], 0.5 / np.sqrt(np.asarray(x[1:])), rtol=1e-6)
    second = jax.grad(jax.grad(sqrt))
    assert second(0.0) == 0
    np.testing.assert_allclose(second(4.0), -1 / 32, rtol=1e-6)
    tangent = jax.jvp(sqrt, (jnp.float32(4.0),), (jnp.float32(3.0),))[1]
    assert tangent == 0.75


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.9999, 1 - 1e-7])
@pytest.mark.parametrize("t", [1, 2, 10, 1000, 2**31 - 1])
def test_bias_correction_is_exact_to_four_ulp(beta, t):
    ours = bias_correction(beta, jnp.int32(t))
    exact = -math.expm1(t * math.log(beta)) if beta else 1.0
    assert ours.dtype == jnp.float32
    assert ours.weak_type
    assert abs(float(ours) - exact) <= 4 * np.spacing(np.float32(exact))


@pytest.mark.usefixtures("standard")
def test_bias_correction_of_an_array():
    beta = jnp.float32(0.99)
    ours, exact = bias_correction(beta, jnp.int32(7)), -math.expm1(7 * math.log(float(beta)))
    assert abs(float(ours) - exact) <= 8 * np.spacing(np.float32(exact))


def test_next_step():
    last = 2**31 - 1
    for before, after in ((0, 1), (1, 2), (last - 2, last - 1), (last - 1, last), (last, last)):
        count = next_step(jnp.int32(before))
        assert count == after
        assert count.dtype == jnp.int32
