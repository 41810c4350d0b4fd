"""What each transform computes: by optax where it has the same, by hand where it has not."""

import pickle

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from composed import AFTER, AROUND, BEFORE

from jaxopt_lite import (
    Optimizer,
    Transform,
    adam,
    adamw,
    adaptive_clip,
    add_noise,
    apply_updates,
    cautious,
    centralize,
    chain,
    clip,
    clip_by_global_norm,
    clip_by_norm,
    grokfast,
    hyperball,
    l2_decay,
    lr_multiplier,
    momentum,
    nadamw,
    normalize,
    optimistic,
    optimizer,
    partition,
    psgd_kron,
    reduce_on_plateau,
    schedules,
    sgd,
    sophia,
    weight_decay,
)
from jaxopt_lite.testing.problems import update

RNG = np.random.default_rng(0)
GRADS = jax.tree.map(jnp.asarray, {"w": RNG.standard_normal((4, 3)), "b": RNG.standard_normal(3), "s": 2.0})
PARAMS = jax.tree.map(lambda g: 0.1 * jnp.cos(7 * g), GRADS)
HUGE, TINY = 1e30, 1e-30


def given(transform, grads=GRADS, params=PARAMS, **extra):
    """What comes out of a transform's first update."""
    return transform.update(grads, transform.init(params), params, **extra)[0]


def length(tree):
    return np.sqrt(sum(np.sum(np.abs(np.asarray(x, np.float64)) ** 2) for x in jax.tree.leaves(tree)))


# Transforms whose limits are in the unit s of gradients, updates and parameters.
IN_ANY_UNIT = {
    "clip": lambda s: clip(0.5 * s),
    "clip_by_norm": lambda s: clip_by_norm(0.5 * s),
    "clip_by_global_norm": lambda s: clip_by_global_norm(0.5 * s),
    "adaptive_clip": lambda s: adaptive_clip(0.3, floor=0.0),
    "centralize": lambda s: centralize(),
    "grokfast": lambda s: grokfast(),
    "optimistic": lambda s: optimistic(),
    "l2_decay": lambda s: l2_decay(0.1),
    "hyperball": lambda s: hyperball(0.1),
    "cautious": lambda s: cautious(),
    "weight_decay": lambda s: weight_decay(0.1, cautious=True),
}


@pytest.mark.parametrize("unit", [2.0**-100, 2.0**100])
@pytest.mark.parametrize("name", IN_ANY_UNIT)
def test_no_unit_is_so_small_or_large_that_it_matters(name, unit):
    """Squares and products of numbers in these units vanish, or overflow."""
    signed = jax.tree.map(jnp.sin, GRADS)

    def updates(s):
        grads, params, others = (jax.tree.map(lambda x: s * x, tree) for tree in (GRADS, PARAMS, signed))
        return jax.tree.map(lambda u: u / s, given(IN_ANY_UNIT[name](s), grads, params, grad=others))

    chex.assert_trees_all_close(updates(unit), updates(1.0), rtol=1e-6)


PEERS = {
    "clip": (clip(0.5), optax.clip(0.5)),
    "clip_by_global_norm": (clip_by_global_norm(0.5), optax.clip_by_global_norm(0.5)),
    "clip_by_global_norm, within": (clip_by_global_norm(50.0), optax.clip_by_global_norm(50.0)),
    "adaptive_clip": (adaptive_clip(0.3), optax.adaptive_grad_clip(0.3)),
    "centralize": (centralize(out_axis=0), optax.centralize()),
    "normalize": (normalize(), optax.normalize_by_update_norm()),
}


@pytest.mark.parametrize(("ours", "theirs"), PEERS.values(), ids=PEERS)
def test_as_optax(ours, theirs):
    expected, _ = theirs.update(GRADS, theirs.init(PARAMS), PARAMS)
    chex.assert_trees_all_close(given(ours), expected, rtol=1e-5)


