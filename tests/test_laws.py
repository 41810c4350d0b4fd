"""Every law over every registered optimizer; and every law against an optimizer that breaks it."""

import itertools
import re
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from quick import REPRESENTATIVES, some_slow

from jaxopt_lite import adam, at, each, next_step, optimizer, registry, zero_steps, zeros_like
from jaxopt_lite.testing import check, laws

# Laws that depend on the machinery more than on the rule: in the quick part the representatives keep them.
OF_THE_MACHINERY = {
    "is_a_value",
    "traces_once",
    "is_pure",
    "begins_anywhere",
    "follows_the_protocol",
    "may_be_donated",
    "leaks_no_tracer",
    "resumes",
    "scan_equals_loop",
    "takes_a_schedule",
}
# Laws that take longest: in the quick part some of the representatives keep them.
COSTLY = {"sweeps_by_vmap", "raises_no_false_alarm"}
SOME = ["adam", "adamw", "dog", "lamb", "muon", "rmsprop", "sm3"]
QUICK = [
    *itertools.product(registry, [law for law in laws if law not in OF_THE_MACHINERY | COSTLY]),
    *itertools.product(REPRESENTATIVES, OF_THE_MACHINERY),
    *itertools.product(SOME, COSTLY),
]


@pytest.mark.parametrize(("name", "law"), some_slow(itertools.product(registry, laws), QUICK))
def test_law(name, law):
    check(registry[name].build(), only=[law])


class State(NamedTuple):
    iter: Any
    m: Any


def momentum_with(lr=0.01, **replaced):
    """Sound momentum, but for the parts that are replaced."""

    @optimizer
    def mine(lr=lr):
        def init(params):
            return State(zero_steps(params), zeros_like(params))

        def rule(g, m, lr_t):
            m = 0.9 * m + g
            return -lr_t * m, m

        def update(grads, state, params=None):
            updates, m = each(replaced.get("rule", rule), grads, state.m, lr_t=at(lr, state.iter))
            return updates, State(next_step(state.iter), m)

        return replaced.get("init", init), replaced.get("update", update)

    return mine()


def scaled(grads):
    return jax.tree.map(lambda g: -0.01 * g, grads)


calls = itertools.count(1)


class ScheduleWithoutEquality:
    def __call__(self, iter):
        return 0.01


def climbs(g, m, lr_t):
    return lr_t * g, m


def counts_its_calls(g, m, lr_t):
    call = jax.pure_callback(lambda: np.float32(next(calls)), jax.ShapeDtypeStruct((), jnp.float32))
    return -lr_t * call * g, m


def divides_by_the_gradient(g, m, lr_t):
    return -lr_t * g / jnp.abs(g), m


def has_an_infinite_slope(g, m, lr_t):
    m = m + g * g
    return -lr_t * jnp.sqrt(m), m


def spreads_what_it_is_given(grads, state, params=None):
    total = sum(jnp.sum(g) for g in jax.tree.leaves(grads))
    return jax.tree.map(lambda g: -0.01 * g + 0 * total, grads), state


def computes_nan_on_the_way(g, m, lr_t):
    return -lr_t * g * jnp.where(g == 0, 1, g / jnp.where(g == 0, g, g)), m


LEAKED = []


def keeps_what_is_traced(grads, state, params=None):
    LEAKED.append(grads)
    return scaled(grads), state


def narrow(params):
    return State(zero_steps(params), jax.tree.map(lambda p: jnp.zeros(p.shape, jnp.bfloat16), params))


def keeps_the_parameters_themselves(params):
    return State(zero_steps(params), params)


def keeps_a_copy(params):
    return State(zero_steps(params), jax.tree.map(jnp.copy, params))


def knows_only_dicts(grads, state, params=None):
    return {name: scaled(g) for name, g in grads.items()}, state


def reads_params_unannounced(grads, state, params=None):
    return jax.tree.map(lambda g, p: -0.01 * (g + 0 * p), grads, params), state


def counts_past_the_end(grads, state, params=None):
    return scaled(grads), State(state.iter + 1, state.m)


def gives_its_counter_an_axis(grads, state, params=None):
    return scaled(grads), State(state.iter[None], state.m)


@optimizer
def multiplies_by_lr(lr=0.01):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g: -lr * g, grads), state

    return zero_steps, update


@optimizer
def branches_on_lr(lr=0.01):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g: -lr * g if lr < 1 else g, grads), state

    return zero_steps, update


IMPURE = momentum_with(rule=counts_its_calls)


def gives_the_old_state_back(grads, state, params=None):
    return scaled(grads), state


