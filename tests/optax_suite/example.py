"""Three tests in the manner of optax's: one of ours, one of what ours lack, and one that calls none of ours."""

import unittest

import jax.numpy as jnp
import optax


class Example(unittest.TestCase):
    def test_sgd(self):
        opt = optax.sgd(0.1)
        updates, _ = opt.update(jnp.ones(3), opt.init(jnp.ones(3)), jnp.ones(3))
        assert jnp.allclose(updates, -0.1)

    def test_sgd_in_half_precision(self):
        with self.subTest("the accumulator"):
            optax.sgd(0.1, momentum=0.9, accumulator_dtype=jnp.bfloat16)

    def test_global_norm(self):
        assert optax.global_norm([jnp.ones(4)]) == 2.0