class TestClipping:
    def test_by_value_clips_both_parts_of_a_complex_number(self):
        clipped = given(clip(1.0), jnp.asarray([3 + 0.5j, -0.5 - 3j]), jnp.zeros(2, complex))
        np.testing.assert_array_equal(clipped, [1 + 0.5j, -0.5 - 1j])

    def test_by_norm_shortens_each_leaf_by_itself(self):
        clipped = given(clip_by_norm(0.5))
        for name, g in GRADS.items():
            np.testing.assert_allclose(clipped[name], g * min(1, 0.5 / length(g)), rtol=1e-6)

    @pytest.mark.parametrize("clipping", [clip_by_norm, clip_by_global_norm])
    def test_a_zero_gradient_stays_zero_even_at_norm_zero(self, clipping):
        zeros = jax.tree.map(jnp.zeros_like, GRADS)
        for max_norm in (0.0, 1.0):
            chex.assert_trees_all_equal(given(clipping(max_norm), zeros), zeros)

    @pytest.mark.parametrize("clipping", [clip_by_norm, clip_by_global_norm])
    @pytest.mark.parametrize(("size", "dtype"), [(1e4, jnp.float16), (HUGE, jnp.float32), (1e36, jnp.float32)])
    def test_no_norm_overflows(self, clipping, size, dtype):
        grads = jnp.full((100,), size, dtype)
        clipped, _ = clipping(1.0).update(grads, ())
        np.testing.assert_allclose(clipped.astype(jnp.float32), 0.1, rtol=1e-3)

    def test_a_tiny_norm_is_not_lost(self):
        np.testing.assert_allclose(given(normalize(), jnp.full(4, TINY), jnp.zeros(4)), 0.5, rtol=1e-6)

    def test_a_nan_has_no_norm(self):
        spoilt = GRADS | {"s": jnp.nan}
        assert all(jnp.all(jnp.isnan(x)) for x in jax.tree.leaves(given(clip_by_global_norm(1.0), spoilt)))
        assert not jnp.any(jnp.isnan(given(clip_by_norm(1.0), spoilt)["w"]))

    @pytest.mark.parametrize("out_axis", [0, 1, 2, -1])
    def test_adaptive_clipping_goes_by_units(self, out_axis):
        g, p = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 3, 4))
        clipped = np.moveaxis(given(adaptive_clip(0.1, out_axis=out_axis), jnp.asarray(g), jnp.asarray(p)), out_axis, 0)
        for one, g_unit, p_unit in zip(clipped, np.moveaxis(g, out_axis, 0), np.moveaxis(p, out_axis, 0), strict=True):
            np.testing.assert_allclose(one, g_unit * 0.1 * length(p_unit) / length(g_unit), rtol=1e-5)

    def test_units_are_those_of_the_last_axis_unless_said_otherwise(self):
        g, p = (jnp.asarray(RNG.standard_normal((2, 3, 4))) for _ in range(2))
        for by_units in (centralize, adaptive_clip):
            chex.assert_trees_all_equal(given(by_units(), g, p), given(by_units(out_axis=2), g, p))

    def test_adaptive_clipping_lets_zeros_leave_zero(self):
        np.testing.assert_allclose(given(adaptive_clip(0.1, floor=0.5), jnp.ones(4), jnp.zeros(4)), 0.025, rtol=1e-6)


class TestShape:
    @pytest.mark.parametrize("transform", [centralize(), cautious()], ids=["centralize", "cautious"])
    def test_of_nothing_there_is_no_mean(self, transform):
        empty = jnp.zeros((0, 3))
        with jax.debug_nans(True):
            assert transform.update(empty, (), grad=empty)[0].shape == (0, 3)

    def test_centralized_units_have_mean_zero(self):
        centered = given(centralize())
        np.testing.assert_allclose(jnp.mean(centered["w"], axis=0), 0, atol=1e-7)
        chex.assert_trees_all_equal(centered | {"w": 0}, GRADS | {"w": 0})

    def test_normalized_leaves_have_length_one(self):
        for leaf in given(normalize("leaf")).values():
            np.testing.assert_allclose(length(leaf), 1, rtol=1e-6)
        assert given(normalize("leaf"), GRADS | {"s": 0.0})["s"] == 0
        assert length(given(normalize(), jax.tree.map(jnp.zeros_like, GRADS))) == 0


