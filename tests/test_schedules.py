"""Schedules: by their formulas in float64, by optax where it has the same, as values, and inside optimizers."""

import contextlib
import copy
import functools
import pickle
import re

import chex
import jax
import jax.numpy as jnp
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest
from conftest import double
from peers_around import SCHEDULES
from quick import some_slow

from jaxopt_lite import adam, adamw, schedules, sgd
from jaxopt_lite.schedules import (
    add,
    constant,
    cosine,
    cosine_restarts,
    divide,
    exponential,
    inverse_sqrt,
    join,
    linear,
    one_cycle,
    piecewise,
    polynomial,
    scale,
    step,
    subtract,
    warmup,
    warmup_stable_decay,
)

LAST = 2**31 - 1


def half_wave(t, start, steps, end=0.0):
    return end + (start - end) * 0.5 * (1 + np.cos(np.pi * min(t / steps, 1)))


def restarting(t, start, steps, growth):
    while t >= steps:
        t, steps = t - steps, growth * steps
    return half_wave(t, start, steps)


def joined(t):
    return 0.5 if t < 10 else 0.4 - 0.4 * (t - 10) / 30 if t < 40 else 0.001 * (t - 40)


def summed(t):
    return 1 + half_wave(t, 0.5, 40) + 0.5 - 0.4 * min(t / 40, 1)


