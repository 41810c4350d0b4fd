"""The shapes that learning rates have over a run."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.arguments import check_steps
from jaxopt_lite.core.hyperparameters import Range
from jaxopt_lite.ops.numerics import log
from jaxopt_lite.schedules.algebra import number_at, schedule
from jaxopt_lite.types import Scalar, ScalarOrSchedule

LARGEST_EXPONENT = math.log(1e30)


def _share(iter: jax.Array, steps: Scalar) -> jax.Array:
    """Return the share of ``steps`` that is over, from 0 to 1; weakly typed, so that no dtype moves."""
    return jnp.clip(iter * 1.0 / steps, 0, 1)


def _half_wave(start: Scalar, end: Scalar, iter: jax.Array, steps: Scalar, power: Scalar = 1.0) -> jax.Array:
    """Return half a wave of the cosine; as a squared sine, because 1 + cos would lose the last steps to rounding."""
    return end + (start - end) * (jnp.sin(jnp.pi / 2 * _share(steps - iter, steps)) ** 2) ** power


@schedule
def constant(value: Scalar):
    """Return ``value`` at every step.

    Example:
        >>> print(schedules.constant(0.1)(5))
        0.1
    """
    return lambda iter: value


@schedule
def linear(start: Scalar, end: Scalar, steps: int):
    """Follow a line: start + (end - start) iter / steps, and ``end`` from ``steps`` on.

    Example:
        >>> print(schedules.linear(1.0, 0.0, steps=4)(1))
        0.75
    """
    return lambda iter: start * (1 - _share(iter, steps)) + end * _share(iter, steps)


@schedule
def polynomial(start: Scalar, end: Scalar, steps: int, power: Scalar):
    """Follow a power: end + (start - end) (1 - iter / steps)^power, and ``end`` from ``steps`` on.

    Example:
        >>> print(schedules.polynomial(1.0, 0.0, steps=4, power=2.0)(2))
        0.25
    """
    return lambda iter: end + (start - end) * _share(steps - iter, steps) ** power


@schedule
def exponential(start: Scalar, rate: Scalar, steps: int = 1, staircase: bool = False, end: Scalar | None = None):
    """Multiply by ``rate`` in ``steps`` steps: start rate^(iter / steps); ``staircase`` rounds the exponent down.

    It stops at ``end``, where that is given; what grows stops growing at 1e30 times ``start``.

    Example:
        >>> print(schedules.exponential(1.0, rate=0.5, steps=10)(20))
        0.25
    """

    def value(iter):
        exponent = iter // steps * 1.0 if staircase else iter * 1.0 / steps
        # By the logarithm, which a Python number has in double precision; a rate of 0 has none.
        number = start * jnp.exp(jnp.minimum(exponent * jnp.maximum(log(rate), -1e30), LARGEST_EXPONENT))
        return number if end is None else jnp.clip(number, jnp.minimum(start, end), jnp.maximum(start, end))

    return value


@schedule
def step(start: Scalar, rate: Scalar, at: tuple[int, ...]):
    """Begin at ``start``, and multiply by ``rate`` at each of the steps in ``at``.

    Raises:
        ValueError: ``at`` is no tuple of steps in rising order.

    Example:
        >>> print(schedules.step(1.0, rate=0.5, at=(10, 20))(jnp.array([9, 10, 20])))
        [1.   0.5  0.25]
    """
    check_steps("step", at)
    return lambda iter: start * rate ** (sum((iter >= boundary) * 1.0 for boundary in at))


@schedule
def cosine(start: Scalar, steps: int, end: Scalar = 0.0, power: Scalar = 1.0):
    """Follow half a wave: end + (start - end) ((1 + cos(π iter / steps)) / 2)^power, and ``end`` from ``steps`` on.

    Example:
        >>> half = schedules.cosine(1.0, steps=10)
        >>> print(f"{half(0):.2f} {half(5):.2f} {half(10):.2f}")
        1.00 0.50 0.00

    Source: Loshchilov & Hutter (2017), arXiv:1608.03983.
    """
    return lambda iter: _half_wave(start, end, iter, steps, power)


@schedule
def piecewise(values: tuple[Scalar, ...], at: tuple[int, ...], between: str = "step"):
    """Return ``values[0]`` at first, ``values[i]`` from step ``at[i - 1]``, and the last one from there on.

    ``between`` them: "step", the value before; "linear", a line; "cosine", half a wave.

    Raises:
        ValueError: ``at`` is no tuple of steps in rising order, or is not one shorter than ``values``.

    Example:
        >>> print(schedules.piecewise((1.0, 0.5), at=(10,))(jnp.array([9, 10])))
        [1.  0.5]
    """
    check_steps("piecewise", at, values)

    def value(iter):
        # Which value is next, and how far it is to it; the knots are floats, since integers would end at 2³¹.
        place = jnp.interp(iter * 1.0, jnp.asarray([0.0, *at]), jnp.arange(len(values)) * 1.0)
        before = jnp.minimum(jnp.floor(place), len(values) - 2).astype(int)
        share = place - before
        moved = {"step": jnp.floor(share), "linear": share, "cosine": jnp.sin(jnp.pi / 2 * share) ** 2}[between]
        points = jnp.stack([jnp.asarray(x) * 1.0 for x in values])
        return points[before] * (1 - moved) + points[before + 1] * moved

    return value


@schedule
def cosine_restarts(start: Scalar, steps: int, end: Scalar = 0.0, growth: int = 1):
    """Repeat `cosine`, each time ``growth`` times as long; ``steps`` and ``growth`` are Python integers.

    Example:
        >>> waves = schedules.cosine_restarts(1.0, steps=10)
        >>> print(f"{waves(5):.2f} {waves(10):.2f} {waves(15):.2f}")
        0.50 1.00 0.50

    Source: SGDR, Loshchilov & Hutter (2017), arXiv:1608.03983.
    """
    if growth == 1:
        return lambda iter: _half_wave(start, end, iter % steps, steps)
    sums = (steps * (growth**cycle - 1) // (growth - 1) for cycle in range(32))
    begins = np.array([begin for begin in sums if begin < 2**31])

    def value(iter):
        begin = jnp.asarray(begins)[jnp.searchsorted(begins, iter, side="right") - 1]
        length = steps + (growth - 1.0) * begin  # as begin is a sum of powers of growth
        return _half_wave(start, end, iter - begin, length)

    return value


@schedule
def one_cycle(peak: Scalar, steps: int, warmup: Scalar = 0.3, start: Scalar = 1 / 25, end: Scalar = 4e-6):
    """Rise from start · peak along half a cosine, for a share ``warmup`` of the steps, and fall to end · peak.

    ``steps`` and ``warmup`` are Python numbers.

    Example:
        >>> cycle = schedules.one_cycle(1.0, steps=100)
        >>> print(f"{cycle(0):.2f} {cycle(30):.2f} {cycle(100):.2f}")
        0.04 1.00 0.00

    Source: Smith & Topin (2018), arXiv:1708.07120, with the cosine and the numbers of torch and optax.
    """
    up = int(warmup * steps)
    down = cosine(peak, steps - up, end * peak)
    return join(cosine(start * peak, up, peak), down, at=(up,)).implementation if up else down.implementation


@schedule
def inverse_sqrt(start: Scalar, steps: int):
    """Fall by a root: start √(steps / (steps + iter)). After ``warmup(steps, …)`` it is that of the Transformer.

    Example:
        >>> print(schedules.inverse_sqrt(1.0, steps=10)(30))
        0.5

    Source: Vaswani et al. (2017), arXiv:1706.03762, §5.3.
    """
    return lambda iter: start * jnp.sqrt(steps / (steps + iter * 1.0))


@schedule
def warmup_stable_decay(peak: Scalar, warmup_steps: int, stable_steps: int, decay_steps: int, end: Scalar = 0.0):
    """Rise linearly from 0 to ``peak``, stay there for ``stable_steps``, and go linearly to ``end``.

    Example:
        >>> lr = schedules.warmup_stable_decay(1.0, warmup_steps=10, stable_steps=80, decay_steps=10)
        >>> print(f"{lr(5):.2f} {lr(50):.2f} {lr(95):.2f}")
        0.50 1.00 0.50

    Source: MiniCPM, Hu et al. (2024), arXiv:2404.06395.
    """
    then = join(constant(peak), linear(peak, end, decay_steps), at=(stable_steps,))
    return warmup(warmup_steps, then).implementation


@schedule
def warmup(steps: int, then: ScalarOrSchedule, start: Scalar = 0.0):
    """Rise linearly from ``start`` to the first value of ``then`` in ``steps`` steps; then follow it from its 0.

    Example:
        >>> lr = schedules.warmup(10, schedules.cosine(1.0, steps=90))
        >>> print(f"{lr(5):.2f} {lr(10):.2f} {lr(100):.2f}")
        0.50 1.00 0.00
    """

    def value(iter):
        first, rest = number_at(then, jnp.zeros_like(iter)), number_at(then, jnp.maximum(iter - steps, 0))
        return jnp.where(iter < steps, start + (first - start) * _share(iter, steps), rest)

    return value


@schedule
def join(*schedules: ScalarOrSchedule, at: tuple[int, ...]):
    """Follow the first until step ``at[0]``, then the second, and so on; each counts from 0 where it begins.

    Raises:
        ValueError: ``at`` is no tuple of steps in rising order, or is not one shorter than the schedules.

    Example:
        >>> both = schedules.join(0.1, schedules.linear(1.0, 0.0, steps=4), at=(10,))
        >>> print(f"{both(9):.2f} {both(10):.2f} {both(12):.2f}")
        0.10 1.00 0.50
    """
    check_steps("join", at, schedules, Range(schedule=True))

    def value(iter):
        now = number_at(schedules[0], iter)
        for begin, then in zip(at, schedules[1:], strict=True):
            now = jnp.where(iter < begin, now, number_at(then, jnp.maximum(iter - begin, 0)))
        return now

    return value