class TestAddNoise:
    def noise(self, opt, steps, size=10_000):
        grads, state, seen = jnp.zeros(size), opt.init(jnp.zeros(size)), []
        for _ in range(steps):
            noisy, state = opt.update(grads, state)
            seen.append(noisy)
        return np.stack(seen)

    def test_its_variance_is_what_was_said(self):
        variances = np.var(self.noise(add_noise(0.04, power=0.55), 5), axis=1)
        np.testing.assert_allclose(variances, 0.04 / np.arange(1, 6) ** 0.55, rtol=0.05)
        scheduled = self.noise(add_noise(schedules.step(0.04, 0.25, at=(1,)), power=0.0), 2)
        np.testing.assert_allclose(np.std(scheduled, axis=1), [0.2, 0.1], rtol=0.05)

    def test_it_is_added_to_the_gradient_and_falls_by_the_power(self):
        np.testing.assert_allclose(given(add_noise(1e-12), jnp.full(3, 2.0), None), 2, rtol=1e-5)
        falling, constant = self.noise(add_noise(power=0.5), 4), self.noise(add_noise(power=0.0), 4)
        np.testing.assert_allclose(falling, constant * np.arange(1, 5)[:, None] ** -0.25, rtol=1e-5)

    def test_steps_leaves_and_seeds_differ_and_equal_seeds_do_not(self):
        one, two = self.noise(add_noise(), 2)
        assert abs(np.corrcoef(one, two)[0, 1]) < 0.05
        pair = given(add_noise(), {"a": jnp.zeros(1000), "b": jnp.zeros(1000)}, None)
        assert abs(np.corrcoef(pair["a"], pair["b"])[0, 1]) < 0.2
        assert np.array_equal(self.noise(add_noise(seed=3), 2), self.noise(add_noise(seed=3), 2))
        assert not np.array_equal(self.noise(add_noise(seed=3), 1), self.noise(add_noise(seed=4), 1))

    def test_groups_and_the_whole_tree_have_the_noise_of_each_leafs_path(self):
        zeros = {"a": jnp.zeros(1000), "b": {"c": jnp.zeros(1000)}}
        noisy = chain(add_noise(), sgd(1.0))
        groups = partition({"one": noisy, "two": noisy}, {"one": "a", "two": "b/c"})
        apart = given(groups, zeros, zeros)
        assert abs(np.corrcoef(apart["a"], apart["b"]["c"])[0, 1]) < 0.2
        chex.assert_trees_all_equal(apart, given(noisy, zeros, zeros))

    def test_two_rules_of_one_seed_do_not_draw_the_same(self):
        params = jnp.zeros((3, 2))
        keys = [add_noise().init(params).key, psgd_kron().init(params).key, sophia().init(params).key]
        assert len({tuple(key.tolist()) for key in keys}) == 3

    def test_two_in_a_chain_need_two_seeds(self):
        with pytest.raises(ValueError, match=r"^chain: add_noise\(.*\) and add_noise\(.*\) draw the same noise: give"):
            chain(add_noise(), clip(1.0), add_noise(0.1), sgd())
        chain(add_noise(), add_noise(seed=1), psgd_kron(others=adam()))

    def test_a_sweep_over_seeds(self):
        swept = jax.vmap(lambda opt: given(opt, jnp.zeros(3), jnp.zeros(3)))(add_noise(seed=jnp.arange(2)))
        chex.assert_trees_all_close(swept[1], given(add_noise(seed=1), jnp.zeros(3), jnp.zeros(3)), rtol=1e-6)

    def test_where_keys_may_not_be_plain_integers(self):
        with jax.legacy_prng_key("error"):
            assert np.all(given(add_noise(), jnp.zeros(7), None) != 0)

    def test_complex_noise_has_both_parts(self):
        noise = given(add_noise(1.0), jnp.zeros(10_000, jnp.complex64), None)
        np.testing.assert_allclose([np.var(noise.real), np.var(noise.imag)], 0.5, rtol=0.1)


def test_two_steps_of_grokfast_by_hand():
    slow = grokfast(decay_rate=0.75, amplify=2.0)
    one, state = slow.update(jnp.asarray(4.0), slow.init(jnp.asarray(0.0)))
    two, state = slow.update(jnp.asarray(-8.0), state)
    assert (one, two, state.h) == (4 + 2 * 1, -8 + 2 * (0.75 - 2), 0.75 - 2)


