"""Say optax's schedules in ours."""

import itertools

from optax.schedules import _join, _schedule

from jaxopt_lite import schedules


def after(begin, start, then):
    """Return ``then`` from step ``begin`` on, and ``start`` before."""
    return schedules.join(schedules.constant(start), then, at=(begin,)) if begin else then


def polynomial(init_value, end_value, power, transition_steps, transition_begin=0):
    return after(
        transition_begin, init_value, schedules.polynomial(init_value, end_value, transition_steps, power * 1.0)
    )


def linear(init_value, end_value, transition_steps, transition_begin):
    return after(transition_begin, init_value, schedules.linear(init_value, end_value, transition_steps))


def piecewise_constant(init_value, boundaries_and_scales):
    scales = sorted((boundaries_and_scales or {}).items())
    values = itertools.accumulate(
        (scale for _, scale in scales), lambda value, scale: value * scale, initial=init_value
    )
    return schedules.join(*map(schedules.constant, values), at=tuple(at for at, _ in scales))


def exponential(init_value, transition_steps, decay_rate, transition_begin, staircase, end_value):
    then = schedules.exponential(init_value, decay_rate, transition_steps, staircase, end_value)
    return after(transition_begin, init_value, then)


def cosine(init_value, decay_steps, alpha, exponent):
    return schedules.cosine(init_value, decay_steps, alpha * init_value, exponent)


def warmup_constant(init_value, peak_value, warmup_steps):
    return schedules.warmup(warmup_steps, peak_value, init_value)


def warmup_cosine(init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0):
    then = schedules.cosine(peak_value, decay_steps - warmup_steps, end_value, exponent)
    return schedules.warmup(warmup_steps, then, init_value)


def warmup_exponential(
    init_value, peak_value, warmup_steps, transition_steps, decay_rate, transition_begin, staircase, end_value
):
    then = exponential(peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return schedules.warmup(warmup_steps, then, init_value)


def sgdr(cosine_kwargs):
    ends = itertools.accumulate(kwargs["decay_steps"] for kwargs in cosine_kwargs)
    return schedules.join(*(warmup_cosine(**kwargs) for kwargs in cosine_kwargs), at=tuple(ends)[:-1])


def interpolated(interpolate_type, init_value, boundaries_and_scales):
    steps = sorted((boundaries_and_scales or {}).items())
    values = itertools.accumulate((scale for _, scale in steps), lambda value, scale: value * scale, initial=init_value)
    return schedules.piecewise(tuple(values), tuple(at for at, _ in steps), interpolate_type)


def cosine_onecycle(transition_steps, peak_value, pct_start, div_factor, final_div_factor):
    start = 1 / div_factor
    return schedules.one_cycle(peak_value, transition_steps, pct_start, start, start / final_div_factor)


def linear_onecycle(transition_steps, peak_value, pct_start, pct_final, div_factor, final_div_factor):
    start = peak_value / div_factor
    up, down = int(pct_start * transition_steps), int(pct_final * transition_steps)
    return schedules.join(
        schedules.linear(start, peak_value, up),
        schedules.linear(peak_value, start, down - up),
        schedules.linear(start, start / final_div_factor, transition_steps - down),
        at=(up, down),
    )


def joined(boundaries, **schedules_):
    return schedules.join(*schedules_["schedules"], at=tuple(boundaries))


REPLACEMENTS = [
    ("constant_schedule", _schedule.constant_schedule, schedules.constant),
    ("polynomial_schedule", _schedule.polynomial_schedule, polynomial),
    ("linear_schedule", _schedule.linear_schedule, linear),
    ("piecewise_constant_schedule", _schedule.piecewise_constant_schedule, piecewise_constant),
    ("exponential_decay", _schedule.exponential_decay, exponential),
    ("cosine_decay_schedule", _schedule.cosine_decay_schedule, cosine),
    ("warmup_constant_schedule", _schedule.warmup_constant_schedule, warmup_constant),
    ("warmup_cosine_decay_schedule", _schedule.warmup_cosine_decay_schedule, warmup_cosine),
    ("warmup_exponential_decay_schedule", _schedule.warmup_exponential_decay_schedule, warmup_exponential),
    ("sgdr_schedule", _schedule.sgdr_schedule, sgdr),
    ("piecewise_interpolate_schedule", _schedule.piecewise_interpolate_schedule, interpolated),
    ("cosine_onecycle_schedule", _schedule.cosine_onecycle_schedule, cosine_onecycle),
    ("linear_onecycle_schedule", _schedule.linear_onecycle_schedule, linear_onecycle),
    ("join_schedules", _join.join_schedules, joined),
]