# Each with its formula for one step, in double precision.
FORMULAS = {
    "constant": (constant(0.3), lambda t: 0.3),
    "linear": (linear(0.5, 0.1, steps=40), lambda t: 0.5 - 0.4 * min(t / 40, 1)),
    "polynomial": (polynomial(0.5, 0.1, steps=40, power=3), lambda t: 0.1 + 0.4 * (1 - min(t / 40, 1)) ** 3),
    "exponential": (exponential(0.5, 0.8, steps=10), lambda t: 0.5 * 0.8 ** (t / 10)),
    "slow exponential": (exponential(0.5, 0.9999999), lambda t: 0.5 * 0.9999999**t),
    "staircase": (exponential(0.5, 0.8, steps=10, staircase=True), lambda t: 0.5 * 0.8 ** (t // 10)),
    "step": (step(0.5, 0.1, at=(10, 40)), lambda t: 0.5 * 0.1 ** ((t >= 10) + (t >= 40))),
    "cosine": (cosine(0.5, steps=40, end=0.1), lambda t: half_wave(t, 0.5, 40, 0.1)),
    "cosine_restarts": (cosine_restarts(0.5, steps=10), lambda t: half_wave(t % 10, 0.5, 10)),
    "growing restarts": (cosine_restarts(0.5, steps=10, growth=3), lambda t: restarting(t, 0.5, 10, 3)),
    "restarts from one step": (cosine_restarts(0.5, steps=1, growth=2), lambda t: restarting(t, 0.5, 1, 2)),
    "one_cycle": (
        one_cycle(0.5, steps=40, warmup=0.25),
        lambda t: half_wave(t, 0.02, 10, 0.5) if t < 10 else half_wave(t - 10, 0.5, 30, 2e-6),
    ),
    "inverse_sqrt": (inverse_sqrt(0.5, steps=10), lambda t: 0.5 * np.sqrt(10 / (10 + t))),
    "transformer": (warmup(10, inverse_sqrt(0.5, 10)), lambda t: 0.5 * min(t / 10, np.sqrt(10 / max(t, 1)))),
    "warmup_stable_decay": (
        warmup_stable_decay(0.5, 10, 30, 10, end=0.1),
        lambda t: 0.05 * t if t < 10 else 0.5 - 0.4 * np.clip((t - 40) / 10, 0, 1),
    ),
    "warmup": (
        warmup(10, cosine(0.5, 30), start=0.1),
        lambda t: 0.1 + 0.04 * t if t < 10 else half_wave(t - 10, 0.5, 30),
    ),
    "warmup to a number": (warmup(10, 0.5, start=0.1), lambda t: 0.1 + 0.4 * min(t / 10, 1)),
    "multiple": (scale(lambda t: 0.001 * t, 0.5), lambda t: 0.0005 * t),
    "join": (join(0.5, linear(0.4, 0.0, 30), lambda t: 0.001 * t, at=(10, 40)), joined),
    "optax within": (
        warmup(10, scale(optax.cosine_decay_schedule(0.5, 30), 0.5)),
        lambda t: 0.025 * t if t < 10 else half_wave(t - 10, 0.25, 30),
    ),
    "negative": (-linear(0.5, 0.1, 40), lambda t: -0.5 + 0.4 * min(t / 40, 1)),
    "differences": (1.0 - cosine(0.5, 40) - 0.25, lambda t: 0.75 - half_wave(t, 0.5, 40)),
    "product": (
        exponential(0.5, 0.8, steps=10) * cosine(0.5, 40),
        lambda t: 0.5 * 0.8 ** (t / 10) * half_wave(t, 0.5, 40),
    ),
    "product of large steps": ((lambda t: t) * constant(1000), lambda t: 1000.0 * t),
    "quotients": (0.5 / (1 + linear(0.0, 4.0, 40)) / 2, lambda t: 0.25 / (1 + min(t / 10, 4))),
    "quotient of schedules": (
        cosine(0.5, 40, 0.1) / linear(0.5, 0.1, 40),
        lambda t: half_wave(t, 0.5, 40, 0.1) / (0.5 - 0.4 * min(t / 40, 1)),
    ),
    "sums": (1.0 + 0.5 * cosine(0.5, 40) * 2 + linear(0.5, 0.1, 40), summed),
}
EVERY = pytest.mark.parametrize(("schedule", "formula"), FORMULAS.values(), ids=FORMULAS)
CORNERS = [0, 1, 5, 9, 10, 11, 20, 29, 30, 31, 39, 40, 41, 49, 50, 51, 69, 70, 71, 150, 1000, 2**24 + 1, 2**30, LAST]


def walk(opt):
    """The updates of 60 steps, each with the gradient 1."""
    return jax.lax.scan(lambda state, g: opt.update(g, state)[::-1], opt.init(1.0), jnp.ones(60))[1]


@EVERY
class TestEvery:
    def test_equals_its_formula(self, schedule, formula):
        values = jnp.broadcast_to(schedule(jnp.asarray(CORNERS)), len(CORNERS))
        np.testing.assert_allclose(values, [formula(t) for t in CORNERS], rtol=2e-6, atol=2e-8)

    def test_equals_it_in_double_precision(self, x64, schedule, formula):
        at_once = jnp.broadcast_to(schedule(jnp.asarray(CORNERS, jnp.int32)), len(CORNERS))
        np.testing.assert_allclose(at_once, [formula(t) for t in CORNERS], rtol=1e-12, atol=1e-16)

    def test_takes_many_steps_at_once_and_traced_ones(self, schedule, formula):
        traced = jax.jit(schedule)
        one_by_one = [traced(t) for t in CORNERS]
        for at_once in (schedule, jax.vmap(schedule), traced):
            values = jnp.broadcast_to(at_once(jnp.asarray(CORNERS)), len(CORNERS))
            np.testing.assert_allclose(values, one_by_one, rtol=1e-6, atol=1e-7)
        for t in (0, 11, LAST):  # a number outside a trace
            np.testing.assert_allclose(schedule(t), traced(t), rtol=1e-6, atol=1e-7)

    def test_is_a_value(self, schedule, formula):
        for twin in (
            copy.copy(schedule),
            copy.deepcopy(schedule),
            schedule.replace(),
            jax.tree.map(lambda x: x, schedule),
        ):
            assert twin == schedule
            assert hash(twin) == hash(schedule)
        if "<" not in repr(schedule):  # functions within have their own ways to be printed and pickled
            assert pickle.loads(pickle.dumps(schedule)) == schedule
            assert eval(repr(schedule), vars(schedules)) == schedule

    def test_is_the_learning_rate_of_each_step(self, schedule, formula):
        np.testing.assert_allclose(walk(sgd(lr=schedule)), [-formula(t) for t in range(60)], rtol=2e-6, atol=1e-7)


LONG = 10**10
# Longer than the integers of JAX, with their formulas.
BEYOND = {
    "linear": (linear(1.0, 0.0, LONG), lambda t: 1 - t / LONG),
    "polynomial": (polynomial(1.0, 0.0, LONG, power=2.0), lambda t: (1 - t / LONG) ** 2),
    "exponential": (exponential(1.0, 0.5, LONG), lambda t: 0.5 ** (t / LONG)),
    "staircase": (exponential(1.0, 0.5, LONG, staircase=True), lambda t: 1.0),
    "step": (step(1.0, 0.5, at=(3, LONG)), lambda t: 1.0 if t < 3 else 0.5),
    "piecewise": (piecewise((1.0, 2.0), at=(LONG,), between="linear"), lambda t: 1 + t / LONG),
    "cosine": (cosine(1.0, LONG), lambda t: half_wave(t, 1.0, LONG)),
    "cosine_restarts": (cosine_restarts(1.0, LONG), lambda t: half_wave(t, 1.0, LONG)),
    "growing restarts": (cosine_restarts(1.0, LONG, growth=2), lambda t: half_wave(t, 1.0, LONG)),
    "one_cycle": (one_cycle(1.0, LONG, start=0.1), lambda t: half_wave(t, 0.1, 0.3 * LONG, 1.0)),
    "inverse_sqrt": (inverse_sqrt(1.0, LONG), lambda t: (LONG / (LONG + t)) ** 0.5),
    "warmup_stable_decay": (warmup_stable_decay(1.0, 10, LONG, LONG), lambda t: min(t / 10, 1)),
    "warmup": (warmup(LONG, 1.0), lambda t: t / LONG),
    "join": (join(1.0, 2.0, at=(LONG,)), lambda t: 1.0),
}


@pytest.mark.parametrize(("schedule", "formula"), BEYOND.values(), ids=BEYOND)
def test_steps_may_go_beyond_int32(schedule, formula):
    for t in (0, 5, LAST):
        np.testing.assert_allclose(schedule(t), formula(t), rtol=1e-5)


NAMES = {"optax": optax, "schedules": schedules}


@pytest.mark.usefixtures("standard")  # optax's promote the counter
@pytest.mark.parametrize("row", SCHEDULES, ids=lambda row: row.theirs)
def test_as_optax(row):
    ours, theirs = eval(row.ours, NAMES), eval(row.theirs, NAMES)
    for precision, rtol, atol in ((contextlib.nullcontext, 1e-5, 1e-7), (double, 1e-6, 1e-9)):
        with precision():
            steps = jnp.arange(140)
            here, there = jax.vmap(ours)(steps), jax.vmap(theirs)(steps)
        assert np.allclose(here, there, rtol=rtol, atol=atol) == row.same


@pytest.mark.parametrize(
    ("schedule", "start", "steps"),
    [
        (linear(0.3, 0.1, 7), 0.3, 7),
        (polynomial(0.3, 0.1, 7, power=2.0), 0.3, 7),
        (cosine(0.3, 7, end=0.1), 0.3, 7),
        (one_cycle(1.0, 7, start=0.3, end=0.1), 0.3, 7),
        (warmup_stable_decay(0.3, 7, 7, 7, end=0.1), 0.0, 21),
    ],
)
def test_ends_are_exact(schedule, start, steps):
    assert schedule(0) == np.float32(start)
    assert schedule(steps) == schedule(LAST) == np.float32(0.1)


@pytest.mark.parametrize("start", [1.0, 0.0, -1.0])
def test_a_growing_rate_saturates_and_so_does_its_derivative(start):
    value, slope = jax.value_and_grad(lambda start: exponential(start, 1.1)(LAST))(start)
    np.testing.assert_allclose(value, start * 1e30, rtol=1e-4)
    assert jnp.isfinite(slope)


@pytest.mark.parametrize(("steps", "share"), [(3, 0.3), (40, 0.0)])
def test_one_cycle_may_begin_at_its_peak(steps, share):
    no_warmup = one_cycle(0.5, steps, warmup=share)
    np.testing.assert_allclose(
        [no_warmup(t) for t in range(50)], [half_wave(t, 0.5, steps, 2e-6) for t in range(50)], rtol=2e-6, atol=2e-8
    )


def test_a_constant_schedule_is_the_number_to_the_bit():
    for factory in (sgd, adam):
        by_number, by_schedule = factory(lr=0.1), factory(lr=constant(0.1))
        g = jnp.asarray([0.3, -1.7])
        assert jnp.array_equal(*(opt.update(g, opt.init(g))[0] for opt in (by_number, by_schedule)))


def test_weight_decay_may_be_one():
    opt, p = adamw(lr=1.0, weight_decay=step(0.5, 0.5, at=(1,))), jnp.asarray(2.0)
    state = opt.init(p)
    for decayed in (-1.0, -0.5):
        updates, state = opt.update(jnp.asarray(0.0), state, p)
        assert updates == decayed


# Each schedule with each argument that it is a linear function of, plus what the others add.
LEVELS = [
    (name, level)
    for name, (schedule, _) in FORMULAS.items()
    for level in ("value", "start", "end", "peak", "then", "factor")
    if isinstance(schedule.arguments.get(level), float)
]


class TestArraysAreData:
    @pytest.mark.parametrize(("name", "level"), some_slow(LEVELS, dict(LEVELS).items()))
    def test_a_sweep_is_one_at_a_time_by_one_program(self, name, level):
        schedule, _ = FORMULAS[name]
        opts = [adam(lr=schedule.replace(**{level: jnp.asarray(x)})) for x in (0.5, 0.25)]
        program = jax.jit(chex.assert_max_traces(walk, n=1))
        alone = [program(opt) for opt in opts]
        swept = jax.vmap(walk)(jax.tree.map(lambda *leaves: jnp.stack(leaves), *opts))
        np.testing.assert_allclose(swept, alone, rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize(("name", "level"), LEVELS)
    def test_derivatives_are_right_at_all_steps(self, name, level):
        schedule, _ = FORMULAS[name]

        def value(x, t):
            return schedule.replace(**{level: x})(t)

        slopes = jax.vmap(jax.grad(value), (None, 0))(0.5, jnp.asarray(CORNERS))
        at_all = jax.vmap(value, (None, 0))
        rises = at_all(1.0, jnp.asarray(CORNERS)) - at_all(0.0, jnp.asarray(CORNERS))
        np.testing.assert_allclose(slopes, rises, rtol=1e-5, atol=1e-7)


def test_rates_are_swept_too_and_may_be_zero():
    rates = jnp.asarray([0.8, 0.0])
    np.testing.assert_allclose(exponential(0.5, rates, steps=10)(5), [0.5 * 0.8**0.5, 0.0], rtol=1e-6)
    np.testing.assert_allclose(step(0.5, rates, at=(2, 4))(5), [0.5 * 0.8**2, 0.0], rtol=1e-6)
    assert [exponential(0.5, rate=0.0)(t) for t in (0, 1, LAST)] == [0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    "number",
    [2, np.float32(0.5), np.asarray([0.5, 0.25]), jnp.asarray([0.5, 0.25])],
    ids=["Python", "NumPy", "NumPy's array", "JAX's array"],
)
def test_a_number_may_stand_on_either_side(number):
    schedule = cosine(0.5, 40)
    assert number * schedule == schedule * number == scale(schedule, factor=number)
    assert number + schedule == schedule + number == add(schedule, number)
    assert number - schedule == subtract(number, schedule)
    assert schedule - number == subtract(schedule, number)
    assert number / schedule == divide(number, schedule)
    assert schedule / number == divide(schedule, number)


@pytest.mark.parametrize(
    "combined",
    [
        lambda a, b: -a - b,
        lambda a, b: 2 - a * b,
        lambda a, b: a / b / 2,
        lambda a, b: 3 / (a + b),
    ],
)
def test_a_combination_is_a_sweep_where_its_numbers_are_arrays(combined):
    a, b = jnp.asarray([0.5, 0.25]), jnp.asarray([2, 3], jnp.uint8)
    expected = [combined(x * 0.5, y) for x, y in ((0.5, 2), (0.25, 3))]
    swept = combined(scale(constant(0.5), factor=a), constant(b))
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda schedule: schedule(7)))(swept), expected, rtol=1e-6)
    np.testing.assert_allclose(swept(7), expected, rtol=1e-6)
    assert pickle.loads(pickle.dumps(swept)) == swept
    assert combined(constant(0.5), constant(b)) != swept