class TestOptimistic:
    def test_three_steps_by_hand(self):
        opt = optimistic(schedules.piecewise((0.5, 2.0), at=(2,)))
        state, given = opt.init(jnp.asarray(0.0)), []
        for g in (4.0, -8.0, 1.0):
            u, state = opt.update(jnp.asarray(g), state)
            given.append(float(u))
        assert given == [4, -8 + 0.5 * -12, 1 + 2 * 9]
        assert (state.iter, state.u) == (3, 1)

    def test_two_players_who_circle_each_other_come_to_rest(self):
        """optax's example: x descends along x y and y ascends; the distances from 0 stand in its docstring."""

        def distances(opt):
            def step(carry, _):
                (x, y), state = carry
                updates, state = opt.update((y, -x), state)
                return (apply_updates((x, y), updates), state), jnp.hypot(x, y)

            params = jnp.asarray(1.0), jnp.asarray(2.0)
            return jax.lax.scan(step, (params, opt.init(params)), length=1025)[1]

        nadam_alone = nadamw(0.01, weight_decay=0.0)
        found = distances(chain(nadam_alone, optimistic(100.0)))
        np.testing.assert_allclose(found[4 ** np.arange(6)], [2.243, 2.195, 2.161, 2.055, 0.796, 0.001], atol=6e-4)
        assert distances(nadam_alone)[-1] > 2
        assert distances(chain(optimistic(), sgd(0.1)))[-1] < 0.02
        assert distances(sgd(0.1))[-1] > 100


class TestWeightDecay:
    def test_after_sgd_it_is_optaxs_before_it(self):
        theirs = optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.3))
        expected, _ = theirs.update(GRADS, theirs.init(PARAMS), PARAMS)
        chex.assert_trees_all_close(given(chain(sgd(0.3), weight_decay(0.1, lr=0.3))), expected, rtol=1e-5)

    def test_after_adam_it_is_adamw(self):
        lr = schedules.linear(0.1, 0.0, steps=5)
        opt, expected = chain(adamw(lr, weight_decay=0.0), weight_decay(0.2, lr)), adamw(lr, weight_decay=0.2)
        (params, state), (theirs, theirs_state) = ((PARAMS, o.init(PARAMS)) for o in (opt, expected))
        for _ in range(5):
            updates, state = opt.update(GRADS, state, params)
            params = apply_updates(params, updates)
            updates, theirs_state = expected.update(GRADS, theirs_state, theirs)
            theirs = apply_updates(theirs, updates)
        chex.assert_trees_all_close(params, theirs, rtol=1e-5)

    def test_cautious_decay_only_helps(self):
        u, p = jnp.asarray([0.25, -1.0, 0.0, 1.0, -1.0]), jnp.asarray([2.0, 2.0, 2.0, -2.0, -2.0])
        decayed = given(weight_decay(0.25, cautious=True), u, p)
        np.testing.assert_array_equal(decayed, [0.25, -1.5, -0.5, 1.5, -1.0])

    def test_both_numbers_may_be_schedules(self):
        opt, p = weight_decay(schedules.step(0.5, 0.5, at=(1,)), lr=schedules.step(1.0, 0.1, at=(2,))), jnp.asarray(2.0)
        state = opt.init(p)
        for decay in (-1.0, -0.5, -0.05):
            u, state = opt.update(jnp.asarray(0.0), state, p)
            np.testing.assert_allclose(u, decay, rtol=1e-6)


class TestL2Decay:
    def test_as_optax(self):
        expected, _ = optax.add_decayed_weights(0.2).update(GRADS, optax.EmptyState(), PARAMS)
        chex.assert_trees_all_close(given(l2_decay(0.2)), expected, rtol=1e-6)

    def test_a_schedule_is_read_at_each_step(self):
        opt = chain(l2_decay(schedules.step(0.5, 0.0, at=(1,))), sgd(1.0))
        state, zeros = opt.init(PARAMS), jax.tree.map(jnp.zeros_like, PARAMS)
        updates, state = opt.update(zeros, state, PARAMS)
        chex.assert_trees_all_close(updates, jax.tree.map(lambda p: -0.5 * p, PARAMS), rtol=1e-6)
        updates, _ = opt.update(zeros, state, PARAMS)
        chex.assert_trees_all_equal(updates, zeros)

    def test_the_rule_sees_the_decay(self):
        opt = chain(l2_decay(0.2), momentum(0.1))
        expected = momentum(0.1).update(given(l2_decay(0.2)), momentum(0.1).init(PARAMS))[0]
        chex.assert_trees_all_close(given(opt), expected, rtol=1e-6)


