"""What wrappers do to the optimizer within."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxopt_lite import (
    accumulate,
    adam,
    adamw,
    apply_updates,
    average,
    averaged_params,
    chain,
    clip_by_norm,
    lbfgs,
    lookahead,
    maximize,
    momentum,
    next_step,
    optimizer,
    registry,
    sam,
    schedules,
    sgd,
    skip_nonfinite,
    skip_spikes,
    zero_steps,
)
from jaxopt_lite.testing.problems import update

PARAMS = {"a": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(3.0)}
BAD = [{"a": jnp.asarray([1.0, bad]), "b": jnp.asarray(3.0)} for bad in (jnp.nan, jnp.inf, -jnp.inf)]


class TestSkipNonfinite:
    @pytest.mark.parametrize("name", ["sgd", "adam", "soap"])  # it never looks into the rule
    @pytest.mark.parametrize("bad", BAD, ids=["nan", "inf", "-inf"])
    def test_such_a_step_changes_nothing_and_is_counted(self, name, bad):
        opt = skip_nonfinite(registry[name].build())
        _, state = update(opt, PARAMS, opt.init(PARAMS), PARAMS)
        updates, new = update(opt, bad, state, PARAMS)
        chex.assert_trees_all_equal(apply_updates(PARAMS, updates), PARAMS)
        chex.assert_trees_all_equal(new.inner, state.inner)
        assert (new.skipped, new.in_a_row) == (1, 1)

    def test_finite_steps_are_the_optimizers_own(self):
        opt = skip_nonfinite(adam())
        updates, state = opt.update(PARAMS, opt.init(PARAMS))
        expected, inner = adam().update(PARAMS, adam().init(PARAMS))
        chex.assert_trees_all_close((updates, state.inner), (expected, inner), rtol=1e-6)
        assert (state.skipped, state.in_a_row) == (0, 0)

    def test_it_goes_on_as_if_nothing_had_been(self):
        opt, steps = skip_nonfinite(momentum()), [PARAMS, BAD[0], PARAMS, BAD[1], BAD[2], PARAMS]
        state = opt.init(PARAMS)
        for grads in steps:
            _, state = opt.update(grads, state)
        inner = momentum().init(PARAMS)
        for _ in range(3):
            _, inner = momentum().update(PARAMS, inner)
        chex.assert_trees_all_close(state.inner, inner, rtol=1e-6)
        assert (state.skipped, state.in_a_row) == (3, 0)

    def test_it_gives_up_after_so_many_in_a_row(self):
        opt = skip_nonfinite(sgd(), give_up_after=2)
        state, seen = opt.init(PARAMS), []
        for grads in [BAD[0], PARAMS, BAD[0], BAD[0], BAD[0], BAD[0], PARAMS]:
            updates, state = opt.update(grads, state)
            seen.append((bool(jnp.isnan(updates["a"][1])), int(state.skipped), int(state.in_a_row)))
        expected = [
            (False, 1, 1),
            (False, 1, 0),
            (False, 2, 1),
            (False, 3, 2),
            (True, 3, 3),
            (True, 3, 4),
            (False, 3, 0),
        ]
        assert seen == expected
        assert state.inner.iter == 4

    def test_keywords_reach_the_optimizer(self):
        @optimizer
        def polyak(lr=0.5):
            def update(grads, state, params=None, *, value=0.0):
                return jax.tree.map(lambda g: -lr * value * g, grads), state

            return lambda params: (), update

        opt = skip_nonfinite(polyak())
        assert opt.update(1.0, opt.init(1.0), value=4.0)[0] == -2.0

    def test_without_leaves_there_is_nothing_that_could_be_infinite(self):
        opt = skip_nonfinite(sgd())
        assert opt.update({}, opt.init({}))[1].inner.iter == 1

    def test_the_rule_does_not_run_where_it_is_skipped(self):
        opt = skip_nonfinite(adam())
        assert "cond" in str(jax.make_jaxpr(opt.update)(PARAMS, opt.init(PARAMS)))


def gradients(count):
    rng = np.random.default_rng(0)
    return [jax.tree.map(lambda p: jnp.asarray(rng.standard_normal(p.shape), p.dtype), PARAMS) for _ in range(count)]


def train(opt, grads, params=PARAMS):
    """The parameters after each step, and the last state."""
    state, path = opt.init(params), []
    for g in grads:
        updates, state = opt.update(g, state, params)
        params = apply_updates(params, updates)
        path.append(params)
    return path, state


def optax_train(tx, grads):
    state, params, path = tx.init(PARAMS), PARAMS, []
    for g in grads:
        updates, state = tx.update(g, state, params)
        params = optax.apply_updates(params, updates)
        path.append(params)
    return path, state


class TestAccumulate:
    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_as_optax(self):
        grads = gradients(9)
        ours, _ = train(accumulate(adamw(0.1, weight_decay=0.1), 4), grads)
        theirs, _ = optax_train(optax.MultiSteps(optax.adamw(0.1, weight_decay=0.1), 4), grads)
        chex.assert_trees_all_close(ours, theirs, rtol=1e-5)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_the_number_may_be_a_schedule_of_the_optimizers_steps(self):
        grads, every = gradients(9), lambda step: jnp.where(step < 1, 3, 2)
        ours, state = train(accumulate(adamw(0.1, weight_decay=0.1), schedules.step(3.0, 2 / 3, at=(1,))), grads)
        theirs, _ = optax_train(optax.MultiSteps(optax.adamw(0.1, weight_decay=0.1), every), grads)
        chex.assert_trees_all_close(ours, theirs, rtol=1e-5)
        assert state.iter == state.inner.iter == 4

    def test_a_gradient_that_is_not_finite_is_left_out_and_waited_for(self):
        good = gradients(4)
        path, state = train(accumulate(adam(), 2), [good[0], BAD[0], good[1], BAD[1], good[2], good[3]])
        expected, inner = train(accumulate(adam(), 2), good)
        chex.assert_trees_all_close((path[-1], state.inner), (expected[-1], inner.inner), rtol=1e-6)
        assert (state.skipped, state.gathered) == (2, 0)
        chex.assert_trees_all_equal(path[1], PARAMS)

    def test_schedules_count_the_optimizers_own_steps(self):
        ones = [jax.tree.map(jnp.ones_like, PARAMS)] * 4
        path, state = train(accumulate(sgd(schedules.step(1.0, 0.5, at=(1,))), 2), ones)
        assert state.inner.iter == 2
        np.testing.assert_allclose(path[-1]["b"], PARAMS["b"] - 1.5)

    def test_small_gradients_are_not_lost_in_half_precision(self):
        params = jnp.zeros((), jnp.bfloat16)
        grads = [jnp.asarray(g, jnp.bfloat16) for g in [256.0] + [1.0] * 255]
        path, state = train(accumulate(sgd(1.0), 256), grads, params)
        assert state.mean.dtype == jnp.float32
        np.testing.assert_allclose(float(path[-1]), -511 / 256, rtol=0.01)

    def test_tiny_gradients_are_not_lost_beside_the_mean_before(self):
        grads = [jnp.asarray(g) for g in (1e8, 1e8, 1e-8, 1e-8)]
        _, state = train(accumulate(momentum(lr=1.0, momentum=0.0), 2), grads, jnp.asarray(0.0))
        np.testing.assert_allclose(state.inner.velocity, -1e-8, rtol=1e-6)

    def test_gradients_may_be_weighed_and_the_rest_of_them_stepped_along(self):
        """By hand: (1 · 2 + 3 · 6) / 4 = 5, then (5 · 4 + 0 · 1) / 5 = 4 in a window of three that ends after two."""
        opt, params = accumulate(sgd(1.0), 2), jnp.asarray(0.0)

        def step(carry, given):
            g, weight, flush = given
            updates, state = opt.update(g, carry[1], carry[0], weight=weight, flush=flush)
            return (apply_updates(carry[0], updates), state), updates

        grads, weights = jnp.asarray([2.0, 6.0, 7.0, 5.0, 0.0, 1.0]), jnp.asarray([1, 3, 2, 4, 1, 9])
        flush = jnp.asarray([False, False, True, False, False, True])
        (_, state), updates = jax.jit(lambda carry: jax.lax.scan(step, carry, (grads, weights, flush)))(
            (params, opt.init(params))
        )
        np.testing.assert_allclose(updates, [0, -5, -7, 0, -4, -1], rtol=1e-6)
        assert (state.iter, state.gathered, state.weight, state.mean) == (4, 0, 0, 0)

    def test_where_nothing_is_gathered_there_is_nothing_to_step_along(self):
        opt = accumulate(adamw(0.1, weight_decay=0.1), 2)
        updates, state = opt.update(BAD[0], opt.init(PARAMS), PARAMS, flush=True)
        assert not any(map(jnp.any, jax.tree.leaves(updates)))
        assert (state.iter, state.gathered, state.skipped) == (0, 0, 1)

    def test_a_weight_of_zero_leaves_the_mean_as_it_is(self):
        opt = accumulate(sgd(1.0), 3)
        state = opt.init(0.0)
        for g, weight in ((5.0, 0.0), (2.0, 3.0), (7.0, 0.0)):
            updates, state = opt.update(g, state, weight=weight)
        assert updates == -2

    def test_one_within_another_weighs_and_flushes_too(self):
        """(1 · 4 + 3 · 8) / 4 = 7, then of means: (4 · 7 + 6 · 2) / 10 = 4."""
        opt, updates = accumulate(accumulate(sgd(1.0), 3), 2), None
        state = opt.init(0.0)
        for g, weight, flush in ((4.0, 1.0, False), (8.0, 3.0, False), (2.0, 6.0, True)):
            updates, state = opt.update(g, state, weight=weight, flush=flush)
        assert updates == -4
        assert (state.iter, state.inner.iter) == (2, 1)

    def test_the_optimizer_runs_only_when_it_is_due(self):
        runs = []

        @optimizer
        def counted():
            def update(grads, state, params=None):
                jax.debug.callback(lambda: runs.append(1))
                return grads, state

            return lambda params: (), update

        train(accumulate(counted(), 3), gradients(7))
        jax.effects_barrier()
        assert len(runs) == 2

    def test_how_many_may_be_an_array(self):
        lanes = jax.vmap(lambda every: train(accumulate(sgd(1.0), every), [PARAMS] * 2)[0][-1]["b"])(
            jnp.asarray([1, 2])
        )
        np.testing.assert_allclose(lanes, [-3.0, 0.0])


class TestAverage:
    def test_the_path_is_the_optimizers_own(self):
        chex.assert_trees_all_close(train(average(adam()), gradients(3))[0], train(adam(), gradients(3))[0], rtol=1e-6)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    @pytest.mark.parametrize("debias", [True, False])
    def test_moving_averages_as_optax(self, debias):
        path, state = train(average(adam(0.1), ema=0.9, debias=debias), gradients(20))
        ema = optax.ema(0.9, debias=debias)
        kept = ema.init(PARAMS) if debias else optax.EmaState(jnp.zeros((), jnp.int32), PARAMS)
        for params in path:
            expected, kept = ema.update(params, kept)
        chex.assert_trees_all_close(averaged_params(state), expected, rtol=1e-5)

    def test_equal_weights(self):
        path, state = train(average(adam(0.1), ema=None), gradients(20))
        expected = jax.tree.map(lambda *ps: np.mean(ps, axis=0), *path)
        chex.assert_trees_all_close(averaged_params(state), expected, rtol=1e-5)

    def test_stochastic_weight_averaging(self):
        path, state = train(average(adam(0.1), ema=None, begin=5, every=4), gradients(20))
        expected = jax.tree.map(lambda *ps: np.mean(ps, axis=0), path[5], path[9], path[13], path[17])
        chex.assert_trees_all_close(averaged_params(state), expected, rtol=1e-5)

    def test_before_the_first_step_it_is_the_start(self):
        chex.assert_trees_all_equal(averaged_params(average(adam()).init(PARAMS)), PARAMS)
        _, state = train(average(adam(), begin=5), gradients(5))
        chex.assert_trees_all_equal(averaged_params(state), PARAMS)

    def test_it_is_found_inside_others(self):
        _, state = train(accumulate(chain(clip_by_norm(1.0), average(adam())), 1), gradients(2))
        chex.assert_trees_all_equal(averaged_params(state), state.inner[1].average)

    def test_it_keeps_float32_of_what_parameters_became(self):
        params = jnp.asarray(1.0, jnp.bfloat16)
        path, state = train(average(sgd(1e-3)), [jnp.ones((), jnp.bfloat16)], params)
        assert averaged_params(state).dtype == jnp.float32
        assert averaged_params(state) == path[0].astype(jnp.float32)

    def test_it_is_of_what_parameters_became_where_they_round_the_update_away(self):
        params = jnp.asarray(1.0, jnp.bfloat16)
        path, state = train(average(sgd(0.003908)), [-jnp.ones((), jnp.bfloat16)] * 3, params)
        assert path == [1, 1, 1]
        assert averaged_params(state) == 1


class TestLookahead:
    def test_it_looks_back_from_where_parameters_have_come_to(self):
        """The update, a bit more than half of what separates 1 from the next number, is rounded to that half."""
        params = jnp.asarray(1.0, jnp.bfloat16)
        path, state = train(lookahead(sgd(0.003908), every=2), [-jnp.ones((), jnp.bfloat16)] * 2, params)
        assert (path, state.slow) == ([1, 1], 1)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_as_optax(self):
        grads = gradients(12)
        ours, _ = train(lookahead(adamw(0.1, weight_decay=0.0), every=5, alpha=0.3), grads)
        tx = optax.lookahead(optax.adam(0.1), 5, 0.3)
        params = optax.LookaheadParams.init_synced(PARAMS)
        state = tx.init(params)
        for g, mine in zip(grads, ours, strict=True):
            updates, state = tx.update(g, state, params)
            params = optax.apply_updates(params, updates)
            chex.assert_trees_all_close(mine, params.fast, rtol=1e-5)

    def test_all_of_the_way_is_the_optimizer_alone(self):
        grads = gradients(7)
        ours, _ = train(lookahead(adam(0.1), every=3, alpha=1.0), grads)
        chex.assert_trees_all_close(ours, train(adam(0.1), grads)[0], rtol=1e-6)


class TestSAM:
    def test_one_step_by_hand(self):
        loss = lambda p: jnp.sum(p["a"] ** 4) + p["b"] ** 2  # noqa: E731
        g = jax.grad(loss)(PARAMS)
        length = jnp.sqrt(sum(jnp.sum(x**2) for x in jax.tree.leaves(g)))
        there = jax.grad(loss)(jax.tree.map(lambda p, g: p + 0.05 * g / length, PARAMS, g))
        updates, _ = sam(sgd(0.1)).update(g, sam(sgd()).init(PARAMS), PARAMS, value_fn=loss)
        chex.assert_trees_all_close(updates, jax.tree.map(lambda g: -0.1 * g, there), rtol=1e-6)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_as_optax(self):
        loss = lambda p: jnp.sum(jnp.cosh(p["a"])) + p["b"] ** 2  # noqa: E731
        ours, theirs = (
            sam(sgd(0.1), rho=0.2),
            optax.contrib.sam(
                optax.sgd(0.1), optax.chain(optax.contrib.normalize(), optax.sgd(0.2)), sync_period=2, opaque_mode=True
            ),
        )
        params = their_params = PARAMS
        state, their_state = ours.init(params), theirs.init(params)
        gradient = jax.grad(loss)
        for _ in range(5):
            updates, state = ours.update(gradient(params), state, params, value_fn=loss)
            params = apply_updates(params, updates)
            updates, their_state = theirs.update(
                gradient(their_params), their_state, their_params, grad_fn=lambda p, i: gradient(p)
            )
            their_params = optax.apply_updates(their_params, updates)
        chex.assert_trees_all_close(params, their_params, rtol=1e-5)

    def test_the_optimizer_gets_all_that_it_asks_for(self):
        @optimizer
        def asking():
            def update(grads, state, params=None, *, value, value_fn):
                assert grads.dtype == jnp.float32
                return grads * 0 + value + value_fn(params), next_step(state)

            return zero_steps, update

        opt, p = sam(asking()), jnp.asarray(3.0, jnp.bfloat16)
        updates, state = opt.update(p, opt.init(p), p, value=10.0, value_fn=lambda p: p * 100)
        assert (updates, state.inner) == (310, 1)

    def test_where_the_slope_is_zero_it_stays(self):
        opt, zeros = sam(sgd()), jax.tree.map(jnp.zeros_like, PARAMS)
        updates, _ = opt.update(zeros, opt.init(zeros), zeros, value_fn=lambda p: jnp.sum(p["a"] ** 2))
        chex.assert_trees_all_equal(updates, zeros)


class TestSkipSpikes:
    def usual(self, opt, steps, scale=1.0):
        state = opt.init(jnp.zeros(3))
        for i in range(steps):
            _, state = opt.update(jnp.full(3, scale + 0.1 * (i % 2)), state, value=2.0 + 0.1 * (i % 3))
        return state

    @pytest.mark.parametrize(
        ("grads", "value"), [(100.0, 2.0), (1.0, 50.0), (jnp.nan, 2.0), (1.0, jnp.nan), (jnp.inf, 2.0)]
    )
    def test_what_stands_out_is_skipped_and_counted(self, grads, value):
        opt = skip_spikes(adam(), window=16)
        state = self.usual(opt, 20)
        updates, new = opt.update(jnp.full(3, grads), state, value=value)
        assert not jnp.any(updates)
        chex.assert_trees_all_equal(new.inner, state.inner)
        assert new.skipped == 1

    def test_what_is_usual_is_the_optimizers_own(self):
        opt = skip_spikes(adam(), window=16)
        state, expected = self.usual(opt, 20), self.usual(adam(), 20)
        assert state.skipped == 0
        chex.assert_trees_all_close(state.inner, expected, rtol=1e-6)

    def test_it_watches_once_half_the_window_is_full(self):
        opt = skip_spikes(sgd(), window=16)
        for steps, skipped in ((7, 0), (8, 1)):
            _, state = opt.update(jnp.full(3, 100.0), self.usual(opt, steps), value=2.0)
            assert state.skipped == skipped

    def test_a_lasting_rise_becomes_what_is_usual(self):
        opt = skip_spikes(sgd(), window=16)
        state = self.usual(opt, 20)
        for _ in range(16):
            _, state = opt.update(jnp.full(3, 100.0), state, value=2.0)
        assert state.skipped == 1
        assert not jnp.any(jnp.isin(state.recent[1], self.usual(opt, 20).recent[1]))

    def test_without_a_value_the_norm_is_watched(self):
        opt = skip_spikes(sgd(), window=4)
        state = opt.init(jnp.zeros(3))
        for scale in (1.0, 1.1, 1.0, 1.1, 100.0):
            _, state = opt.update(jnp.full(3, scale), state)
        assert state.skipped == 1

    def test_what_is_not_yet_full_does_not_count(self):
        for window, norms in ((16, [1.0, 1.1] * 4 + [3.0]), (2, [1.0, 2.0])):
            opt = skip_spikes(sgd(), window=window)
            state = opt.init(0.0)
            for g in norms:
                _, state = opt.update(g, state)
            assert state.skipped == 1

    @pytest.mark.parametrize("unit", [7e-20, 1e-30, 1e19, 1e30])
    def test_no_unit_is_so_small_or_large_that_it_matters(self, unit):
        """A norm that stays, one that varies, and one that stands out."""
        norms = np.array([7.0] * 16 + [7.1, 6.9] * 8 + [9.0], np.float32)
        opt = skip_spikes(sgd(), window=16)
        step = jax.jit(lambda g, state: opt.update(g, state, value=g)[1])
        state, skipped = opt.init(0.0), []
        for norm in norms:
            state = step(jnp.asarray(unit * norm, jnp.float32), state)
            skipped.append(int(state.skipped))
        # The first norm after those that are equal stands out as well.
        assert skipped == [0] * 16 + [1] * 16 + [2]

    def test_the_limit_is_so_many_deviations(self):
        for norm, skipped in ((2.0 + 2.9, 0), (2.0 + 3.1, 1)):
            opt = skip_spikes(sgd(), deviations=3.0, window=4)
            state = opt.init(0.0)
            for g in (1.0, 3.0, 1.0, 3.0, norm):
                _, state = opt.update(g, state)
            assert state.skipped == skipped


@pytest.mark.parametrize("wrapper", [skip_nonfinite, skip_spikes, lambda opt: accumulate(opt, 2)])
def test_a_step_in_half_precision_has_one_format_whether_it_is_taken_or_not(wrapper):
    """What lbfgs gives ends where it has looked, in the parameters' precision."""
    opt, params = wrapper(lbfgs()), jax.tree.map(lambda p: p.astype(jnp.float16), PARAMS)
    state = opt.init(params)
    updates, new = jax.eval_shape(lambda params, state: update(opt, params, state, params), params, state)
    chex.assert_trees_all_equal_shapes_and_dtypes((updates, new), (params, state))


