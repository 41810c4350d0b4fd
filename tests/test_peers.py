"""The same rules elsewhere: each row of the table of peers goes the same way, or does not, as it says."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import peers
import pytest

import jaxopt_lite
from jaxopt_lite import apply_updates, asgd, averaged_params, registry, yogi

START, GRADIENTS = peers.problem()
NAMES = vars(jaxopt_lite) | {"schedule": lambda iter: 0.1 * 0.95**iter}
EVERY_ROW = [row for rows in peers.ROWS.values() for row in rows]


def visited(opt, state=None):
    """The parameters after each of the steps that are saved of peers, side by side, and the last state."""

    def step(carry, grads):
        params, state = carry
        updates, state = opt.update(grads, state, params)
        params = apply_updates(params, updates)
        return (params, state), jnp.concatenate([p.ravel() for p in params.values()])

    params = jax.tree.map(jnp.asarray, START)
    state = opt.init(params) if state is None else state
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # optax is not as strict
        (_, state), path = jax.jit(lambda carry: jax.lax.scan(step, carry, GRADIENTS))((params, state))
    return path[np.array(peers.STEPS) - 1], state


def where_theirs_goes(row):
    if peers.is_optaxs(row.theirs):
        path, _ = visited(eval(row.theirs, NAMES | {"optax": optax}))
        return path
    with np.load(peers.GOLDEN) as golden:
        return golden[row.theirs]


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: f"{row.theirs} {row.ours}")
def test_a_row_holds(x64, row):
    ours, _ = visited(eval(row.ours, NAMES))
    assert np.allclose(ours, where_theirs_goes(row), rtol=row.rtol, atol=row.rtol) == row.same


def test_every_optimizer_goes_the_way_of_someone_elses_but_for_one_that_is_tested_below():
    assert peers.ROWS.keys() == registry.keys()
    assert [name for name, rows in peers.ROWS.items() if not any(row.same for row in rows)] == ["yogi"]


def test_yogi_is_optaxs_from_a_first_moment_of_zero(x64):
    theirs = optax.yogi(0.1)
    params = jax.tree.map(jnp.asarray, START)
    moments, rest = theirs.init(params)
    expected, _ = visited(theirs, (moments._replace(mu=jax.tree.map(jnp.zeros_like, params)), rest))
    ours, _ = visited(yogi(0.1))
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_asgd_averages_where_it_has_been_since_it_began(x64):
    opt = asgd(0.1, begin=2)
    params, visits = jnp.asarray(START["norm"]), []
    state = opt.init(params)
    for grads in GRADIENTS["norm"][:6]:
        updates, state = opt.update(grads, state, params)
        params = apply_updates(params, updates)
        visits.append(params)
    np.testing.assert_allclose(averaged_params(state), np.mean(visits[3:], axis=0), rtol=1e-12)


def test_the_page_is_what_the_table_prints():
    page = Path(peers.__file__).parent.parent / "docs" / "coming_from.md"
    assert page.read_text() == peers.page()