class TestCautious:
    def test_by_hand(self):
        u, g = jnp.asarray([1.0, -1.0, 2.0, -3.0]), jnp.asarray([1.0, 1.0, -1.0, 0.0])
        updates, _ = cautious().update(u, (), grad=g)
        np.testing.assert_array_equal(updates, [0.0, -2.0, 4.0, 0.0])

    def test_where_nothing_agrees_nothing_moves(self):
        assert not jnp.any(cautious().update(jnp.ones(3), (), grad=jnp.ones(3))[0])

    def test_in_a_chain_it_sees_the_gradient_that_came_in(self):
        opt, turned = chain(centralize(), sgd(1.0), cautious()), jnp.asarray([[1.0], [3.0]])
        np.testing.assert_array_equal(given(opt, turned, turned), [[0.0], [-2.0]])


class TestHyperball:
    def test_matrices_stay_on_their_sphere_and_turn_by_about_lr(self):
        opt = chain(momentum(3.0), hyperball(lr=0.05))
        params, state = PARAMS, opt.init(PARAMS)
        for _ in range(20):
            updates, state = opt.update(GRADS, state, params)
            new = apply_updates(params, updates)
            turn = np.sum(params["w"] * new["w"]) / length(params["w"]) / length(new["w"])
            assert np.arccos(turn) <= 0.0501
            params = new
        np.testing.assert_allclose(length(params["w"]), length(PARAMS["w"]), rtol=1e-5)

    def test_one_step_by_hand(self):
        p, g = jnp.asarray([[3.0, 4.0]]), jnp.asarray([[0.0, -2.0]])
        ahead = np.asarray([[3.0, 4.0 + 0.5 * 5]])
        moved = p + given(chain(sgd(), hyperball(lr=0.5)), g, p)
        np.testing.assert_allclose(moved, 5 * ahead / length(ahead), rtol=1e-6)

    def test_lr_may_be_a_schedule(self):
        opt, p, g = chain(sgd(), hyperball(schedules.step(0.5, 0.0, at=(1,)))), jnp.ones((2, 2)), jnp.eye(2)
        first, state = opt.update(g, opt.init(p), p)
        second, state = opt.update(g, state, p)
        assert jnp.any(first)
        np.testing.assert_allclose(second, 0, atol=1e-6)
        assert state[1].iter == 2

    def test_vectors_have_no_radius(self):
        assert hyperball().init(PARAMS).radius == {"w": pytest.approx(length(PARAMS["w"])), "b": 0, "s": 0}

    def test_vectors_move_as_the_rule_says_and_zeros_stay(self):
        updates = given(chain(sgd(0.1), hyperball()))
        chex.assert_trees_all_close(updates["b"], -0.1 * GRADS["b"], rtol=1e-6)
        assert not jnp.any(given(chain(sgd(), hyperball()), jnp.ones((2, 2)), jnp.zeros((2, 2))))


class TestLrMultiplier:
    def test_by_pattern_and_by_function(self):
        expected = jax.tree.map(lambda g, f: -0.1 * f * g, GRADS, {"w": 0.5, "b": 2.0, "s": 2.0})
        for factors in ({"w": 0.5, "b|s": 2.0}, {"w": 0.5, "*": 2.0}, lambda path, leaf: 0.5 if path == "w" else 2.0):
            chex.assert_trees_all_close(given(chain(sgd(0.1), lr_multiplier(factors))), expected, rtol=1e-6)

    def test_schedules_count_their_own_steps(self):
        falling = schedules.piecewise((2.0, 0.5), at=(1,))
        opt = chain(sgd(0.1), lr_multiplier({"w": falling, "b": lambda iter: 1.0 * iter, "*": 3.0}))
        state = opt.init(GRADS)
        for factors in ({"w": 2.0, "b": 0.0, "s": 3.0}, {"w": 0.5, "b": 1.0, "s": 3.0}):
            updates, state = opt.update(GRADS, state)
            expected = jax.tree.map(lambda g, f: -0.1 * f * g, GRADS, factors)
            chex.assert_trees_all_close(updates, expected, rtol=1e-6)
        assert state[1].iter == 2

    def test_factors_that_are_arrays_are_data(self):
        def first(factor):
            return given(chain(sgd(0.1), lr_multiplier({"w": factor, "*": 1.0})))["w"][0, 0]

        np.testing.assert_allclose(jax.grad(first)(jnp.asarray(2.0)), -0.1 * GRADS["w"][0, 0], rtol=1e-6)


