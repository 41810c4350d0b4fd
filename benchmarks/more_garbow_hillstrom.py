"""Twenty problems of Moré, Garbow and Hillstrom's collection, and Rosenbrock's function in 2, 10 and 100 dimensions.

From "Testing Unconstrained Optimization Software" (J. J. Moré, B. S. Garbow and K. E. Hillstrom, ACM Transactions on
Mathematical Software 7, 1981, pages 17 to 41): the residuals, the data, the standard starting points and the minima,
these as printed, cut after six digits. A docstring's number is the problem's in the paper. The twenty are the paper's
first ones, in its order; Rosenbrock's (1, and 21, which is many of them side by side) come last. Two are left out:

- Meyer's (10): at its minimum, rounding alone moves the gradient by about 1e-3 in float64.
- Gulf Research and Development's (11): it has no gradient on 99 planes near the minimum, and solvers cross them.

Numbers become arrays only within the functions, and so are in float64 where jax_enable_x64 is on.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Problem(NamedTuple):
    """A sum of squares to minimise: where to start, and the values of its minima, the lowest first."""

    name: str
    residuals: Callable[[jax.Array], jax.Array]
    start: tuple[float, ...]
    minimum: tuple[float, ...]


def loss(problem: Problem) -> Callable[[jax.Array], jax.Array]:
    """The function to minimise: the sum of the squared residuals."""
    return lambda x: jnp.sum(problem.residuals(x) ** 2)


def rosenbrock(x: jax.Array) -> jax.Array:
    """Number 1, and 21 where there are several pairs."""
    a, b = x.reshape(-1, 2).T
    return jnp.concatenate([10 * (b - a**2), 1 - a])


def freudenstein_roth(x: jax.Array) -> jax.Array:
    """Number 2."""
    a, b = x
    return jnp.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


def powell_badly_scaled(x: jax.Array) -> jax.Array:
    """Number 3."""
    return jnp.array([1e4 * x[0] * x[1] - 1, jnp.exp(-x).sum() - 1.0001])


def brown_badly_scaled(x: jax.Array) -> jax.Array:
    """Number 4."""
    return jnp.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def beale(x: jax.Array) -> jax.Array:
    """Number 5."""
    return jnp.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** jnp.arange(1, 4))


def jennrich_sampson(x: jax.Array) -> jax.Array:
    """Number 6, with 10 residuals."""
    i = jnp.arange(1, 11)
    return 2 + 2 * i - jnp.exp(i * x[0]) - jnp.exp(i * x[1])


def helical_valley(x: jax.Array) -> jax.Array:
    """Number 7: the turn is in (-1/4, 3/4), and jumps where a = 0 and b < 0, as in the paper."""
    a, b, c = x
    turn = 1 / 4 - jnp.arctan2(a, b) / (2 * jnp.pi)
    return jnp.array([10 * (c - 10 * turn), 10 * (jnp.hypot(a, b) - 1), c])


def bard(x: jax.Array) -> jax.Array:
    """Number 8."""
    y = jnp.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
    u = jnp.arange(1, 16)
    v = 16 - u
    return y - (x[0] + u / (v * x[1] + jnp.minimum(u, v) * x[2]))


def gaussian(x: jax.Array) -> jax.Array:
    """Number 9."""
    half = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
    y = jnp.array([*half, 0.3989, *half[::-1]])
    t = (8 - jnp.arange(1, 16)) / 2
    return x[0] * jnp.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


def box(x: jax.Array) -> jax.Array:
    """Number 12, with 10 residuals."""
    t = jnp.arange(1, 11) / 10
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (jnp.exp(-t) - jnp.exp(-10 * t))


def powell_singular(x: jax.Array) -> jax.Array:
    """Number 13, and 22 where there are several fours."""
    a, b, c, d = x.reshape(-1, 4).T
    return jnp.concatenate([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


def wood(x: jax.Array) -> jax.Array:
    """Number 14."""
    a, b, c, d = x
    pairs = [10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c]
    return jnp.array([*pairs, 10**0.5 * (b + d - 2), (b - d) / 10**0.5])


def kowalik_osborne(x: jax.Array) -> jax.Array:
    """Number 15."""
    y = jnp.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    u = jnp.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x: jax.Array) -> jax.Array:
    """Number 16, with 20 residuals."""
    t = jnp.arange(1, 21) / 5
    return (x[0] + t * x[1] - jnp.exp(t)) ** 2 + (x[2] + x[3] * jnp.sin(t) - jnp.cos(t)) ** 2


def osborne_1(x: jax.Array) -> jax.Array:
    """Number 17."""
    first = [844, 908, 932, 936, 925, 908, 881, 850, 818, 784, 751, 718, 685, 658, 628, 603, 580]
    y = jnp.array([*first, 558, 538, 522, 506, 490, 478, 467, 457, 448, 438, 431, 424, 420, 414, 411, 406]) / 1000
    t = 10 * jnp.arange(33)
    return y - (x[0] + x[1] * jnp.exp(-t * x[3]) + x[2] * jnp.exp(-t * x[4]))


def biggs_exp6(x: jax.Array) -> jax.Array:
    """Number 18, with 13 residuals."""
    t = jnp.arange(1, 14) / 10
    y = jnp.exp(-t) - 5 * jnp.exp(-10 * t) + 3 * jnp.exp(-4 * t)
    return x[2] * jnp.exp(-t * x[0]) - x[3] * jnp.exp(-t * x[1]) + x[5] * jnp.exp(-t * x[4]) - y


def osborne_2(x: jax.Array) -> jax.Array:
    """Number 19."""
    y = [1366, 1191, 1112, 1013, 991, 885, 831, 847, 786, 725, 746, 679, 608, 655, 616, 606, 602, 626, 651, 724, 649]
    y += [649, 694, 644, 624, 661, 612, 558, 533, 495, 500, 423, 395, 375, 372, 391, 396, 405, 428, 429, 523, 562]
    y += [607, 653, 672, 708, 633, 668, 645, 632, 591, 559, 597, 625, 739, 710, 729, 720, 636, 581, 428, 292, 162]
    t = jnp.arange(65) / 10
    peaks = x[1:4] * jnp.exp(-((t[:, None] - x[8:]) ** 2) * x[5:8])
    return jnp.array([*y, 98, 54]) / 1000 - x[0] * jnp.exp(-t * x[4]) - peaks.sum(axis=1)


def watson(x: jax.Array) -> jax.Array:
    """Number 20."""
    powers = jnp.vander(jnp.arange(1, 30) / 29, len(x), increasing=True)
    slope = powers[:, :-1] @ (jnp.arange(1, len(x)) * x[1:])
    return jnp.array([*(slope - (powers @ x) ** 2 - 1), x[0], x[1] - x[0] ** 2 - 1])


def penalty_1(x: jax.Array) -> jax.Array:
    """Number 23."""
    return jnp.append(1e-5**0.5 * (x - 1), jnp.sum(x**2) - 1 / 4)


def penalty_2(x: jax.Array) -> jax.Array:
    """Number 24."""
    e = jnp.exp(x / 10)
    y = jnp.exp(jnp.arange(1, len(x) + 1) / 10)
    small = 1e-5**0.5 * jnp.append(e[1:] + e[:-1] - y[1:] - y[:-1], e[1:] - jnp.exp(-1 / 10))
    return jnp.array([x[0] - 0.2, *small, jnp.sum(jnp.arange(len(x), 0, -1) * x**2) - 1])


PROBLEMS = [
    Problem("Freudenstein and Roth", freudenstein_roth, (0.5, -2.0), (0.0, 48.9842)),
    Problem("Powell badly scaled", powell_badly_scaled, (0.0, 1.0), (0.0,)),
    Problem("Brown badly scaled", brown_badly_scaled, (1.0, 1.0), (0.0,)),
    Problem("Beale", beale, (1.0, 1.0), (0.0,)),
    Problem("Jennrich and Sampson", jennrich_sampson, (0.3, 0.4), (124.362,)),
    Problem("helical valley", helical_valley, (-1.0, 0.0, 0.0), (0.0,)),
    Problem("Bard", bard, (1.0, 1.0, 1.0), (8.21487e-3, 17.4286)),
    Problem("Gaussian", gaussian, (0.4, 1.0, 0.0), (1.12793e-8,)),
    Problem("Box in three dimensions", box, (0.0, 10.0, 20.0), (0.0,)),
    Problem("Powell singular", powell_singular, (3.0, -1.0, 0.0, 1.0), (0.0,)),
    Problem("Wood", wood, (-3.0, -1.0, -3.0, -1.0), (0.0,)),
    Problem("Kowalik and Osborne", kowalik_osborne, (0.25, 0.39, 0.415, 0.39), (3.07505e-4, 1.02734e-3)),
    Problem("Brown and Dennis", brown_dennis, (25.0, 5.0, -5.0, -1.0), (85822.2,)),
    Problem("Osborne 1", osborne_1, (0.5, 1.5, -1.0, 0.01, 0.02), (5.46489e-5,)),
    Problem("Biggs EXP6", biggs_exp6, (1.0, 2.0, 1.0, 1.0, 1.0, 1.0), (0.0, 5.65565e-3)),
    Problem("Osborne 2", osborne_2, (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5), (4.01377e-2,)),
    Problem("Watson", watson, 6 * (0.0,), (2.28767e-3,)),
    Problem("extended Powell singular", powell_singular, 5 * (3.0, -1.0, 0.0, 1.0), (0.0,)),
    Problem("penalty I", penalty_1, tuple(float(i) for i in range(1, 11)), (7.08765e-5,)),
    Problem("penalty II", penalty_2, 10 * (0.5,), (2.93660e-4,)),
    *(Problem(f"Rosenbrock, {n}", rosenbrock, n // 2 * (-1.2, 1.0), (0.0,)) for n in (2, 10, 100)),
]
