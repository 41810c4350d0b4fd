"""The same rules elsewhere: each row of the table of peers goes the same way, or does not, as it says."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import peers
import peers_around
import pytest
from quick import some_slow

import jaxopt_lite
from jaxopt_lite import (
    apply_updates,
    asgd,
    averaged_params,
    chain,
    clip,
    evaluation_params,
    registry,
    schedule_free_adamw,
    yogi,
)

START, GRADIENTS = peers.problem()
OF_MATRICES = peers.problem(matrices=True)
NAMES = vars(jaxopt_lite) | {"jax": jax, "jnp": jnp, "optax": optax, "schedule": lambda iter: 0.1 * 0.95**iter}
EVERY_ROW = {f"{rule}: {row.theirs}, {row.ours}": (rule, row) for rule, rows in peers.ROWS.items() for row in rows}
# One that goes the same way for each rule.
QUICK = {rule: name for name, (rule, row) in reversed(EVERY_ROW.items()) if row.same}.values()


def visited(opt, state=None, problem=(START, GRADIENTS)):
    """The parameters after each of the steps that are saved of peers, side by side, and the last state."""

    def step(carry, given):
        (params, state), (grads, value, curvature) = carry, given

        def value_fn(params):
            return 0.5 * curvature * sum(jnp.sum(p * p) for p in params.values())

        updates, state = opt.update(grads, state, params, value=value, value_fn=value_fn)
        params = apply_updates(params, updates)
        return (params, state), jnp.concatenate([p.ravel() for p in params.values()])

    params = jax.tree.map(jnp.asarray, problem[0])
    state = opt.init(params) if state is None else state
    given = problem[1], peers.VALUES, peers.CURVATURES
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # optax is not as strict
        (_, state), path = jax.jit(lambda carry: jax.lax.scan(step, carry, given))((params, state))
    return path[np.array(peers.STEPS) - 1], state


def where_theirs_goes(row, problem):
    if peers.is_optaxs(row.theirs):
        theirs = optax.with_extra_args_support(eval(row.theirs, NAMES))
        path, _ = visited(theirs, problem=problem)
        return path
    with np.load(peers.GOLDEN) as golden:
        return golden[row.theirs]


@pytest.mark.parametrize("name", some_slow(EVERY_ROW, QUICK), ids=list(EVERY_ROW))  # pytest drops long ones
def test_a_row_holds(x64, waves_for_noise, name):
    rule, row = EVERY_ROW[name]
    problem = OF_MATRICES if rule in peers.FOR_MATRICES else (START, GRADIENTS)
    ours, _ = visited(eval(row.ours, NAMES), problem=problem)
    assert np.allclose(ours, where_theirs_goes(row, problem), rtol=row.rtol, atol=row.rtol) == row.same


def as_ours_is_called(theirs):
    """optax's, where it wants two trees of parameters, or a function by another name."""

    def init(params):
        both = optax.LookaheadParams.init_synced(params)
        return both, theirs.init(both)

    def update(grads, state, params, **extra):
        both, inner = state
        updates, inner = theirs.update(grads, inner, both)
        both = optax.apply_updates(both, updates)
        return jax.tree.map(jnp.subtract, both.fast, params), (both, inner)

    def search(grads, state, params, *, value_fn, **extra):
        return theirs.update(grads, state, params, grad_fn=lambda params, _: jax.grad(value_fn)(params))

    return {"lookahead": (init, update), "contrib.sam": (theirs.init, search)}


@pytest.mark.parametrize("row", peers_around.AROUND, ids=lambda row: row.theirs)
def test_what_stands_around_rules_is_optaxs(x64, row):
    theirs = optax.with_extra_args_support(eval(row.theirs, NAMES))
    for name, pair in as_ours_is_called(theirs).items():
        if row.theirs.startswith(f"optax.{name}"):
            theirs = optax.GradientTransformationExtraArgs(*pair)
    assert np.allclose(visited(eval(row.ours, NAMES))[0], visited(theirs)[0], rtol=1e-6, atol=1e-6) == row.same


@pytest.mark.usefixtures("standard")  # optax's random numbers promote
@pytest.mark.parametrize("row", peers_around.EXAMPLES, ids=lambda row: row.theirs)
@pytest.mark.parametrize("scale", [1.0, 0.01, 0.0])
def test_a_row_of_single_examples_holds(x64, row, scale):
    key = jax.random.key(0)
    grads = {"w": scale * jax.random.normal(key, (8, 2, 3)), "b": scale * jnp.arange(8.0)}
    names = NAMES | {"key": key, "grads": grads}
    theirs = eval(row.theirs, names)
    expected, _ = theirs.update(grads, theirs.init(jax.tree.map(lambda g: g[0], grads)))
    ours = eval(row.ours, names)
    assert all(np.allclose(ours[name], expected[name], rtol=1e-12, atol=1e-15) for name in grads) == row.same


@pytest.mark.parametrize(("theirs", "theirs_of", "ours", "ours_of"), peers_around.STATES)
def test_what_a_state_holds_is_called(x64, theirs, theirs_of, ours, ours_of):
    held = []
    for opt, asked in ((theirs, theirs_of), (ours, ours_of)):
        _, state = visited(optax.with_extra_args_support(eval(opt, NAMES)) if "optax" in opt else eval(opt, NAMES))
        params = jax.tree.map(jnp.asarray, START)
        with jax.numpy_dtype_promotion("standard"):
            held.append(eval(asked, NAMES | {"state": state, "params": params}))
    for a, b in zip(*map(jax.tree.leaves, held), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_every_optimizer_goes_the_way_of_someone_elses_but_for_those_that_are_tested_elsewhere():
    assert {name for name, entry in registry.items() if "matrices" in entry.needs} == peers.FOR_MATRICES
    alone = {name for name in registry if not any(row.same for row in peers.ROWS.get(name, []))}
    assert alone == {"yogi", "kl_soap", "shampoo", "lbfgs"}
    assert peers.ROWS.keys() - registry.keys() == set()


def test_yogi_is_optaxs_from_a_first_moment_of_zero(x64):
    theirs = optax.with_extra_args_support(optax.yogi(0.1))
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


def test_a_schedule_free_model_is_evaluated_where_optax_evaluates_it(x64):
    theirs, ours = optax.contrib.schedule_free_adamw(0.1), chain(clip(1e9), schedule_free_adamw(0.1))
    params = jax.tree.map(jnp.asarray, START)
    (path, state), (_, their_state) = visited(ours), visited(optax.with_extra_args_support(theirs))
    params = dict(zip(START, jnp.split(path[-1], [START["mlp"].size]), strict=True))
    params = {name: p.reshape(START[name].shape) for name, p in params.items()}
    expected = optax.contrib.schedule_free_eval_params(their_state, params)
    for name, p in evaluation_params(state, params).items():
        np.testing.assert_allclose(p, expected[name], rtol=1e-10)