def test_defaults_are_those_of_the_papers():
    wrapped = [average(sgd()), lookahead(sgd()), sam(sgd()), skip_nonfinite(sgd()), skip_spikes(sgd())]
    assert [repr(opt).replace("opt=sgd(lr=0.01)", "…") for opt in wrapped] == [
        "average(…, ema=0.999, debias=True, begin=0, every=1)",
        "lookahead(…, every=5, alpha=0.5)",
        "sam(…, rho=0.05)",
        "skip_nonfinite(…, give_up_after=None)",
        "skip_spikes(…, deviations=6.0, window=128)",
    ]


class TestMaximize:
    def test_it_climbs_and_still_decays(self):
        updates, state = maximize(adamw(0.1, weight_decay=0.5)).update(PARAMS, maximize(adamw()).init(PARAMS), PARAMS)
        assert state.inner.iter == 1
        climb = adamw(0.1, weight_decay=0.0)
        uphill, _ = climb.update(PARAMS, climb.init(PARAMS), PARAMS)
        chex.assert_trees_all_close(updates, jax.tree.map(lambda u, p: -u - 0.05 * p, uphill, PARAMS), rtol=1e-5)

    def test_keywords_are_those_of_the_function_that_falls(self):
        @optimizer
        def asking(lr=1.0):
            def update(grads, state, params=None, *, value, grad, value_fn):
                return grads + value + grad + value_fn(params), state

            return lambda params: (), update

        opt = maximize(asking())
        updates, _ = opt.update(1.0, opt.init(0.0), 3.0, value=10.0, grad=100.0, value_fn=lambda p: 1000.0 * p)
        assert updates == -(1 + 10 + 100 + 3000)