class TestReduceOnPlateau:
    VALUES = (5.0, 4.0, 4.0, 4.1, 4.0, 3.0, 2.9998, 3.0, 2.95, *[3.0] * 6, 2.0, 1.95, *[2.0] * 9)

    @pytest.mark.usefixtures("standard")  # optax multiplies an integer by a float
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ({}, {}),
            ({"threshold": 0.02}, {"rtol": 0.02}),
            ({"atol": 0.2}, {"atol": 0.2}),
            ({"cooldown": 3}, {"cooldown": 3}),
            ({"every": 2}, {"accumulation_size": 2}),
            ({"every": 2, "cooldown": 1, "atol": 0.04}, {"accumulation_size": 2, "cooldown": 1, "atol": 0.04}),
        ],
    )
    def test_as_optax(self, ours, theirs):
        """The patience of optax's is one more, which is torch's."""
        ours = reduce_on_plateau(rate=0.5, patience=2, min_scale=0.2, **ours)
        theirs = optax.contrib.reduce_on_plateau(factor=0.5, patience=3, min_scale=0.2, **theirs)

        def walk(tx):
            def step(state, value):
                updates, state = tx.update(jnp.asarray(2.0), state, value=value)
                return state, (updates, state)

            return jax.lax.scan(step, tx.init(GRADS), jnp.asarray(self.VALUES))[1]

        (updates, state), (wanted, expected) = walk(ours), walk(theirs)
        chex.assert_trees_all_equal((updates, state.scale), (wanted, expected.scale))
        largest = jnp.finfo(jnp.float32).max
        chex.assert_trees_all_equal(state.best, jnp.minimum(expected.best_value, largest))
        assert len(set(state.scale.tolist())) > 1

    def test_a_value_that_is_no_number_is_forgotten_with_its_mean(self):
        opt = reduce_on_plateau(every=2)
        state = opt.init(GRADS)
        for value in (1.0, jnp.nan, 1.0, 3.0):
            _, state = opt.update(GRADS, state, value=value)
        assert (state.best, state.waited, state.mean, state.gathered) == (2, 0, 0, 0)

    def test_a_loss_below_zero_may_fall_too(self):
        opt = reduce_on_plateau(patience=1)
        state = opt.init(GRADS)
        for value in (-1.0, -2.0, -3.0):
            _, state = opt.update(GRADS, state, value=value)
        assert (state.best, state.waited, state.scale) == (-3, 0, 1)


DEFAULTS = {
    adaptive_clip: "adaptive_clip(clipping=0.01, floor=0.001, out_axis=-1)",
    add_noise: "add_noise(variance=0.01, power=0.55, seed=0)",
    cautious: "cautious(floor=0.001)",
    centralize: "centralize(out_axis=-1)",
    grokfast: "grokfast(decay_rate=0.98, amplify=2.0)",
    hyperball: "hyperball(lr=0.01)",
    l2_decay: "l2_decay(weight_decay=0.01)",
    normalize: "normalize(over='tree')",
    optimistic: "optimistic(optimism=1.0)",
    reduce_on_plateau: "reduce_on_plateau(rate=0.1, patience=10, min_scale=0.0, threshold=0.0001, "
    "atol=0.0, cooldown=0, every=1)",
    weight_decay: "weight_decay(weight_decay=0.01, lr=1.0, cautious=False)",
}


