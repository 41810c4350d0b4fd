"""L-BFGS, its line search, and Sophia's estimate: rules whose steps depend on a function."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import double
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import some_slow

from jaxopt_lite import (
    adam,
    apply_updates,
    average,
    chain,
    clip,
    lbfgs,
    maximize,
    polyak_sgd,
    sam,
    sophia,
    value_and_grad_from_state,
    weight_decay,
)
from jaxopt_lite.ops.linesearch import Point, cubic_minimum, zoom
from jaxopt_lite.ops.random import signs
from jaxopt_lite.testing.problems import run, start


def rosenbrock(x):
    return jnp.sum(100 * (x[1::2] - x[::2] ** 2) ** 2 + (1 - x[::2]) ** 2)


def visited(opt, value_fn, params, steps):
    """Parameters, gradients and updates of each step, and the last state."""

    @jax.jit
    def step(params, state):
        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)
        return apply_updates(params, updates), grad, updates, state

    state, seen = opt.init(params), []
    for _ in range(steps):
        after, grad, updates, state = step(params, state)
        seen.append((params, grad, updates))
        params = after
    return seen, state


def unit(x):
    return np.asarray(x) / np.linalg.norm(x)


def test_lbfgs_goes_in_the_directions_of_optax(x64):
    """From the same points and gradients; how far, each line search has its own mind."""
    seen, _ = visited(lbfgs(memory=4), rosenbrock, jnp.array([-1.2, 1.0, 0.5, 2.0]), 15)
    theirs = optax.scale_by_lbfgs(memory_size=4)
    state = theirs.init(seen[0][0])
    for params, grad, updates in seen:
        with jax.numpy_dtype_promotion("standard"):
            direction, state = theirs.update(grad, state, params)
        np.testing.assert_allclose(unit(updates), -unit(direction), atol=1e-7)


@pytest.mark.parametrize(("width", "height"), [(1.0, 1.0), (1e-17, 1.0), (1.0, 1e-20)])
def test_lbfgs_goes_in_the_directions_of_the_whole_matrix(x64, width, height):
    """Nocedal & Wright (2006), equation 6.17, from the newest pair's multiple of the identity, all pairs kept.

    So it is whatever the units of the parameters and of the loss.
    """
    opt, begin = lbfgs(memory=20, max_evaluations=60), width * jnp.array([-1.2, 1.0, 0.5, 2.0])
    seen, _ = visited(opt, lambda x: height * rosenbrock(x / width), begin, 12)
    pairs = []
    for k, (params, grad, updates) in enumerate(seen):
        if k:
            pairs.append((params - seen[k - 1][0], grad - seen[k - 1][1]))
        s, y = pairs[-1] if pairs else (np.ones(4), np.ones(4))
        H = np.eye(4) * (s @ y) / (y @ y)
        for s, y in pairs:
            V = np.eye(4) - np.outer(y, s) / (s @ y)
            H = V.T @ H @ V + np.outer(s, s) / (s @ y)
        np.testing.assert_allclose(unit(updates), -unit(H @ grad), atol=1e-7)


@pytest.mark.parametrize(
    "begin", [(-1.2, 1.0), *(pytest.param(begin, marks=pytest.mark.slow) for begin in ((0.7, -1.3), (1.9, 0.2)))]
)
def test_lbfgs_ends_where_it_has_looked_in_half_precision(begin):
    opt, params = lbfgs(), jnp.array(begin, jnp.bfloat16)
    state = opt.init(params)
    for _ in range(6):
        value, grad = value_and_grad_from_state(rosenbrock)(params, state=state)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=rosenbrock)
        params = apply_updates(params, updates)
        np.testing.assert_array_equal(state.grad, jax.grad(rosenbrock)(params))


@pytest.mark.usefixtures("standard")  # optax's promotes its values
@pytest.mark.parametrize("opt", [lbfgs(), chain(lbfgs())], ids=lambda opt: opt.name)
def test_lbfgs_is_driven_by_optaxs_value_and_grad_from_state(opt):
    def valley(x):
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    @jax.jit
    def step(params, state):
        value, grad = optax.value_and_grad_from_state(valley)(params, state=state)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=valley)
        return apply_updates(params, updates), state

    params = jnp.zeros(8)
    state = opt.init(params)
    for _ in range(60):
        params, state = step(params, state)
    np.testing.assert_allclose(params, 1, atol=1e-3)


def test_lbfgs_takes_a_step_of_length_1_first_and_then_newtons():
    seen, _ = visited(lbfgs(), lambda x: 0.1 * jnp.sum(x * x), jnp.array([3.0, 4.0]), 2)
    np.testing.assert_allclose(np.linalg.norm(seen[0][2]), 1, rtol=1e-6)
    np.testing.assert_allclose(seen[1][0] + seen[1][2], 0, atol=1e-6)


@pytest.mark.parametrize("dimension", some_slow([2, 10, 100], [10]))
def test_lbfgs_solves_rosenbrock(x64, dimension):
    opt, calls = lbfgs(), []

    def counted(x):
        jax.debug.callback(lambda: calls.append(1))
        return rosenbrock(x)

    @jax.jit
    def step(params, state):
        value, grad = value_and_grad_from_state(counted)(params, state=state)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=counted)
        return apply_updates(params, updates), state

    params = jnp.tile(jnp.array([-1.2, 1.0]), dimension // 2)
    state = opt.init(params)
    for _ in range(60):
        params, state = step(params, state)
        if np.linalg.norm(state.grad) <= 1e-5:
            break
    jax.effects_barrier()
    np.testing.assert_allclose(params, 1, atol=1e-5)
    assert len(calls) <= 55
    np.testing.assert_allclose(state.value, rosenbrock(params), atol=1e-12)
    np.testing.assert_allclose(state.grad, jax.grad(rosenbrock)(params), atol=1e-8)


def test_what_a_state_knows_is_found_in_a_chain_and_for_complex_parameters():
    opt, params = chain(clip(1e6), lbfgs()), jnp.array([1.0 + 2.0j, -0.5j])

    def loss(z):
        return jnp.sum(jnp.abs(z - 1j) ** 2) + jnp.sum(z.real**4)

    state = opt.init(params)
    for _ in range(3):
        value, conjugate = value_and_grad_from_state(loss)(params, state=state)
        expected = jax.value_and_grad(loss)(params)
        np.testing.assert_allclose(value, expected[0], rtol=1e-5)
        np.testing.assert_allclose(conjugate, expected[1], rtol=1e-4, atol=1e-5)
        grad = jnp.conj(conjugate)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=loss)
        params = apply_updates(params, updates)


@pytest.mark.parametrize(
    "opt", [maximize(lbfgs()), average(lbfgs()), chain(lbfgs(), weight_decay(0.1)), adam()], ids=str
)
def test_what_may_be_stale_or_another_functions_is_not_taken_from_a_state(opt):
    with pytest.raises(ValueError, match=r"^value_and_grad_from_state: the state must be that of lbfgs, or of a chain"):
        value_and_grad_from_state(rosenbrock)(jnp.ones(2), state=opt.init(jnp.ones(2)))


@pytest.mark.parametrize("place", [1e10, 1e11, 1e12, 1e15, 1e20])
@pytest.mark.parametrize("loss", [lambda x: x**2, lambda x: jnp.sqrt(1 + x**2)], ids=["parabola", "hyperbola"])
def test_a_minimum_is_found_from_where_rounding_hides_the_curvature(loss, place):
    """The first steps, of length 1, change neither the value nor the slope in float32."""
    assert jnp.float32(0) - jnp.float32(place) == jnp.float32(1) - jnp.float32(place)
    params, _ = run(lbfgs(), start(lbfgs(), jnp.zeros(1)), 6, lambda p: jnp.sum(loss(p / place - 1)))
    np.testing.assert_allclose(params, place, rtol=1e-4)


def test_a_straight_line_has_its_minimum_infinitely_far():
    a, b = (Point(jnp.asarray(t), jnp.asarray(-1e-8 * t), jnp.asarray(-1e-8)) for t in (0.0, 1.0))
    assert jnp.isposinf(cubic_minimum(a, b))


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.01, 100), st.floats(-2, 2))
def test_what_zoom_finds_keeps_the_wolfe_conditions(a, b, first, shift):
    """On a quartic with two valleys and a ripple, wherever it starts."""
    with double():
        found, slope, value = searched(a, b, first, shift)
        if slope < -1e-6:
            assert found.found
            assert found.low.value <= value + 1e-4 * found.low.t * slope + 1e-12
            assert abs(found.low.slope) <= 0.9 * abs(slope)


@jax.jit
def searched(a, b, first, shift):
    def f(t):
        x = t * jnp.sign(b) + a
        return x**4 - 3 * x**2 + shift * x + 0.3 * jnp.sin(5 * x)

    def look(t):
        value, slope = jax.value_and_grad(f)(t)
        return Point(t, value, slope), slope

    start, grad = look(jnp.zeros(()))
    return zoom(look, start, grad, jnp.asarray(first), c1=1e-4, c2=0.9, most=60), start.slope, start.value


def looked_once(value, slope, *, c1, start=0.0):
    """A search from a slope of -1, after its first look, at 1."""

    def look(t):
        return Point(t, jnp.float32(value), jnp.float32(slope)), jnp.float32(slope)

    origin = Point(jnp.float32(0), jnp.float32(start), jnp.float32(-1))
    return zoom(look, origin, origin.slope, jnp.float32(1), c1=c1, c2=0.9, most=1)


def test_an_interval_shrinks_by_a_tenth_at_least_from_either_end():
    np.testing.assert_allclose(looked_once(100, 300, c1=0.25).t, 0.1)
    np.testing.assert_allclose(looked_once(-0.44, 0, c1=0.45).t, 0.9)


@pytest.mark.parametrize(("slope", "found"), [(-0.95, False), (-0.4, True), (0.45, True), (0.55, False)])
def test_where_rounding_hides_a_descent_the_slopes_of_a_parabola_decide(slope, found):
    """On one, the slope at 1 is 2 c1 - 1 times the first, here 0.5, where the descent is just enough."""
    assert looked_once(1, slope, c1=0.25, start=1.0).found == found


def test_a_search_shrinks_from_where_the_function_is_not_finite():
    def loss(x):
        return jnp.sum(jnp.where(x > 3, jnp.nan, jnp.where(x > 2, jnp.inf, (x - 1.5) ** 2)))

    seen, _ = visited(lbfgs(), lambda x: loss(100 * x), jnp.array([-0.5]), 12)
    assert abs(100 * seen[-1][0] - 1.5) < 1e-2


def test_a_search_that_finds_nothing_stays_and_forgets():
    opt, params = lbfgs(max_evaluations=3), jnp.array([1.0, 2.0])
    seen, state = visited(opt, lambda x: jnp.sum(x**2), params, 1)
    lie = {"value": jnp.asarray(-1e6), "grad": params, "value_fn": lambda x: jnp.sum(x**2)}
    assert np.any(state.steps)
    updates, state = opt.update(params, state, params, **lie)
    assert not np.any(updates)
    assert not np.any(state.steps)
    assert not np.any(state.changes)
    assert len(seen) == 1


def test_pairs_along_which_the_slope_falls_are_not_kept():
    """The first step, of length 1, ends where the function is concave still."""
    _, state = visited(lbfgs(max_evaluations=1), lambda x: jnp.sum(jnp.cos(x)), jnp.array([0.5]), 1)
    assert not np.any(state.steps)


def test_where_the_cubic_is_lowest():
    """Of (t - 1)² (t + 2) = t³ - 3 t + 2, from any two points: at 1."""
    for left, right in ((0.0, 3.0), (3.0, 0.0), (0.5, 0.9), (-0.5, 1.5)):
        a, b = (Point(t, t**3 - 3 * t + 2, 3 * t**2 - 3) for t in map(jnp.asarray, (left, right)))
        np.testing.assert_allclose(cubic_minimum(a, b), 1, rtol=1e-5)


def test_within_jit_a_new_function_at_every_step_compiles_once_and_outside_a_warning_says_so():
    opt, traces = lbfgs(), []

    @jax.jit
    def step(params, state, target):
        def value_fn(params):
            traces.append(1)
            return jnp.sum((params - target) ** 2)

        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = opt.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)
        return apply_updates(params, updates), state

    params, state = jnp.zeros(2), opt.init(jnp.zeros(2))
    params, state = step(params, state, 0.0)
    of_the_first = len(traces)
    for target in range(1, 5):
        params, state = step(params, state, float(target))
    assert len(traces) == of_the_first
    given = {"value": 1.0, "grad": params, "value_fn": lambda x: jnp.sum(x**2)}
    for outside in (opt, chain(clip(1.0), opt)):
        with pytest.warns(UserWarning, match=r"update: outside jax.jit, what is done with value_fn is compiled anew"):
            outside.update(params, outside.init(params), params, **given)
    with warnings.catch_warnings(action="error"):  # sam calls the function, and compiles nothing of it
        sam(adam()).update(params, sam(adam()).init(params), params, **given)


def test_sophia_estimates_the_diagonal_of_the_hessian():
    """The mean over many directions is the diagonal; for a diagonal Hessian one direction is exact."""
    A = np.random.default_rng(0).standard_normal((4, 4))
    A = jnp.asarray(A + A.T, jnp.float32)
    params = jnp.ones(4)

    def estimate(seed, A):
        opt = sophia(beta2=0.0, seed=seed)
        _, state = opt.update(params, opt.init(params), params, value_fn=lambda x: 0.5 * x @ A @ x)
        return state.h

    estimates = jax.vmap(estimate, in_axes=(0, None))(jnp.arange(4000), A)
    np.testing.assert_allclose(jnp.mean(estimates, 0), jnp.diag(A), atol=0.2)
    assert np.std(np.asarray(estimates)) > 0.5
    np.testing.assert_allclose(estimate(3, jnp.diag(jnp.arange(4.0))), jnp.arange(4.0), atol=1e-6)


def test_signs_of_complex_numbers_are_of_four_kinds(standard):
    drawn = signs(jax.random.key(0), (100,), jnp.complex64)
    corners = np.unique(np.round(np.asarray(drawn) * 2**0.5))
    np.testing.assert_array_equal(corners, [-1 - 1j, -1 + 1j, 1 - 1j, 1 + 1j])


def test_sophia_sees_the_curvature_of_both_parts_of_a_complex_parameter():
    opt, z = sophia(beta2=0.0), jnp.asarray([0.5 + 0.5j])
    _, state = opt.update(z, opt.init(z), z, value_fn=lambda z: jnp.sum(z.real**2 + 50 * z.imag**2))
    np.testing.assert_allclose(state.h, (2 + 100) / 2, rtol=1e-5)


def test_lbfgs_works_beside_others_in_groups_and_on_several_leaves():
    params = {"a": jnp.array([-1.2]), "b": [jnp.array([[1.0]])]}

    def loss(p):
        x, y = p["a"][0], p["b"][0][0, 0]
        return 100 * (y - x**2) ** 2 + (1 - x) ** 2

    seen, state = visited(lbfgs(), loss, params, 60)
    flat, _ = visited(lbfgs(), rosenbrock, jnp.array([-1.2, 1.0]), 60)
    np.testing.assert_allclose(seen[10][0]["a"], flat[10][0][:1], rtol=1e-3)
    assert state.value < 1e-8
    assert adam() != lbfgs()


def test_polyaks_step_is_none_where_the_value_is_below_the_lowest_or_the_gradient_is_0():
    opt, g = polyak_sgd(f_min=1.0), jnp.array([3.0, 4.0])
    for value, grads in ((0.5, g), (-7.0, g), (5.0, 0 * g)):
        np.testing.assert_array_equal(opt.update(grads, opt.init(g), value=value)[0], 0)
    np.testing.assert_allclose(opt.update(g, opt.init(g), value=6.0)[0], -g * 5 / 25, rtol=1e-6)
