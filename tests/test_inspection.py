"""Whatever optimizers are composed of, one walk finds all parts: their bytes add up, and their numbers are in force."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from composed import AROUND
from quick import REPRESENTATIVES, some_slow

from jaxopt_lite import (
    accumulate,
    adam,
    adamw,
    average,
    chain,
    describe,
    grokfast,
    hyperparams,
    lookahead,
    muon,
    optimizer,
    partition,
    registry,
    schedules,
    skip_nonfinite,
    soap,
    weight_decay,
)
from jaxopt_lite.core.protocol import Optimizer
from jaxopt_lite.inspection import parts_of, state_bytes
from jaxopt_lite.testing import problems

PARAMS = {"w": jnp.linspace(-1, 1, 12).reshape(3, 4), "b": jnp.ones(4), "k": jnp.ones((2, 3, 3))}
FALLING = schedules.linear(0.01, 0.0, steps=10)


@optimizer
def turns(first: Optimizer, second: Optimizer):
    """An optimizer of somebody's own: the second steps where the first has been."""

    def init(params):
        return first.unchecked.init(params), second.unchecked.init(params)

    def update(grads, state, params=None, **extra):
        updates, one = first.unchecked.update(grads, state[0], params, **extra)
        updates, two = second.unchecked.update(updates, state[1], params, **extra)
        return updates, (one, two)

    return init, update


@optimizer
def kept(opt: Optimizer):
    """An optimizer of somebody's own, which keeps nothing beside the state of another one."""
    return opt.unchecked.init, opt.unchecked.update


COMPOSED = {
    **{name: entry.build() for name, entry in registry.items()},
    **{f"{name} with muon": around(muon(others=adam())) for name, around in AROUND.items() if name != "partition"},
    "groups in groups": partition(
        {"a": soap(others=adam()), "b": partition({"c": average(adam()), "d": adam()}, {"c": "k", "d": "*"})},
        {"a": "w", "b": "*"},
    ),
    "all of it": average(
        skip_nonfinite(chain(grokfast(), muon(momentum=FALLING, others=chain(grokfast(), adamw())), weight_decay(0.1)))
    ),
    "one's own": average(turns(lookahead(adam()), kept(adamw(0.1)))),
}
QUICK = [*REPRESENTATIVES, "grokfast with muon", "groups in groups", "all of it", "one's own"]


@pytest.mark.parametrize("name", some_slow(COMPOSED, QUICK))
def test_bytes_add_up_and_each_leaf_is_stepped_once(name):
    opt = COMPOSED[name]
    parts = list(parts_of(opt, jax.eval_shape(opt.init, PARAMS), PARAMS))
    arrays = [x for part in parts for x in part.state]
    assert sum(x.size * x.dtype.itemsize for x in arrays) == state_bytes(opt, PARAMS)
    groups = [part for part in parts if part.steps]
    assert len({part.prefix for part in groups}) == len(groups) or name == "one's own"
    if name != "one's own":  # in which two step the same leaves
        stepped = [jax.tree_util.keystr(p) for g in groups for p, _ in jax.tree_util.tree_leaves_with_path(g.params)]
        assert sorted(stepped) == sorted(
            jax.tree_util.keystr(p) for p, _ in jax.tree_util.tree_leaves_with_path(PARAMS)
        )


def after(opt, params, steps):
    state = opt.init(params)
    for _ in range(steps):
        _, state = problems.update(opt, params, state, params)
    return state


SCHEDULED = [name for name, entry in registry.items() if "lr" in entry.factory.__annotations__]


@pytest.mark.parametrize("name", some_slow(SCHEDULED, [name for name in REPRESENTATIVES if name in SCHEDULED]))
def test_the_rates_that_it_tells_are_those_in_force(name):
    for_matrices = "matrices" in registry[name].needs
    opt = registry[name].build(lr=FALLING)
    opt = opt.replace(others=adamw(schedules.linear(0.5, 0.0, steps=10))) if for_matrices else opt
    state = after(opt, PARAMS, 3)
    numbers = hyperparams(opt, state)
    np.testing.assert_allclose(numbers["lr"], 0.007, rtol=1e-6)
    told = opt.replace(lr=numbers["lr"])
    if for_matrices:
        np.testing.assert_allclose(numbers["others/lr"], 0.35, rtol=1e-6)
        told = told.replace(others=adamw(numbers["others/lr"]))
    chex.assert_trees_all_close(
        problems.update(opt, PARAMS, state, PARAMS)[0], problems.update(told, PARAMS, state, PARAMS)[0], rtol=1e-6
    )


@pytest.mark.parametrize("name", AROUND)
def test_around_it_its_own_counter_counts(name):
    opt = AROUND[name](muon(FALLING, others=adamw(schedules.linear(0.5, 0.0, steps=10))))
    steps = 2 if name == "accumulate" else 4
    numbers = hyperparams(opt, after(opt, PARAMS, 4))
    own, others = ("all/lr", "all/others/lr") if name == "partition" else ("lr", "others/lr")
    np.testing.assert_allclose(numbers[own], 0.01 * (1 - steps / 10), rtol=1e-6)
    np.testing.assert_allclose(numbers[others], 0.5 * (1 - steps / 10), rtol=1e-6)


def test_numbers_of_one_name_are_told_apart():
    opt = lookahead(registry["ademamix"].factory(alpha=schedules.constant(5.0)), alpha=schedules.constant(0.5))
    numbers = hyperparams(opt, opt.init(PARAMS))
    assert (numbers["alpha"], numbers["ademamix.alpha"]) == (0.5, 5.0)


def test_ones_own_composition_is_looked_through():
    opt = accumulate(COMPOSED["one's own"].replace(opt=turns(adam(FALLING), kept(adamw(FALLING)))), 1)
    numbers = hyperparams(opt, after(opt, PARAMS, 5))
    np.testing.assert_allclose([numbers["lr"], numbers["adamw.lr"]], [0.005, 0.005], rtol=1e-6)


def test_where_a_number_of_the_rule_is_a_schedule_the_groups_are_found_as_well():
    opt = muon(0.02, momentum=schedules.constant(0.9), others=adamw(0.3))
    assert {k: float(x) for k, x in hyperparams(opt, opt.init(PARAMS)).items()} == {
        "lr": pytest.approx(0.02),
        "momentum": pytest.approx(0.9),
        "weight_decay": 0.0,
        "others/lr": pytest.approx(0.3),
        "others/weight_decay": pytest.approx(0.01),
    }


@pytest.mark.parametrize(("leaves", "shown"), [(4, ["0", "1", "2", "3"]), (5, ["0", "1", "2", "… 2 more"])])
def test_a_group_lists_four_paths_at_most(leaves, shown, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    describe(adam(), [jnp.ones(2)] * leaves)
    cells = [line.split("│")[2].strip() for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert cells == [*shown, ""]