# What each needs beside the entry itself; what it looks at beyond, packing asks for.
NEEDS = {
    "adaptive_clip": {"params", "leaf"},
    "add_noise": set(),
    "cautious": {"leaf"},
    "centralize": {"leaf"},
    "clip": set(),
    "scheduled clip": set(),
    "clip_by_global_norm": {"tree"},
    "clip_by_norm": {"leaf"},
    "grokfast": set(),
    "optimistic": set(),
    "hyperball": {"params", "leaf"},
    "l2_decay": {"params"},
    "lr_multiplier": set(),
    "scheduled lr_multiplier": set(),
    "normalize": {"tree"},
    "normalize leaf": {"tree"},
    "reduce_on_plateau": {"value"},
    "weight_decay": {"params"},
    "cautious weight_decay": {"params"},
}


def test_needs_are_declared():
    assert {name: set(t.needs) for name, t in (BEFORE | AFTER).items()} == NEEDS


def test_of_no_entries_nothing_is_computed_that_raises_an_alarm():
    empty = {"none": jnp.zeros((0, 3)), "some": jnp.ones(2)}
    with jax.debug_nans(True), jax.disable_jit():
        for name, around in AROUND.items():
            opt = around(sgd())
            updates, _ = update(opt, empty, opt.init(empty), empty)
            assert updates["none"].shape == (0, 3), name


@pytest.mark.parametrize(("factory", "call"), DEFAULTS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_defaults_are_those_of_the_papers(factory, call):
    assert repr(factory()) == call


class TestChain:
    @pytest.mark.parametrize("part", AFTER.values(), ids=AFTER)
    def test_what_works_on_updates_is_refused_before_the_rule(self, part):
        chain(adam(), part)
        with pytest.raises(ValueError, match=f"^chain: {part.name} works on updates, and stands before adam"):
            chain(part, adam())

    def test_a_chain_of_chains_is_one_chain(self):
        a, b, c = clip(1.0), adam(), weight_decay()
        assert chain(a, chain(b, c)) == chain(chain(a, b), c) == chain(a, b, c)
        assert repr(chain(a, chain(b))) == f"chain({a!r}, {b!r})"

    def test_with_an_optimizer_it_is_one_and_without_it_is_none(self):
        assert type(chain(clip(1.0), centralize())) is Transform
        for chained in (chain(clip(1.0), adam()), chain(chain(clip(1.0), centralize()), chain(adam()))):
            assert type(chained) is Optimizer
            assert type(pickle.loads(pickle.dumps(chained))) is Optimizer
            assert type(jax.tree.map(lambda x: x, chained)) is Optimizer

    def test_without_parts_it_changes_nothing(self):
        chex.assert_trees_all_equal(given(chain()), GRADS)

    def test_each_part_gets_what_the_one_before_gives(self):
        by_hand = jax.tree.map(lambda g: 0.5 * -0.1 * g / length(GRADS), GRADS)
        opt = chain(clip_by_global_norm(1.0), sgd(0.1), lr_multiplier({"*": 0.5}))
        chex.assert_trees_all_close(given(opt), by_hand, rtol=1e-5)

    def test_the_state_is_where_the_readme_says(self):
        params = {"W1": jnp.ones((2, 2))}
        opt = chain(clip_by_global_norm(1.0), adamw())
        _, state = opt.update(params, opt.init(params), params)
        np.testing.assert_allclose(state[1].m["W1"], 0.1 * 0.5, rtol=1e-5)

    def test_keywords_reach_every_part(self):
        @optimizer
        def by_value(lr=1.0):
            return lambda params: (), lambda grads, state, params=None, *, value: (lr * -value * grads, state)

        opt = chain(clip(1.0), by_value(), cautious())
        updates, _ = opt.update(jnp.asarray(3.0), opt.init(1.0), value=2.0, grad=jnp.asarray(-1.0), epoch=3)
        assert updates == 0
        assert opt.keywords == {"value", "grad"}

    def test_it_rounds_once_at_its_end(self):
        opt = chain(lr_multiplier({"*": 1 / 3}), clip(1e9), lr_multiplier({"*": 3.0}))
        g = jnp.asarray(RNG.standard_normal(1000), jnp.bfloat16)
        np.testing.assert_array_equal(given(opt, g, g), g)