BROKEN = {
    "descends": momentum_with(rule=climbs),
    "is_a_value": multiplies_by_lr(ScheduleWithoutEquality()),
    "traces_once": momentum_with(update=gives_its_counter_an_axis),
    "keeps_formats": momentum_with(init=narrow),
    "works_on_any_tree": momentum_with(update=knows_only_dicts),
    "is_pure": IMPURE,
    "jit_equals_eager": IMPURE,
    "scan_equals_loop": IMPURE,
    "sweeps_by_vmap": branches_on_lr(),
    "takes_a_schedule": multiplies_by_lr(),
    "may_be_donated": momentum_with(init=keeps_the_parameters_themselves),
    "resumes": IMPURE,
    "begins_anywhere": momentum_with(init=keeps_a_copy),
    "follows_the_protocol": momentum_with(update=reads_params_unannounced),
    "survives_extremes": momentum_with(rule=divides_by_the_gradient),
    "keeps_nan_where_it_is": momentum_with(update=spreads_what_it_is_given),
    "raises_no_false_alarm": momentum_with(rule=computes_nan_on_the_way),
    "leaks_no_tracer": momentum_with(update=keeps_what_is_traced),
    "differentiates_at_zero": momentum_with(rule=has_an_infinite_slope),
    "counts_without_overflow": momentum_with(update=counts_past_the_end),
    "advances_its_counter": momentum_with(update=gives_the_old_state_back),
}


@optimizer
def by_its_largest(lr=0.01):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g: -lr * g / jnp.max(jnp.abs(g)), grads), state

    return zero_steps, update


@optimizer
def by_its_rows(lr=0.01):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g: -lr * g / len(g) if g.size else g, grads), state

    return zero_steps, update


@pytest.mark.parametrize("opt", [by_its_largest(), by_its_rows()], ids=lambda opt: opt.name)
def test_a_rule_for_leaves_with_entries_and_with_axes_alone_does_not_work_on_any_tree(opt):
    with pytest.raises(AssertionError, match="trees with None, to finite updates"):
        check(opt, only=["works_on_any_tree"])


def test_a_sound_optimizer_keeps_every_law():
    check(momentum_with())


@pytest.mark.parametrize("law", laws)
def test_a_law_finds_its_defect(law):
    with pytest.raises(AssertionError, match=f"breaks 1 of {len(laws)} laws") as caught:
        check(BROKEN[law], only=[law])
    assert f"\n- {laws[law].__doc__} Found: " in str(caught.value)


def test_all_broken_laws_are_told():
    with pytest.raises(AssertionError) as caught:
        check(momentum_with(rule=climbs), only=["is_pure", "descends", "is_a_value", "takes_a_schedule"])
    told = str(caught.value)
    assert told.startswith("mine(lr=0.01) breaks 1 of")
    assert told.count("\n") == 1
    assert "quadratic went from" in told


def gives_no_state(grads, state, params=None):
    return scaled(grads)


def branches(grads, state, params=None):
    return jax.tree.map(lambda g: -g if jnp.sum(g) > 0 else g, grads), state


def calls_numpy(grads, state, params=None):
    return jax.tree.map(lambda g: -np.abs(g), grads), state


def reads_params_by_position(grads, state, params=None):
    updates, _ = each(lambda g, p: (-g - p, p, p), grads, params), state
    return updates, state


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (gives_no_state, r"update returns \(updates, state\)\."),
        (branches, r"A rule branches by jnp\.where or jax\.lax\.cond, and takes jnp\.maximum for max\."),
        (calls_numpy, r"A rule calls jnp in place of np\."),
        (reads_params_by_position, r"is given by name: each\(rule, g, m, p=params\)\."),
    ],
)
def test_a_mistake_is_told_once_with_its_line_and_with_what_to_write(mistake, hint):
    with pytest.raises(AssertionError, match=hint) as caught:
        check(momentum_with(update=mistake), only=["is_pure", "descends", "jit_equals_eager"])
    told = str(caught.value)
    assert told.count(" other laws fail in the same way.") <= 1
    assert told.count("\n") <= 2
    if mistake is not gives_no_state:
        assert re.search(r"At test_laws\.py, line \d+: ", told)


def test_a_long_error_is_cut():
    def fails(grads, state, params=None):
        raise ValueError("x" * 501)

    with pytest.raises(AssertionError, match=r"Found: ValueError: x{500}\."):
        check(momentum_with(update=fails), only=["is_pure"])


def test_what_is_no_optimizer_or_no_law_is_refused():
    with pytest.raises(TypeError, match=r"^check takes an optimizer, not the function adam$"):
        check(adam)
    with pytest.raises(ValueError, match=r"^there is no law 'flies'; there are .*descends"):
        check(adam(), only=["flies"])


def test_an_optimizer_that_needs_parameters_is_judged_with_them():
    @optimizer(needs=("params",))
    def decaying(lr=0.01):
        def update(grads, state, params=None):
            lr_t = at(lr, state.iter)
            return each(lambda g, p: -lr_t * (g + 0.1 * p), grads, p=params), State(next_step(state.iter), ())

        return lambda params: State(zero_steps(params), ()), update

    check(decaying())


def test_the_first_error_is_told_with_its_traceback():
    with pytest.raises(AssertionError) as caught:
        check(branches_on_lr(), only=["sweeps_by_vmap"])
    assert isinstance(caught.value.__cause__, jax.errors.TracerBoolConversionError)