def test_a_quotient_by_nothing_is_seen_and_not_raised_within_a_step():
    assert jnp.isposinf((1 / linear(1.0, 0.0, 10))(10))
    assert jnp.isposinf((1 / constant(0.0))(3))


def test_a_schedule_is_printed_as_its_call():
    assert repr(exponential(0.1, 0.5)) == "exponential(start=0.1, rate=0.5, steps=1, staircase=False, end=None)"
    assert repr(cosine(0.1, 100)) == "cosine(start=0.1, steps=100, end=0.0, power=1.0)"
    assert repr(cosine_restarts(0.1, 100)) == "cosine_restarts(start=0.1, steps=100, end=0.0, growth=1)"
    assert repr(one_cycle(0.1, 100)) == "one_cycle(peak=0.1, steps=100, warmup=0.3, start=0.04, end=4e-06)"
    assert repr(warmup_stable_decay(0.1, 1, 2, 3)).endswith("warmup_steps=1, stable_steps=2, decay_steps=3, end=0.0)")
    assert repr(warmup(9, 0.1)) == "warmup(steps=9, then=0.1, start=0.0)"
    assert repr(0.5 * constant(0.1) + 1) == "add(a=scale(schedule=constant(value=0.1), factor=0.5), b=1)"
    assert repr(1 - constant(0.1) / 2) == "subtract(a=1, b=divide(a=constant(value=0.1), b=2))"
    assert repr(-constant(0.1)) == "scale(schedule=constant(value=0.1), factor=-1)"
    assert cosine(0.1, 100) != cosine(0.1, 101)
    assert cosine(0.1, 100).replace(steps=101) == cosine(0.1, 101)


