"""Laws of the numbers that optimizers, transforms, wrappers and schedules are made with: what is exact is converted."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from quick import some_slow

import jaxopt_lite
from jaxopt_lite import Optimizer, add_noise, chain, momentum, registry, schedules, sgd
from jaxopt_lite.core.hyperparameters import ranges_of
from jaxopt_lite.testing.problems import small_tree, start, step

FACTORIES = {name: x for name, x in (vars(schedules) | vars(jaxopt_lite)).items() if hasattr(x, "makes")}
# What has no default: numbers that every kind of schedule and of wrapper can be made with.
GIVEN = {"start": 1.0, "end": 0.5, "peak": 1.0, "rate": 0.5, "power": 2.0, "then": 1.0, "opt": momentum(), "every": 5}
WHOLE = [
    (name, number)
    for name, factory in FACTORIES.items()
    for number in inspect.signature(factory).parameters
    if number in ranges_of(factory) and ranges_of(factory)[number].integer
]
STATIC = [case for case in WHOLE if ranges_of(FACTORIES[case[0]])[case[1]].static]
MOVING = [case for case in WHOLE if case not in STATIC]
QUICK = [("accumulate", "every"), ("add_noise", "seed"), ("reduce_on_plateau", "cooldown"), ("linear", "steps")]


def make(name, **numbers):
    factory = FACTORIES[name]
    parameters = inspect.signature(factory).parameters.items()
    needed = {key: GIVEN.get(key, 6) for key, p in parameters if p.default is p.empty}
    return (registry[name].build if name in registry else factory)(**needed | numbers)


def usual(name, number):
    """A sound value: the default, or another one."""
    default = inspect.signature(FACTORIES[name]).parameters[number].default
    return default if isinstance(default, int) else -2 if number == "in_axis" else 6


def form(name, **numbers):
    """The shapes and dtypes after a step of an optimizer, or of what stands in a chain, and of what is scheduled."""

    def stepped():
        value = make(name, **numbers)
        if isinstance(value, schedules.Schedule):
            return value(3)
        if not isinstance(value, Optimizer):
            value = chain(*sorted((value, sgd()), key=lambda x: x is value and value.entry.after_rule))
        return step(value, start(value, small_tree()))

    return jax.tree.map(lambda x: (x.shape, x.dtype), jax.eval_shape(stepped))


def forms(n):
    """A whole number, as it comes from files and from computations."""
    return [float(n), np.float32(n), np.int64(n), np.asarray(float(n)), np.asarray(n), jnp.float32(n), jnp.int32(n)]


@pytest.mark.parametrize(("name", "number"), WHOLE)
def test_a_whole_number_may_be_a_float_and_nothing_between(name, number):
    n = usual(name, number)
    for form in forms(n)[:3]:
        assert type(make(name, **{number: form}).arguments[number]) is int
        assert make(name, **{number: form}) == make(name, **{number: n})
    for between in (n + 0.5, np.float32(n + 0.5), jnp.float32(n + 0.5)):
        with pytest.raises(
            ValueError, match=f"^{name}: {number} must be a whole number.*, not {re.escape(f'{n + 0.5:g}')}$"
        ):
            make(name, **{number: between})


@pytest.mark.parametrize(("name", "number"), STATIC)
def test_what_shapes_depend_on_is_a_python_integer_or_refused_at_the_call(name, number):
    n = usual(name, number)
    for form in forms(n):
        assert make(name, **{number: form}) == make(name, **{number: n})
    sentence = f"^{name}: {number} must be a whole number.*, not int32.*: it is one Python number of the program"
    for wrong in (jnp.asarray([n, n]), np.asarray([n, n], np.int32)):
        with pytest.raises(TypeError, match=sentence):
            make(name, **{number: wrong})
    with pytest.raises(TypeError, match=sentence):
        jax.eval_shape(lambda n: make(name, **{number: n}).arguments, jnp.int32(n))


def test_a_fraction_that_decides_on_a_loop_is_one_python_number():
    expected = schedules.one_cycle(1.0, 100, warmup=0.5)
    for fraction in (np.float32(0.5), np.asarray(0.5), jnp.float32(0.5)):
        assert schedules.one_cycle(1.0, 100, warmup=fraction) == expected
    with pytest.raises(TypeError, match=r"^one_cycle: warmup must be .*: it is one Python number of the program"):
        jax.eval_shape(lambda x: schedules.one_cycle(1.0, 100, warmup=x)(0), 0.5)


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize(("name", "number"), some_slow(MOVING, QUICK))
def test_other_whole_numbers_may_be_arrays_of_any_real_dtype(name, number):
    n = usual(name, number)
    expected = form(name, **{number: n})
    for array in forms(n)[3:]:
        assert form(name, **{number: array}) == expected
    swept = []
    jax.eval_shape(jax.vmap(lambda n: swept.append(form(name, **{number: n}))), jnp.asarray([n, n]))
    assert swept == [expected]


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize(("name", "number"), some_slow(MOVING, QUICK))
def test_more_steps_than_are_ever_taken_are_never(name, number):
    expected = form(name, **{number: usual(name, number)})
    for never in (2**31, 1e12):
        assert form(name, **{number: never}) == expected


@pytest.mark.parametrize(
    "make", [lambda seed: add_noise(seed=seed), lambda seed: registry["sophia"].factory(seed=seed)]
)
def test_a_seed_that_is_traced_is_an_integer(make):
    with pytest.raises(TypeError, match=r": seed must be a whole number, not float32\[\]"):
        jax.eval_shape(lambda seed: make(seed).arguments, 0.0)


def test_the_share_of_one_cycle_is_a_python_number():
    assert schedules.one_cycle(1.0, 10, jnp.float32(0.5)) == schedules.one_cycle(1.0, 10, 0.5)
