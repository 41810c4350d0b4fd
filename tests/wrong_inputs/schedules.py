"""Schedules."""

from wrong_inputs.names import COUNT, NUMBER, Row

WSD = ("warmup_steps", "stable_steps", "decay_steps")

ROWS: list[Row] = [
    (
        "schedules.linear(start=None, end=0.1, steps=9)",
        TypeError,
        "linear: start must be a finite number, not None",
    ),
    ("schedules.cosine(0.1, steps=9, end=jnp.nan)", ValueError, "cosine: end must be a finite number, not nan"),
    ("schedules.cosine(0.1, steps=0)", ValueError, f"cosine: steps must be {COUNT}, not 0"),
    ("schedules.cosine(0.1, steps=2.5)", ValueError, f"cosine: steps must be {COUNT}, not 2.5"),
    ("schedules.cosine_restarts(0.1, 9, growth=0)", ValueError, f"cosine_restarts: growth must be {COUNT}, not 0"),
    ("schedules.cosine_restarts(0.1, 9.5)", ValueError, f"cosine_restarts: steps must be {COUNT}, not 9.5"),
    (
        "schedules.one_cycle(0.1, np.arange(3))",
        TypeError,
        f"one_cycle: steps must be {COUNT}, not int64[3]: it is one Python number of the program",
    ),
    (
        "schedules.exponential(0.1, rate='half')",
        TypeError,
        "exponential: rate must be a finite number of at least 0, not 'half'",
    ),
    (
        "schedules.polynomial(1, 0, 9, power=jnp.inf)",
        ValueError,
        "polynomial: power must be a finite number of at least 0, not inf",
    ),
    ("schedules.constant('a')", TypeError, "constant: value must be a finite number, not 'a'"),
    ("schedules.piecewise((0.1, None), (3,))", TypeError, "piecewise: value 1 must be a finite number, not None"),
    ("schedules.piecewise(0.1, (3,))", TypeError, "piecewise: values must be a tuple of numbers, not 0.1"),
    *(
        (
            f"schedules.step(0.1, 0.5, at=(3, {at}))",
            error,
            f"step: at[1] must be a whole number of at least 0, not {given}",
        )
        for at, error, given in (
            ("'a'", TypeError, "'a'"),
            ("None", TypeError, "None"),
            ("3.5", ValueError, "3.5"),
            ("-1", ValueError, "-1"),
            ("jnp.nan", ValueError, "nan"),
        )
    ),
    ("schedules.join('a', 0.1, at=(3,))", TypeError, f"join: value 0 must be {NUMBER}, not 'a'"),
    ("schedules.warmup(9, then=None)", TypeError, f"warmup: then must be {NUMBER}, not None"),
    ("schedules.cosine(0.1, 9) + 'a'", TypeError, f"add: b must be {NUMBER}, not 'a'"),
    ("schedules.add('a', 0.1)", TypeError, f"add: a must be {NUMBER}, not 'a'"),
    ("schedules.scale('a', 0.1)", TypeError, f"scale: schedule must be {NUMBER}, not 'a'"),
    ("schedules.cosine(0.1, 9) * 'a'", TypeError, f"scale: factor must be {NUMBER}, not 'a'"),
    ("schedules.cosine(0.1, 9) - 'a'", TypeError, f"subtract: b must be {NUMBER}, not 'a'"),
    ("'a' - schedules.cosine(0.1, 9)", TypeError, f"subtract: a must be {NUMBER}, not 'a'"),
    ("schedules.cosine(0.1, 9) / 'a'", TypeError, f"divide: b must be {NUMBER}, not 'a'"),
    ("'a' / schedules.cosine(0.1, 9)", TypeError, f"divide: a must be {NUMBER}, not 'a'"),
    ("schedules.cosine(0.1, 9) / 0", ValueError, "divide: b is 0, and nothing can be divided by it"),
    ("schedules.one_cycle(peak=None, steps=9)", TypeError, "one_cycle: peak must be a finite number, not None"),
    (
        "schedules.one_cycle(0.1, 9, warmup=1.0)",
        ValueError,
        "one_cycle: warmup must be a finite number in [0, 1), not 1",
    ),
    *(
        (
            f"schedules.warmup_stable_decay({', '.join(['0.1', *('0' if x == name else '9' for x in WSD)])})",
            ValueError,
            f"warmup_stable_decay: {name} must be {COUNT}, not 0",
        )
        for name in WSD
    ),
    (
        "schedules.join(0.1, 0.2, at=(9, 20))",
        ValueError,
        "join: 2 values need 1 steps to change at, not 2",
    ),
    (
        "schedules.join(0.1, 0.2, 0.3, at=(20, 9))",
        ValueError,
        "join: at must be a tuple of steps in rising order, not (20, 9)",
    ),
    (
        "schedules.piecewise((0.1, 0.2), at=())",
        ValueError,
        "piecewise: 2 values need 1 steps to change at, not 0",
    ),
    (
        "schedules.piecewise((0.1, 0.2), at=(9,), between='spline')",
        ValueError,
        "piecewise: between must be one of 'step', 'linear', 'cosine', not 'spline'",
    ),
    (
        "schedules.step(0.1, 0.5, at=10)",
        ValueError,
        "step: at must be a tuple of steps in rising order, not 10",
    ),
    (
        "adam(lr=schedules.cosine)",
        TypeError,
        "adam: lr is the factory cosine, where a schedule is meant: cosine(…)",
    ),
]