# More of them are in wrong_inputs/schedules.py.
WRONG = [
    (lambda: cosine(jnp.nan, 40), "cosine: start must be a finite number, not nan"),
    (lambda: cosine(jnp.asarray([0.1, jnp.inf]), 40), "cosine: start must be a finite number, not inf"),
    (lambda: join(0.1, 0.2, at=()), "join: 2 values need 1 steps to change at, not 0"),
    (lambda: warmup(10, cosine), "warmup: then is the factory cosine, where a schedule is meant: cosine(…)"),
    (lambda: constant(jnp.nan), "constant: value must be a finite number, not nan"),
    (lambda: warmup(10, None), "warmup: then must be a finite number or a schedule, not None"),
    (lambda: cosine(0.5, 40) + "a", "add: b must be a finite number or a schedule, not 'a'"),
    (lambda: cosine(0.5, 40) - None, "subtract: b must be a finite number or a schedule, not None"),
    (lambda: jnp.inf / cosine(0.5, 40), "divide: a must be a finite number or a schedule, not inf"),
    (lambda: cosine(0.5, 40) / 0, "divide: b is 0, and nothing can be divided by it"),
    (lambda: cosine(0.5, 40) * cosine, "scale: factor is the factory cosine, where a schedule is meant: cosine(…)"),
    (lambda: polynomial(0.3, 0.1, 7, power=-1), "polynomial: power must be a finite number of at least 0, not -1"),
    (lambda: exponential(0.3, -0.5, 2), "exponential: rate must be a finite number of at least 0, not -0.5"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_what_is_wrong_is_refused_when_the_schedule_is_made(wrong, sentence):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(sentence)}$"):
        wrong()


def test_one_of_your_own():
    @schedules.schedule
    def halving(start, every):
        return lambda iter: start * 0.5 ** (iter // every)

    assert [float(halving(0.8, every=2)(t)) for t in range(4)] == pytest.approx([0.8, 0.8, 0.4, 0.4])


def test_plot_draws_each():
    mpl.use("Agg")
    axes = schedules.plot(cosine(0.5, 50), 0.1, functools.partial(jnp.multiply, 0.01), steps=100)
    drawn = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    for (steps, values), expected in zip(drawn, [0.25, 0.1, 0.25], strict=True):
        assert list(steps) == list(range(101))
        assert values[25] == pytest.approx(expected)
    assert axes.get_xlabel() == "step"
    assert "cosine(start=0.5, steps=50, end=0.0, power=1.0)" in [text.get_text() for text in axes.get_legend().texts]
    plt.close(axes.figure)
