"""The mean of examples' gradients: clipped as by hand, noised as it says, finite, and in at least float32."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxopt_lite import adam, apply_updates, private_mean

KEY = jax.random.key(0)


def test_each_example_is_clipped_by_the_norm_of_all_its_leaves():
    grads = {"w": jnp.asarray([[3.0, 0.0], [0.3, 0.0], [0.0, 0.0]]), "b": jnp.asarray([4.0, 0.4, 0.0])}
    mean = private_mean(grads, KEY, 1.0, 0.0)
    chex.assert_trees_all_close(mean, {"w": jnp.asarray([0.3, 0.0]), "b": jnp.asarray(0.4)}, rtol=1e-6)
    one = private_mean({"w": grads["w"][:1], "b": grads["b"][:1]}, KEY, 1.0, 0.0)
    chex.assert_trees_all_close(one, {"w": jnp.asarray([0.6, 0.0]), "b": jnp.asarray(0.8)}, rtol=1e-6)
    assert private_mean({"w": None}, KEY, 1.0, 1.0) == {"w": None}


def test_examples_that_are_short_have_their_mean():
    g = jax.random.normal(KEY, (7, 5))
    np.testing.assert_allclose(private_mean(g, KEY, 100.0, 0.0), g.mean(0), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 100_000), (4, 100_000)])
@pytest.mark.parametrize("parts", ["real", "complex"])
def test_the_noise_is_as_large_as_it_says(shape, parts):
    dtype = jnp.complex64 if parts == "complex" else jnp.float32
    noise = private_mean({"a": jnp.zeros(shape, dtype), "b": jnp.zeros(shape, dtype)}, KEY, 2.0, 1.5)
    draws = [part(x) for x in noise.values() for part in ([np.real, np.imag] if parts == "complex" else [np.real])]
    for x in draws:
        np.testing.assert_allclose(np.std(x), 3.0 / shape[0], rtol=0.01)
        np.testing.assert_allclose(np.mean(x) * shape[0], 0, atol=0.05)
        np.testing.assert_allclose(np.mean(x**4) / np.mean(x**2) ** 2, 3, rtol=0.05)  # as a Gaussian's
    assert np.max(np.abs(np.corrcoef(draws) - np.eye(len(draws)))) < 0.02


def test_the_noise_depends_on_the_key_alone():
    zeros, other = jnp.zeros((4, 3)), jax.random.key(1)
    first, again, another = (private_mean(zeros, key, 1.0, 1.0) for key in (KEY, KEY, other))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == another)
    np.testing.assert_allclose(private_mean(jnp.ones((4, 3)), KEY, 100.0, 0.01), 1 + first, rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-38, 1e30, 3e38])
def test_it_is_finite_at_extremes(size):
    mean = private_mean({"w": jnp.full((2, 3), size), "b": jnp.asarray([size, -size])}, KEY, 1.0, 0.0)
    chex.assert_tree_all_finite(mean)
    assert np.linalg.norm(mean["w"]) <= 1.0001


def test_a_gradient_that_is_not_finite_is_seen():
    assert np.all(np.isnan(private_mean(jnp.asarray([[1.0, jnp.inf], [0.0, 1.0]]), KEY, 1.0, 0.0)))


def test_half_precision_is_summed_in_float32():
    """In float16 the sum would stop at 2048."""
    mean = private_mean(jnp.ones((5000, 1), jnp.float16), KEY, 1.0, 0.0)
    assert mean.dtype == jnp.float32
    np.testing.assert_allclose(mean, 1, rtol=1e-6)
    assert private_mean(jnp.ones((2, 1), jnp.complex64), KEY, 1.0, 1.0).dtype == jnp.complex64


def test_numbers_are_swept_and_differentiated():
    g = jnp.asarray([[3.0, 4.0], [0.0, 0.0]])
    swept = jax.jit(jax.vmap(private_mean, (None, None, 0, None)))(g, KEY, jnp.asarray([1.0, 5.0]), 0.0)
    np.testing.assert_allclose(swept, [[0.3, 0.4], [1.5, 2.0]], rtol=1e-6)
    slope = jax.grad(lambda g: jnp.sum(private_mean(g, KEY, 1.0, 0.0)))(g)
    np.testing.assert_allclose(slope[1], 0.5)
    assert np.all(np.isfinite(slope))


def test_a_step_along_it_under_jit():
    x = jax.random.normal(KEY, (16, 3))
    loss = lambda params, x: (x @ params["w"] - 1.0) ** 2  # noqa: E731
    opt, params = adam(0.1), {"w": jnp.zeros(3)}

    @jax.jit
    def step(params, state, key):
        grads = jax.vmap(jax.grad(loss), (None, 0))(params, x)
        key, now = jax.random.split(key)
        updates, state = opt.update(private_mean(grads, now, 1.0, 0.1), state, params)
        return apply_updates(params, updates), state, key

    state, key = opt.init(params), KEY
    before = jnp.mean(jax.vmap(loss, (None, 0))(params, x))
    for _ in range(50):
        params, state, key = step(params, state, key)
    assert jnp.mean(jax.vmap(loss, (None, 0))(params, x)) < before
