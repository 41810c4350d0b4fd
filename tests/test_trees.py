"""State is born where the parameters live."""

import functools

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxopt_lite import zero_steps, zeros_like
from jaxopt_lite.ops.norms import dot, norm, norm1
from jaxopt_lite.tree.structure import is_function
from jaxopt_lite.tree.zeros import reduced_zeros

MIXED = {
    "half": jnp.full((2, 3), 7, jnp.float16),
    "single": jnp.asarray([jnp.nan, jnp.inf, -jnp.inf]),
    "complex": jnp.full(2, 3 + 4j, jnp.complex64),
    "none": None,
    "number": 1.0,
}


@pytest.mark.parametrize("how", [lambda f: f, jax.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("real", [False, True])
def test_zeros_like(how, real):
    zeros = how(lambda params: zeros_like(params, real=real))(MIXED)
    expected = {
        "half": jnp.zeros((2, 3), jnp.float32),
        "single": jnp.zeros(3, jnp.float32),
        "complex": jnp.zeros(2, jnp.float32 if real else jnp.complex64),
        "none": None,
        "number": jnp.zeros((), jnp.float32),
    }
    chex.assert_trees_all_equal(zeros, expected)
    chex.assert_trees_all_equal_shapes_and_dtypes(zeros, expected)
    assert not any(z.weak_type for z in jax.tree.leaves(zeros))


def test_zeros_like_in_double_precision(x64):
    params = {"d": jnp.ones(2), "z": jnp.ones(2, jnp.complex128), "s": jnp.ones(2, jnp.float32)}
    dtypes = {name: z.dtype for name, z in zeros_like(params, real=True).items()}
    assert dtypes == {"d": jnp.float64, "z": jnp.float64, "s": jnp.float32}


def test_zeros_like_leaves_codes_what_they_are():
    assert zeros_like({"n": jnp.ones(2, int)}, real=True)["n"].dtype == jnp.int32


@pytest.mark.parametrize("params", [MIXED, {}, None, 1.0, {"a": jax.ShapeDtypeStruct((2,), jnp.float16)}])
def test_zero_steps(params):
    for count in (zero_steps(params), jax.eval_shape(zero_steps, params), jax.eval_shape(lambda: zero_steps(params))):
        assert count.shape == ()
        assert count.dtype == jnp.int32
    assert zero_steps(params) == 0


def test_a_sum_of_magnitudes_is_taken_in_single_precision_and_saturates():
    tree = {"half": jnp.full(3000, 100, jnp.float16), "z": jnp.asarray([3 + 4j]), "empty": jnp.zeros((0, 3))}
    assert norm1(tree) == 300_005
    assert norm1([jnp.full(2, 3e38), jnp.ones(1)]) == jnp.finfo(jnp.float32).max
    assert norm1({}) == 0


def test_a_dot_product_is_a_real_number():
    a = {"z": jnp.asarray([3 + 4j, 1j]), "x": jnp.asarray([2.0]), "empty": jnp.zeros((0, 3))}
    assert dot(a, a) == 30
    turned = {"z": 1j * a["z"], "x": -a["x"], "empty": a["empty"]}
    assert dot(a, turned) == dot(turned, a) == -4
    assert dot({}, {}) == 0


def test_a_dot_product_of_what_overflows_is_as_large_as_it_can_be():
    huge, most = [jnp.full(5, 1e30), jnp.full((2, 2), -1e30)], jnp.finfo(jnp.float32).max
    np.testing.assert_allclose(dot(huge, huge), most, rtol=1e-6)
    np.testing.assert_allclose(dot(huge, [-x for x in huge]), -most, rtol=1e-6)


# What takes more than one device runs in a process of its own, with eight that XLA makes of the CPU.
@pytest.mark.parametrize("how", [lambda f: f, jax.jit], ids=["eager", "jit"])
@pytest.mark.parametrize(
    ("axes", "keepdims", "shape"),
    [
        (None, False, ()),
        ((), False, (2, 3)),
        (-1, False, (2,)),
        (-2, False, (3,)),
        ((1,), True, (2, 1)),
        (None, True, (1, 1)),
    ],
)
def test_zeros_over_axes_are_shaped_as_a_mean_is(how, axes, keepdims, shape):
    zeros = how(lambda p: reduced_zeros(p, axes, keepdims=keepdims))(jnp.ones((2, 3), jnp.complex64))
    chex.assert_trees_all_equal(zeros, jnp.zeros(shape))
    assert zeros.dtype == jnp.float32


def test_a_norm_counts_entries_whose_squares_vanish_beside_one_whose_square_does_not():
    x = np.full(2**20, 1e-22, np.float32)
    x[0] = 2e-19
    expected = np.linalg.norm(x.astype(np.float64))
    np.testing.assert_allclose(norm(jnp.asarray(x)), expected, rtol=1e-5)


def test_zeros_over_a_number_and_over_nothing():
    assert reduced_zeros(1.5) == 0
    chex.assert_trees_all_equal(reduced_zeros(jnp.ones((0, 3), jnp.bfloat16), 0), jnp.zeros(3))


@pytest.mark.parametrize("entry", [0.0, 1e-30, 1.0, 1e30])
def test_the_norm_of_what_is_constant_to_the_compiler(entry):
    np.testing.assert_allclose(jax.jit(lambda: norm([jnp.full(4, entry)]))(), 2 * entry, rtol=1e-6)


def test_the_norm_has_a_derivative_of_length_1_and_of_0_at_0():
    for entry in (1e-30, 1.0, 1e30):
        np.testing.assert_allclose(jax.grad(lambda x: norm([x]))(jnp.full(4, entry)), 0.5, rtol=1e-6)
    np.testing.assert_array_equal(jax.grad(lambda x: norm([x]))(jnp.zeros(4)), 0)
    along = jnp.array([3.0, 4.0])
    np.testing.assert_allclose(jax.hessian(lambda x: norm([x]))(along) @ along, 0, atol=1e-6)


def test_small_and_large_zeros_are_put_where_their_parameters_are():
    device = jax.devices()[0]
    for shape in ((3,), (1000, 1000)):
        put = zeros_like({"put": jax.device_put(jnp.ones(shape), device), "free": jnp.ones(shape)})
        assert put["put"].committed
        assert not put["free"].committed
        assert put["put"].devices() == {device}
        assert not np.any(put["put"])
        assert put["put"].dtype == jnp.float32


def test_what_is_a_function_and_what_is_a_tree():
    model = eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0))
    names = jax.tree.map(lambda _: "all", eqx.filter(model, eqx.is_array))
    functions = [
        len,
        lambda path, leaf: "all",
        functools.partial(max, 1),
        jax.tree_util.Partial(max, 1),
        eqx.nn.Identity(),
    ]
    assert [is_function(x) for x in functions] == [True] * len(functions)
    trees = [model, names, {"a": len}, None, 1.0, "all", jnp.ones(3)]
    assert [is_function(x) for x in trees] == [False] * len(trees)
