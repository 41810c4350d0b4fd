"""Schedules: by their formulas in float64, by optax where it has the same, as values, and inside optimizers."""

import copy
import functools
import pickle

import jax
import jax.numpy as jnp
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

from jaxopt_lite import adam, adamw, schedules, sgd
from jaxopt_lite.schedules import (
    constant,
    cosine,
    cosine_restarts,
    exponential,
    inverse_sqrt,
    join,
    linear,
    one_cycle,
    polynomial,
    step,
    warmup,
    warmup_stable_decay,
)

LAST = 2**31 - 1


def half_wave(t, start, steps, end=0.0):
    return end + (start - end) * 0.5 * (1 + np.cos(np.pi * min(t / steps, 1)))


def doubling(t, start, steps):
    while t >= steps:
        t, steps = t - steps, 2 * steps
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
    "staircase": (exponential(0.5, 0.8, steps=10, staircase=True), lambda t: 0.5 * 0.8 ** (t // 10)),
    "step": (step(0.5, 0.1, at=(10, 40)), lambda t: 0.5 * 0.1 ** ((t >= 10) + (t >= 40))),
    "cosine": (cosine(0.5, steps=40, end=0.1), lambda t: half_wave(t, 0.5, 40, 0.1)),
    "cosine_restarts": (cosine_restarts(0.5, steps=10), lambda t: half_wave(t % 10, 0.5, 10)),
    "growing restarts": (cosine_restarts(0.5, steps=10, growth=2), lambda t: doubling(t, 0.5, 10)),
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
    "join": (join(0.5, linear(0.4, 0.0, 30), lambda t: 0.001 * t, at=(10, 40)), joined),
    "sums": (1.0 + 0.5 * cosine(0.5, 40) * 2 + linear(0.5, 0.1, 40), summed),
}


EVERY = pytest.mark.parametrize(("schedule", "formula"), FORMULAS.values(), ids=FORMULAS)
CORNERS = [0, 1, 5, 9, 10, 11, 20, 29, 30, 31, 39, 40, 41, 49, 50, 51, 69, 70, 71, 150]


@EVERY
class TestEvery:
    def test_equals_its_formula(self, schedule, formula):
        np.testing.assert_allclose([schedule(t) for t in CORNERS], [formula(t) for t in CORNERS], rtol=2e-6, atol=1e-8)

    def test_equals_it_in_double_precision(self, x64, schedule, formula):
        np.testing.assert_allclose(
            [schedule(t) for t in CORNERS], [formula(t) for t in CORNERS], rtol=1e-12, atol=1e-16
        )

    def test_takes_many_steps_at_once_and_traced_ones(self, schedule, formula):
        one_by_one = [schedule(t) for t in CORNERS]
        at_once = jnp.broadcast_to(schedule(jnp.asarray(CORNERS)), len(CORNERS))
        np.testing.assert_allclose(at_once, one_by_one, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose([jax.jit(schedule)(t) for t in CORNERS], one_by_one, rtol=1e-6, atol=1e-7)

    def test_stays_finite_for_two_billion_steps(self, schedule, formula):
        assert np.all(np.isfinite([schedule(t) for t in (2**24 + 1, 2**30, LAST)]))

    def test_is_a_value(self, schedule, formula):
        for twin in (
            copy.copy(schedule),
            copy.deepcopy(schedule),
            schedule.replace(),
            jax.tree.map(lambda x: x, schedule),
        ):
            assert twin == schedule
            assert hash(twin) == hash(schedule)
        if "lambda" not in repr(schedule):
            assert pickle.loads(pickle.dumps(schedule)) == schedule
            assert eval(repr(schedule), vars(schedules)) == schedule

    def test_is_the_learning_rate_of_each_step(self, schedule, formula):
        opt = sgd(lr=schedule)
        _, updates = jax.lax.scan(lambda state, g: opt.update(g, state)[::-1], opt.init(1.0), jnp.ones(60))
        np.testing.assert_allclose(updates, [-formula(t) for t in range(60)], rtol=2e-6, atol=1e-7)


PEERS = {
    "constant": (constant(0.3), optax.constant_schedule(0.3)),
    "linear": (linear(0.5, 0.1, 40), optax.linear_schedule(0.5, 0.1, 40)),
    "polynomial": (polynomial(0.5, 0.1, 40, power=2), optax.polynomial_schedule(0.5, 0.1, 2, 40)),
    "exponential": (exponential(0.5, 0.8, 10), optax.exponential_decay(0.5, 10, 0.8)),
    "staircase": (exponential(0.5, 0.8, 10, staircase=True), optax.exponential_decay(0.5, 10, 0.8, staircase=True)),
    "step": (step(0.5, 0.1, at=(10, 40)), optax.piecewise_constant_schedule(0.5, {10: 0.1, 40: 0.1})),
    "cosine": (cosine(0.5, 40, end=0.05), optax.cosine_decay_schedule(0.5, 40, alpha=0.1)),
    "restarts": (
        cosine_restarts(0.5, 10, growth=2),
        optax.sgdr_schedule(
            [{"init_value": 0.5, "peak_value": 0.5, "warmup_steps": 0, "decay_steps": n} for n in (10, 20, 40, 80)]
        ),
    ),
    "one_cycle": (one_cycle(0.5, 40), optax.cosine_onecycle_schedule(40, 0.5)),
    "warmup": (warmup(10, cosine(0.5, 40), start=0.1), optax.warmup_cosine_decay_schedule(0.1, 0.5, 10, 50)),
    "join": (
        join(constant(0.5), linear(0.4, 0.0, 30), at=(10,)),
        optax.join_schedules([optax.constant_schedule(0.5), optax.linear_schedule(0.4, 0.0, 30)], [10]),
    ),
}


@pytest.mark.usefixtures("standard")  # optax's promote the counter
@pytest.mark.parametrize(("ours", "theirs"), PEERS.values(), ids=PEERS)
def test_as_optax(ours, theirs):
    for t in range(101):
        np.testing.assert_allclose(ours(t), theirs(t), rtol=1e-5, atol=1e-7)


def test_ends_are_exact():
    for schedule in (linear(0.3, 0.1, 7), polynomial(0.3, 0.1, 7, 2.0), cosine(0.3, 7, 0.1)):
        assert schedule(7) == schedule(LAST) == np.float32(0.1)
        assert schedule(0) == np.float32(0.3)


def test_a_growing_rate_saturates():
    assert exponential(1.0, 1.1)(LAST) == jnp.finfo(jnp.float32).max


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


class TestArraysAreData:
    def test_a_sweep_over_one_number(self):
        peaks = jnp.asarray([0.1, 0.2])
        np.testing.assert_allclose(jax.vmap(lambda s: s(10))(cosine(peaks, 40)), [cosine(p, 40)(10) for p in peaks])

    def test_a_sweep_over_an_optimizer_with_one(self):
        rates = jax.vmap(lambda opt: -opt.update(1.0, opt.init(1.0))[0])(
            sgd(warmup(2, jnp.asarray([0.1, 0.2]), start=0.05))
        )
        np.testing.assert_allclose(rates, 0.05)

    def test_another_number_is_no_other_program(self):
        moved = jax.jit(lambda opt: opt.update(1.0, opt.init(1.0))[0])
        assert [moved(sgd(cosine(jnp.asarray(x), 40))) for x in (0.5, 0.25)] == [-0.5, -0.25]
        assert moved._cache_size() == 1

    def test_derivatives_by_its_numbers(self):
        slope = jax.grad(lambda start, end: linear(start, end, 40)(10), argnums=(0, 1))(0.5, 0.1)
        np.testing.assert_allclose(slope, [0.75, 0.25])


def test_a_schedule_is_printed_as_its_call():
    assert repr(cosine(0.1, 100)) == "cosine(start=0.1, steps=100, end=0.0)"
    assert repr(0.5 * constant(0.1) + 1) == "add(a=scale(schedule=constant(value=0.1), factor=0.5), b=1)"
    assert cosine(0.1, 100) != cosine(0.1, 101)
    assert cosine(0.1, 100).replace(steps=101) == cosine(0.1, 101)


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
    assert "cosine(start=0.5, steps=50, end=0.0)" in [text.get_text() for text in axes.get_legend().texts]
    plt.close(axes.figure)
