"""The race: lanes equal runs alone, the ranking, pruning, and everything that can go wrong."""

import functools
import itertools
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxopt_lite
from jaxopt_lite import (
    adam,
    adamw,
    add_noise,
    apply_updates,
    average,
    chain,
    clip_by_global_norm,
    from_optax,
    hyperball,
    momentum,
    optimizer,
    partition,
    registry,
    schedules,
    sgd,
    weight_decay,
)
from jaxopt_lite.core.value import call_of
from jaxopt_lite.race import load, race
from jaxopt_lite.race.batches import batches_of
from jaxopt_lite.race.builtin_tasks import two_layer_net
from jaxopt_lite.race.display import now_and_then
from jaxopt_lite.race.entrants import _scaled, enter
from jaxopt_lite.race.outcome import Lane
from jaxopt_lite.race.result import Result
from jaxopt_lite.race.statistics import running_mean, tie
from jaxopt_lite.race.task import Task
from jaxopt_lite.race.track import Track

quiet = functools.partial(race, show=None)
RATES = (1e-3, 1.0, 4)


@functools.cache
def digits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *args, **kwargs: None)
        return jaxopt_lite.datasets.load_digits("digits")


@pytest.fixture
def broadcasts():
    """A bias that is added as most people add it."""
    with jax.numpy_rank_promotion("allow"):
        yield


def valley(params):
    return params["x"] ** 2 / 20 + params["y"] ** 2


START = {"x": -7.0, "y": 2.0}


def line(key):
    return {"w": jax.random.normal(key, (3,)), "b": jnp.zeros(())}


def squares(params, batch):
    x, t = batch
    return jnp.mean((x @ params["w"] + params["b"] - t) ** 2)


def points(count=50):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)).astype(np.float32)
    return x, (x @ np.array([1.0, -2.0, 0.5], np.float32)).astype(np.float32)


class TestRatesWithoutEffect:
    @staticmethod
    def bowl(params):
        return jnp.sum(jnp.arange(1.0, 5).reshape(2, 2) * (params - 1) ** 2)

    def test_the_rate_that_steps_is_swept(self):
        """Of matrices hyperball takes the direction of the rule's update alone."""
        opt = chain(momentum(0.5), hyperball(0.01))
        result = quiet(self.bowl, jnp.eye(2), optimizers=opt, lrs=[1e-3, 0.01, 0.1], steps=20, prune=None)
        assert [lane.opt for lane in result.lanes] == [
            chain(momentum(rate), hyperball(lr)) for rate, lr in ((0.05, 1e-3), (0.5, 0.01), (5.0, 0.1))
        ]
        assert [lane.lr for lane in result.lanes] == [1e-3, 0.01, 0.1]
        assert len(np.unique(result.scores)) == 3

    @pytest.mark.parametrize("prune", ["halving", None])
    def test_lanes_that_cannot_be_told_apart_are_named(self, prune):
        sentence = (
            r"^race: signs\(lr=0\.25\) and signs\(lr=0\.5\) have the same losses: "
            "what differs between them has no effect$"
        )
        with pytest.warns(UserWarning, match=sentence) as seen:
            quiet(self.bowl, jnp.eye(2), optimizers=[signs, adam], lrs=[0.25, 0.5, 1.0], steps=48, prune=prune)
        assert len(seen) == 1


@optimizer
def signs(lr: float = 0.1):
    """An optimizer that forgets its rate."""
    return lambda params: (), lambda grads, state, params=None: (jax.tree.map(lambda g: -0.01 * jnp.sign(g), grads), ())


class TestLanes:
    @pytest.mark.parametrize(
        ("names", "lrs", "seeds"),
        [
            (["adam"], RATES, (3, 5)),
            (["adamw", "dog", "lamb", "sgd"], [0.01], (0,)),
            pytest.param(list(registry), [0.01], (0,), marks=pytest.mark.slow),
        ],
    )
    def test_each_equals_the_same_run_alone_after_one_step(self, names, lrs, seeds):
        """Where a gradient is not itself a small difference of large numbers, which a rule might then divide by."""
        entrants, batches = enter(names, lrs, steps=1), batches_of(points(), 10, seeds)
        track = Track(Task(squares, line, seeds), entrants, batches, [len(e.lanes) for e in entrants], 1)
        now = batches.take(1)
        losses, _ = track.run_chunk(now, evaluate=False)
        lanes = [opt for e in entrants for opt in e.lanes]
        for (lane, opt), (s, seed) in itertools.product(enumerate(lanes), enumerate(seeds)):
            alone, batch = line(jax.random.key(seed)), tuple(x[now[0, s]] for x in points())
            value, grads = jax.value_and_grad(squares)(alone, batch)
            asked_for = {"value": value, "grad": grads, "value_fn": functools.partial(squares, batch=batch)}
            updates, _ = opt.update(grads, opt.init(alone), alone, **asked_for)
            for got, want in zip(
                jax.tree.leaves(track.blocks[0].carry.params),
                jax.tree.leaves(apply_updates(alone, updates)),
                strict=True,
            ):
                bound = 32 * np.spacing(np.abs(want).max())
                np.testing.assert_allclose(got[s, lane], want, rtol=0, atol=bound, err_msg=str(opt))
            np.testing.assert_allclose(losses[lane, s, 0], value, rtol=32 * 2.0**-23)

    def test_those_of_a_function_follow_it_for_many_steps(self):
        result = quiet(valley, START, optimizers=[momentum()], lrs=[0.1, 0.01], steps=29, prune=None)
        params, opt = START, momentum(lr=0.1)
        state = opt.init(params)
        for step in range(29):
            np.testing.assert_allclose(result.losses[0, 0, step], valley(params), rtol=1e-4)
            updates, state = opt.update(jax.grad(valley)(params), state, params)
            params = apply_updates(params, updates)
        np.testing.assert_allclose(result.scores[0, 0], valley(params), rtol=1e-4)

    def test_after_pruning_go_on_where_they_were(self):
        kwargs = {"optimizers": ["adam", "sgd", "adagrad"], "lrs": (1e-3, 1e-1, 9), "steps": 240, "batch_size": 10}
        pruned, full = (quiet(squares, line, points(), seeds=2, prune=prune, **kwargs) for prune in ("halving", None))
        there = np.isfinite(pruned.losses)
        np.testing.assert_allclose(pruned.losses[there], full.losses[there], rtol=1e-3, atol=1e-6)
        assert sorted(set(pruned.reached)) == [40, 80, 240]
        assert np.array_equal(there.all(1).sum(-1), pruned.reached)
        assert pruned.lane_steps <= 0.5 * full.lane_steps

    def test_of_a_block_and_of_all_together_are_the_same(self):
        results = [
            quiet(
                squares, line, points(), ["adam", "lion"], lrs=(1e-3, 1e-1, count), seeds=(1,), steps=48, batch_size=5
            )
            for count in (3, 270)
        ]
        np.testing.assert_allclose(results[0].losses[[0, 2]], results[1].losses[[0, 269]], rtol=1e-4)

    @pytest.mark.parametrize(
        "opt",
        [
            chain(clip_by_global_norm(1.0), adam(lr=schedules.cosine(0.3, steps=30))),
            average(momentum(lr=0.5), ema=0.9),
            chain(add_noise(0.1), sgd()),
            partition({"x": sgd(0.1), "rest": adam(0.05)}, {"x": "x", "rest": "*"}),
        ],
        ids=["schedule", "average", "noise", "partition"],
    )
    def test_go_through_what_stands_around_a_rule(self, opt):
        result = quiet(valley, START, optimizers={"mine": opt}, lrs=[0.01, 0.1, 0.3], steps=30)
        assert result.best.name == opt.name
        assert result.best.factory is opt.factory
        assert result.rows[0].score < valley(START)

    def test_scale_several_rates_alike_and_give_a_schedule_its_largest(self):
        mixed = partition({"x": sgd(0.1), "rest": adam(0.05)}, {"x": "x", "rest": "*"})
        (e,) = enter({"mixed": mixed}, [0.2], 10)
        rates = {opt.name: opt.arguments["lr"] for opt in e.lanes[0].children}
        assert rates == {"sgd": 0.2, "adam": 0.1}
        (e,) = enter(sgd(schedules.linear(0.5, 0.0, 10)), [0.2], 10)
        np.testing.assert_allclose(e.lanes[0].arguments["lr"](jnp.arange(0, 11, 5)), [0.2, 0.1, 0.0], rtol=1e-6)
        falling = sgd(schedules.linear(0.5, 0.0, 30))
        result = quiet(valley, START, None, {"sgd": falling}, [0.1, 0.5], steps=30, prune=None)
        assert result.lanes[1].opt == falling

    def test_take_along_a_decay_that_has_the_rate_of_the_rule_and_no_other(self):
        for decay, expected in ((weight_decay(0.1, 0.01), 0.2), (weight_decay(0.1), 1.0)):
            (e,) = enter(chain(momentum(0.01), decay), [0.2], 10)
            assert [part.arguments["lr"] for part in e.lanes[0].children] == [0.2, expected]
        (e,) = enter(adamw(schedules.linear(0.5, 0, 10), decay="independent", peak_lr=0.5), [0.2], 10)
        assert e.lanes[0].arguments["peak_lr"] == pytest.approx(0.2)

    def test_sweep_other_numbers_too(self):
        opt = adamw(weight_decay=jnp.array([0.0, 0.1]))
        result = quiet(valley, START, optimizers=opt, lrs=[0.1, 0.2, 0.3], steps=20)
        assert [lane.call for lane in result.lanes[2:4]] == [
            "jaxopt_lite.adamw(lr=0.3, weight_decay=0.0)",
            "jaxopt_lite.adamw(lr=0.1, weight_decay=0.1)",
        ]
        own = quiet(valley, START, optimizers=adam(lr=np.array([0.1, 0.5])), steps=20)
        np.testing.assert_allclose([lane.lr for lane in own.lanes], [0.1, 0.5])
        np.testing.assert_allclose(
            own.losses[1, 0, -1], quiet(valley, START, None, adam(), [0.5], steps=20).losses[0, 0, -1]
        )

    def test_take_optaxs_optimizers(self):
        optax = pytest.importorskip("optax")
        rivals = {"ours": momentum(), "optax's": lambda lr: from_optax(optax.sgd(lr, momentum=0.9))}
        result = quiet(valley, START, None, rivals, RATES, steps=40, prune=None)
        np.testing.assert_allclose(result.losses[:4], result.losses[4:], rtol=1e-4, atol=1e-6)
        alone = quiet(valley, START, None, {"fixed": from_optax(optax.sgd(0.1))}, steps=10)
        assert len(alone.lanes) == 1
        assert "its own" in alone.table()

    def test_of_complex_parameters_go_downhill(self):
        result = quiet(lambda p: jnp.abs(p["z"] - 2j) ** 2, {"z": 1.0 + 0j}, None, ["sgd"], [0.1], steps=50)
        assert result.scores[0, 0] < 1e-6

    def test_pass_on_what_rules_ask_for(self):
        optax = pytest.importorskip("optax")
        polyak = from_optax(optax.polyak_sgd(max_learning_rate=1.0))
        assert quiet(valley, START, None, {"polyak": polyak}, steps=50).scores[0, 0] < 0.1


class TestRanking:
    def test_names_the_winner_and_the_line_to_paste(self, capsys):
        result = race(valley, START, optimizers=["sgd", "adam"], lrs=(1e-3, 1.0, 4), steps=100, show="plain")
        out = capsys.readouterr().out
        assert out.splitlines()[-1] == result.line == f"opt = {result.lanes[result.rows[0].lane].call}"
        opt = eval(result.line.removeprefix("opt = "))
        assert opt == result.best
        assert str(result) in out

    @pytest.mark.parametrize(
        "opt",
        [
            adam(lr=schedules.step(0.5, 0.1, at=(10, 40))),
            sgd(lr=0.5 - schedules.cosine(0.25, steps=40) / 2),
            partition({"x": sgd(0.1), "rest": adamw(weight_decay=0.2)}, {"x": "x", "rest": "*"}),
            chain(clip_by_global_norm(1.0), momentum(0.3)),
        ],
        ids=lambda opt: opt.name,
    )
    def test_the_line_to_paste_makes_the_optimizer(self, opt):
        assert eval(call_of(opt), {"jaxopt_lite": jaxopt_lite}) == opt

    def test_says_that_the_best_rate_is_at_the_edge(self):
        result = quiet(valley, START, None, ["sgd"], lrs=(1e-4, 1e-2, 3), steps=50)
        assert result.rows[0].edge == "high"
        assert "highest lr: widen" in result.table()

    def test_counts_the_decades_that_are_nearly_as_good(self):
        result = quiet(lambda p: p["x"] ** 2 + 1, {"x": 0.1}, None, ["sgd"], lrs=(1e-4, 1e-1, 4), steps=20, prune=None)
        assert result.rows[0].decades == pytest.approx(3)

    def test_draws_scores_as_lines_between_the_rates(self):
        def race_of(*losses):
            lanes = tuple(Lane("sgd", lr, "", 4) for lr in (0.01, 0.1, 1.0))
            losses = np.array(losses, float)[:, None, None] * np.ones((3, 1, 10))
            nothing = np.empty((3, 1, 0))
            return Result(lanes, losses, nothing, np.array([]), np.full(3, 10), evaluated=False, steps=10)

        assert race_of(2.0, 1.0, 1.5).rows[0].decades == pytest.approx(0.1 + 0.2)
        assert race_of(1.0, 1.05, 2.0).rows[0].decades == pytest.approx(1 + 0.05 / 0.95)
        assert race_of(1.0, 0.99, 1.0).rows[0].decades == pytest.approx(2)

    def test_tells_ties_by_a_paired_bootstrap(self):
        rng = np.random.default_rng(0)
        a, noise = rng.normal(size=10), 0.1 * rng.normal(size=10)
        assert tie(a, a + noise - noise.mean())
        assert not tie(a, a + 1 + noise)
        assert tie(a[:1], a[:1])
        assert not tie(a[:1], a[:1] + 1e-6)
        assert not tie(a, a * np.nan)

    def test_smooths_a_curve_by_running_means_however_long_it_is(self):
        rng = np.random.default_rng(0)
        for count, window in ((500, 10), (500, 1), (500, 500), (501, 50), (1, 1)):
            x = rng.normal(size=count)
            expected = np.convolve(x, np.full(window, 1 / window), "valid")
            np.testing.assert_allclose(running_mean(x, window), expected, rtol=1e-12, atol=1e-14)
        ramp = running_mean(np.arange(1_000_000, dtype=np.float32), 20_000)
        np.testing.assert_allclose(ramp, np.arange(980_001) + 9999.5, rtol=1e-15)

    def test_smooths_without_a_trace_of_what_lies_outside_of_the_window(self):
        falling = np.concatenate([[np.nan], np.full(9, 1e30), np.full(20, 1e-9)])
        np.testing.assert_allclose(running_mean(falling, 5)[10:], 1e-9, rtol=1e-12)
        assert np.isnan(running_mean(falling, 5)).sum() == 1

    def test_gives_equals_the_same_place(self):
        result = quiet(valley, START, None, {"a": sgd(), "b": sgd(), "c": adam()}, [0.1], steps=30)
        assert [(row.name, row.place, row.tied) for row in result.rows] == [
            ("c", 1, False), ("a", 2, True), ("b", 2, True),
        ]  # fmt: skip

    @pytest.mark.usefixtures("broadcasts")
    def test_takes_the_highest_where_more_is_better(self):
        task = two_layer_net(digits(), hidden=8)

        result = quiet(**task, optimizers=["adam"], lrs=(1e-4, 1e-1, 4), steps=100)
        assert result.rows[0].lane == result.scores.mean(1).argmax()
        assert result.rows[0].score > 0.7
        assert result.rows[0].to_target is not None

    def test_takes_counts_too(self):
        result = quiet(
            valley, START, None, ["sgd"], [0.1], steps=24, eval=lambda p: jnp.sum(jnp.abs(p["x"]) > 1), mode="max"
        )
        assert result.scores[0, 0] == 1

    def test_is_by_the_training_loss_without_an_eval(self):
        result = quiet(squares, line, points(), ["sgd"], [0.1, 0.01], steps=100, batch_size=10, prune=None)
        assert not result.evaluated
        np.testing.assert_allclose(result.scores, result.losses[..., -10:].mean(-1))

    def test_counts_the_steps_to_a_target(self):
        result = quiet(valley, START, None, ["sgd"], [0.1], steps=240, target=1.0)
        steps, values = result.curves["sgd"][0.1]
        assert result.rows[0].to_target == steps[np.argmax(values <= 1.0)]
        assert result.aim == 1.0


class TestTrouble:
    def test_a_lane_that_diverges_is_named_and_taken_out(self):
        result = quiet(valley, START, None, ["sgd"], lrs=[1e-2, 1e-1, 1e3], steps=120, prune="diverged")
        assert list(result.diverged) == [False, False, True]
        assert result.reached[2] < 120 == result.reached[0]
        assert result.rows[0].diverged == 1
        assert result.best == sgd(lr=0.1)

    def test_where_all_diverge_none_is_best(self):
        result = quiet(valley, START, None, ["sgd"], lrs=[1e3, 1e4], steps=120)
        assert "every lane had diverged" in result.stopped
        assert "none is best; try lower learning rates" in result.table()
        with pytest.raises(ValueError, match="every lane diverged"):
            result.best  # noqa: B018

    def test_a_loss_that_raises_raises(self):
        def broken(params):
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            quiet(broken, START)

    def test_a_budget_stops_it(self):
        result = quiet(valley, START, None, ["sgd", "adam"], steps=10**7, budget=2.0)
        assert "the budget of 2 s was spent" in result.stopped
        assert 0 < result.reached.max() < 10**7
        assert result.rows[0].score <= valley(START)

    def test_a_hook_sees_every_chunk_and_may_stop_it(self):
        seen = []

        def stop_at_ten(result):
            seen.append(result.reached.max())
            if len(seen) == 10:
                raise KeyboardInterrupt

        result = quiet(valley, START, None, ["sgd"], steps=2400, on_chunk=stop_at_ten)
        assert seen == sorted(set(seen))
        assert result.stopped == f"interrupted after {seen[-1]} steps"
        assert result.rows[0].name == "sgd"

    def test_a_hook_that_raises_raises(self):
        with pytest.raises(ZeroDivisionError):
            quiet(valley, START, None, ["sgd"], on_chunk=lambda result: 1 / 0)

    def test_batches_that_end_end_it(self):
        x, t = points()
        result = quiet(squares, line, ((x[i : i + 10], t[i : i + 10]) for i in range(0, 40, 10)), ["sgd"], [0.1])
        assert result.stopped == "the data ended after 4 steps"
        assert list(result.reached) == [4]

    @pytest.mark.parametrize("data", [[], iter(())])
    def test_no_batches_at_all_are_refused(self, data):
        with pytest.raises(ValueError, match="race: data has no batches; an iterator that has been used up"):
            quiet(squares, line, data, ["sgd"], [0.1])

    def test_stopped_before_the_first_mark_it_goes_by_the_loss(self):
        def stop(result):
            raise KeyboardInterrupt

        result = quiet(
            squares, line, points(), ["sgd"], [0.01, 1e8], steps=2400, eval=lambda p, d: -squares(p, d), mode="max",
            target=0.5, on_chunk=lambda result: stop(result) if result.reached.max() > 2 else None,
        )  # fmt: skip
        if result.reached.max() < 100:
            assert not result.evaluated
            assert (result.mode, result.target) == ("min", None)
        assert result.rows[0].lr == 0.01

    def test_large_batches_are_not_kept_by_the_dozen(self):
        batches = [(np.ones((1000, 9000), np.float32), np.ones(1000, np.float32))]  # 36 MB
        start = {"w": np.zeros(9000, np.float32), "b": np.float32(0)}
        result = quiet(squares, start, batches, ["sgd"], [1e-5], steps=48)
        assert result.reached[0] == 48

    def test_batches_in_a_list_start_again(self):
        x, t = points()
        batches = [(x[i : i + 10], t[i : i + 10]) for i in range(0, 50, 10)]
        result = quiet(squares, line, batches, ["sgd"], [0.1], steps=60)
        assert list(result.reached) == [60]
        assert result.scores[0, 0] < 1e-3

    def test_every_example_comes_once_an_epoch(self):
        drawn = batches_of(np.arange(10), 5, (0, 1)).take(4)
        assert drawn.shape == (4, 2, 5)
        for seed in (0, 1):
            assert sorted(drawn[:2, seed].ravel()) == sorted(drawn[2:, seed].ravel()) == list(range(10))
        assert not np.array_equal(drawn[:, 0], drawn[:, 1])

    def test_one_array_is_data_and_a_numpy_integer_a_number(self):
        x, _ = points()
        result = quiet(
            lambda p, x: jnp.mean((x @ p - 1) ** 2), np.zeros(3, np.float32), x, ["sgd"], [0.1],
            steps=np.int64(30), seeds=np.int64(2), batch_size=np.int64(10),
        )  # fmt: skip
        assert result.scores.shape == (1, 2)

    def test_all_examples_at_every_step(self):
        result = quiet(squares, line, points(), ["sgd"], [0.1], steps=5, batch_size="all", seeds=2)
        first = line(jax.random.key(1))
        np.testing.assert_allclose(result.losses[0, 1, 0], squares(first, points()), rtol=1e-5)

    def test_five_hundred_lanes(self):
        result = quiet(squares, line, points(), ["adam", "sgd"], lrs=(1e-4, 1.0, 250), steps=48, batch_size=10)
        assert len(result.lanes) == 500
        assert (result.reached == 48).sum() == 2 * 84
        assert len(result.table().splitlines()) == 6

    @pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.slow)])
    def test_many_leaves(self, count):
        params = {f"{i:03}": np.full((2,), 1.0, np.float32) for i in range(count)}
        result = quiet(
            lambda p: sum(jnp.sum(x**2) for x in p.values()), params, None, ["sgd"], [0.1, 0.2, 0.4], steps=24
        )
        assert result.best == sgd(lr=0.4)

    def test_a_step_is_enough(self):
        result = quiet(valley, START, steps=1)
        assert result.scores.shape == (36, 1)

    def test_ctrl_c_leaves_the_table(self, tmp_path):
        """A real process, and a real signal, once it has said that it is on its way."""
        task = tmp_path / "slow.py"
        task.write_text("def loss(params):\n    return params['x'] ** 2\n\nparams = {'x': 1.0}\nsteps = 10**8\n")
        command = [sys.executable, "-u", Path(__file__).with_name("scripts") / "race_that_speaks.py", task]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            assert process.stdout.readline() == "compiling 4 optimizers in one program\n"
            assert process.stdout.readline() == "going\n"
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=100)
        assert process.returncode == 0
        assert "interrupted after" in out
        assert re.match(r"no verdict: the race stopped after \d+ of 100000000 steps", out.splitlines()[-1])


def closeness(params, data):
    return -squares(params, data)


def last_lines(result, count):
    return result.table().splitlines()[-count:]


SHORT = {
    "schedules.constant(value=0.03)": schedules.constant(1.0),
    "schedules.linear(start=0.03, end=0.003, steps=100)": schedules.linear(1.0, 0.1, 100),
    "schedules.exponential(start=0.03, rate=0.5, steps=10)": schedules.exponential(1.0, 0.5, 10),
    "schedules.cosine(start=0.03, steps=100)": schedules.cosine(1.0, 100),
    "schedules.one_cycle(peak=0.03, steps=100)": schedules.one_cycle(1.0, 100),
    "schedules.warmup(steps=10, then=jaxopt_lite.schedules.cosine(start=0.03, steps=100))": schedules.warmup(
        10, schedules.cosine(1.0, 100)
    ),
    "schedules.scale(schedule=jaxopt_lite.schedules.cosine(start=1.0, steps=10), factor=0.015)": 0.5
    * schedules.cosine(1.0, 10),
    "schedules.scale(schedule=…, factor=0.03)": lambda t: 1 / (1 + t),
}


@pytest.mark.parametrize("call", SHORT)
def test_a_schedule_at_another_rate_is_pasted_as_one_would_write_it(call):
    schedule = SHORT[call]
    scaled = _scaled(schedule, 0.03)
    assert call_of(scaled) == f"jaxopt_lite.{call}"
    steps = jnp.arange(200)
    np.testing.assert_allclose(scaled(steps), 0.03 * schedule(steps), rtol=1e-5)


class TestVerdict:
    def test_says_which_way_is_better_and_what_is_measured(self):
        result = quiet(
            squares, line, points(), ["sgd"], [0.001, 0.01], steps=48, batch_size=10, eval=closeness, mode="max"
        )
        assert (result.judged_by, result.measure, result.better) == ("closeness", "closeness", "higher is better")
        assert "; score: closeness, higher is better; " in result.table()
        labels = {picture.axes[0].get_ylabel() for picture in (result.plot(), result.plot_lr())}
        assert labels == {"closeness (higher is better)"}
        named = quiet(
            squares, line, points(), ["sgd"], [0.1], steps=48, batch_size=10,
            eval=squares, mode="min", metric="error",
        )  # fmt: skip
        assert (named.judged_by, named.better) == ("error", "lower is better")
        assert quiet(squares, line, points(), ["sgd"], [0.1], steps=48).judged_by == "training loss"

    def test_seeds_are_five_where_something_varies_with_them(self):
        assert quiet(squares, line, points(), ["sgd"], [0.1], steps=24, batch_size=10).seeds == (0, 1, 2, 3, 4)
        assert quiet(valley, START, None, ["sgd"], [0.1], steps=24).seeds == (0,)
        assert quiet(valley, lambda key: START, None, ["sgd"], [0.1], steps=24).seeds == (0, 1, 2, 3, 4)

    def test_rates_are_chosen_by_one_part_of_the_data_and_scored_by_another(self):
        """Towards 1 for validation, towards 3 for the score: the rate that comes close to 1 is chosen."""

        def distance(params, target):
            return jnp.abs(params["x"][0] - target)

        def loss(params):
            return (params["x"][0] - 4.0) ** 2

        result = quiet(
            loss, {"x": jnp.zeros(1)}, None, ["sgd"], [0.0005, 0.006, 0.05], steps=24,
            eval=distance, eval_data=1.0, test_data=3.0, mode="min", prune=None,
        )  # fmt: skip
        (row,) = result.rows
        assert row.lr == 0.006
        assert (
            row.score == pytest.approx(float(result.tested[1, 0])) == pytest.approx(3 - 4 * (1 - 0.988**24), rel=1e-4)
        )
        assert result.judged_by == "test distance"
        assert "rates chosen by validation distance" in result.table()

    def test_the_result_keeps_what_was_tested(self, tmp_path, broadcasts):
        result = quiet(**two_layer_net(digits(), hidden=4), optimizers=["sgd"], lrs=[0.1], steps=24, seeds=2)
        result.save(tmp_path / "race.npz")
        loaded = load(tmp_path / "race.npz")
        np.testing.assert_array_equal(loaded.tested, result.tested)
        assert loaded.verdict == result.verdict
        assert loaded.judged_by == "test accuracy"

    def test_names_those_that_cannot_be_told_apart(self):
        result = quiet(squares, line, points(), {"a": sgd(0.1), "b": sgd(0.1)}, None, steps=48, batch_size=10)
        assert result.verdict == "no clear winner between a and b"
        assert result.line == "opt = jaxopt_lite.sgd(lr=0.1)  # level with b"
        assert last_lines(result, 2) == [result.verdict, result.line]

    def test_one_seed_says_what_means_nothing(self):
        both = ["sgd", "momentum"]
        result = quiet(squares, line, points(), both, [0.1], steps=240, batch_size=10, seeds=1)
        steps, values = result.curves[result.rows[0].name][0.1]
        moved = np.ptp(values[-(len(steps) // 3) :])
        assert f"1 seed: differences below {moved:.2g} mean nothing" in result.verdict

    def test_the_edge_of_the_grid_is_in_it(self):
        result = quiet(valley, START, None, ["sgd"], [0.001, 0.01, 0.1], steps=48)
        assert result.rows[0].edge == "high"
        assert result.verdict.endswith("; at the grid's highest rate: widen it")

    def test_there_is_none_before_lanes_are_judged(self):
        result = quiet(valley, START, None, ["sgd", "adam"], [0.1], steps=10**6, budget=1e-9)
        reached = result.reached.max()
        assert result.verdict == f"no verdict: the race stopped after {reached} of 1000000 steps"
        with pytest.raises(ValueError, match=rf"^race: {result.verdict}$"):
            result.line  # noqa: B018 - it raises
        assert last_lines(result, 1) == [result.verdict]
        assert "1=" not in result.table()
        assert "widen" not in result.table()

    def test_a_loss_that_is_nan_from_the_start_says_so(self):
        x, t = points()
        result = quiet(squares, line, (np.nan * x, t), ["sgd"], [0.1], steps=48, batch_size=10)
        assert result.verdict.startswith("every lane diverged: the loss is not finite before any step")

    def test_decades_are_at_least_those_between_lanes_that_ran_to_the_end(self):
        def arrived(params):
            return jnp.where(jnp.abs(params["x"][0]) < 0.1, 1.0, 0.0)

        rates = np.geomspace(0.1, 0.4, 9)
        pruned, whole = (
            quiet(
                lambda p: p["x"][0] ** 2, {"x": jnp.ones(1)}, None, ["sgd"], rates, steps=48,
                eval=arrived, mode="max", prune=prune,
            )
            for prune in ("halving", None)
        )  # fmt: skip
        assert whole.rows[0].decades == pytest.approx(np.log10(4))
        assert not whole.rows[0].at_least
        assert pruned.rows[0].decades < 0.5
        assert pruned.rows[0].at_least
        assert f"{pruned.rows[0].decades:.1f}+" in pruned.table()

    def test_interrupted_while_it_compiles_it_says_so(self, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(Track, "_compile", interrupted)
        with pytest.raises(KeyboardInterrupt, match=r"^race: interrupted while it compiled, before the first step$"):
            quiet(valley, START, None, ["sgd"], [0.1], steps=24)


@pytest.fixture(scope="module")
def result():
    lrs = [1e-3, 1e-2, 1e-1, 1e4]
    return quiet(squares, line, points(), ["sgd", "adam"], lrs, seeds=(3, 5), steps=96, batch_size=10)


class TestResult:
    def test_shows_itself_in_a_notebook(self, result):
        assert repr(result) == f"a race of 2 optimizers: {result.verdict}"
        assert result._repr_html_().count('<img src="data:image/png;base64,') == 2
        assert repr(result.table()) == str(result)
        page = result.report()
        assert page._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;')
        assert len(repr(page)) < 40

    def test_saves_and_loads(self, result, tmp_path):
        result.save(tmp_path / "race.npz")
        loaded = load(tmp_path / "race.npz")
        assert str(loaded) == str(result)
        np.testing.assert_array_equal(loaded.losses, result.losses)
        with pytest.raises(ValueError, match=r"only how they are made: jaxopt_lite\."):
            loaded.best  # noqa: B018
        for content in (b"no result", b"", b"PK\x03\x04 cut off"):
            (tmp_path / "other.npz").write_bytes(content)
            with pytest.raises(ValueError, match=r"other.npz is no result of a race"):
                load(tmp_path / "other.npz")

    def test_writes_a_line_for_each_lane_and_seed(self, result, tmp_path):
        result.to_csv(tmp_path / "race.csv")
        lines = (tmp_path / "race.csv").read_text().splitlines()
        assert lines[0] == "name,lr,seed,steps,score,diverged,call"
        assert len(lines) == 1 + 8 * 2
        assert [line.split(",")[2] for line in lines[1:3]] == ["3", "5"]

    def test_is_drawn(self, result, tmp_path):
        (axes,) = result.plot(tmp_path / "curves.png").axes
        assert {text.get_text() for text in axes.figure.legends[0].get_texts()} == {
            f"{row.name}, lr {row.lr:g}" for row in result.rows
        }
        (axes,) = result.plot_lr(tmp_path / "rates.svg").axes
        assert axes.get_xscale() == "log"
        assert (tmp_path / "curves.png").stat().st_size > 5000
        assert (tmp_path / "rates.svg").stat().st_size > 5000

    def test_is_shown_by_rich(self, result, capsys):
        pytest.importorskip("rich")
        again = race(valley, START, None, ["sgd"], [0.1], steps=24, show="live")
        out = capsys.readouterr().out
        assert "┃" in out
        assert out.rstrip().endswith(again.line)

    def test_is_drawn_less_often_where_drawing_takes_long(self, monkeypatch):
        clock, drawn = [0.0], []

        def draw(result):
            drawn.append((result, clock[0]))
            clock[0] += 2.0

        monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
        look = now_and_then(draw)
        for second in range(45):
            clock[0] = max(clock[0], float(second))
            look("table")
        assert [at for _, at in drawn] == [0, 20, 40]

    def test_names_are_no_markup(self, capsys):
        pytest.importorskip("rich")
        race(valley, START, None, {"adam [/x]": "adam"}, [0.1], steps=24, show="live")
        assert "[/x]" in capsys.readouterr().out

    def test_says_whom_to_take_where_nobody_knows_how_it_was_made(self):
        optax = pytest.importorskip("optax")
        by_rate = quiet(valley, START, None, {"optax's": lambda lr: from_optax(optax.sgd(lr))}, [0.1], steps=24)
        assert by_rate.line == "opt = result.best  # optax's at 0.1"
        fixed = quiet(valley, START, None, from_optax(optax.sgd(0.1)), steps=24)
        assert fixed.line == "opt = result.best  # jaxopt_lite.from_optax(tx=…)"

    def test_keeps_the_best_lane_of_a_rate_that_several_have(self):
        swept = adamw(weight_decay=jnp.array([10.0, 0.0]))
        result = quiet(valley, START, None, swept, [0.1, 0.5], steps=48, prune=None)
        for lr, (_, values) in result.curves["adamw"].items():
            lanes = [i for i, lane in enumerate(result.lanes) if lane.lr == lr]
            assert values[-1] == pytest.approx(result.scores[lanes].mean(-1).min())

    def test_does_not_change_while_the_race_goes_on(self):
        kept = []
        quiet(valley, START, None, ["sgd"], [0.1, 0.2, 0.3], steps=48, on_chunk=kept.append)
        assert [result.losses.shape[-1] for result in kept] == [result.reached.max() for result in kept]
        assert len({id(result) for result in kept}) > 10


class Pair(NamedTuple):
    """What optax's optimizers look like."""

    init: Any
    update: Any


WRONG = {
    "no optimizer": ({"optimizers": ["nope"]}, "race: there is no optimizer 'nope'; there are adabelief, "),
    "none": ({"optimizers": []}, "race: optimizers is empty"),
    "a transform": ({"optimizers": {"c": clip_by_global_norm(1.0)}}, r"race: optimizers\['c'\] has a transform, where"),
    "a transform's factory": ({"optimizers": [clip_by_global_norm]}, "race: optimizers has .* where a name or"),
    "uphill": ({"optimizers": sgd(-0.1)}, "race: sgd has no positive learning rate"),
    "no function of lr": ({"optimizers": {"f": lambda lr: lr}}, "race: f must return an optimizer, not "),
    "lrs of nobody": ({"lrs": {"adam": [0.1]}}, "race: lrs has adam, and the optimizers are sgd, "),
    "a pair": ({"lrs": (0.1, 1.0)}, r"race: lrs as a tuple is \(lowest, highest, how many\)"),
    "falling": ({"lrs": (1.0, 0.1, 3)}, "race: lrs must be positive and rise"),
    "zero": ({"lrs": [0.0]}, "race: lrs must be positive numbers"),
    "lengths": (
        {"optimizers": adamw(weight_decay=np.ones(2), eps=np.ones(3))},
        "race: the arrays in adamw must be vectors of one length",
    ),
    "optax's": ({"optimizers": Pair(None, None)}, r"race: optimizers has .*; from_optax\(…\) makes one of optax's"),
    "eval_data": ({"eval_data": points()}, "race: eval_data is given, and there is neither data nor eval"),
    "steps": ({"steps": 0}, "race: steps and seeds must be at least 1"),
    "seeds": ({"seeds": 2}, "race: 2 seeds, and nothing varies with them"),
    "mode": ({"mode": "best"}, "race: mode must be one of 'min', 'max', not 'best'"),
    "prune": ({"prune": "all"}, "race: prune must be one of 'halving'"),
    "budget": ({"budget": 0}, "race: budget must be a positive number of seconds"),
    "show": ({"show": "loud"}, "race: show must be one of"),
    "batch size": ({"batch_size": 5}, "race: batch_size is 5, and there is no data"),
    "small data": ({"data": points(), "batch_size": 51}, "race: batch_size is 51, and data has 50 examples"),
    "uneven data": ({"data": (np.ones(2), np.ones(3))}, "race: the arrays in data must be of one length"),
    "no data": ({"data": 7}, "race: data must be arrays, an iterable of batches, or None, not 7"),
    "ragged": (
        {"loss": squares, "params": line, "data": [points(4), points(3)]},
        r"race: a batch has the shapes \(3, 3\), \(3,\), where the first was another; leave out what",
    ),
    "vector": ({"loss": lambda p: jnp.ones(3) * p["x"]}, r"race: loss must return one real number, not float32\[3\]"),
    "eval": ({"eval": lambda p: (p["x"], 1), "mode": "min"}, "race: eval must return one real number, not "),
    "eval without mode": (
        {"eval": lambda p: p["x"]},
        "race: eval is given without mode; it is 'max' for an accuracy, and 'min' for a loss",
    ),
    "test data without eval": ({"test_data": 1.0}, "race: test_data is given without eval, which would take it"),
    "params": ({"params": {"x": 1}}, "params"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_refused_in_a_sentence(case):
    kwargs, sentence = WRONG[case]
    with pytest.raises((TypeError, ValueError), match=sentence):
        race(**{"loss": valley, "params": START, "steps": 12, "show": None} | kwargs)


def test_runs_under_double_precision(x64):
    result = quiet(valley, START, None, ["adam"], [0.1, 0.3, 0.5], steps=60)
    assert result.losses.dtype == np.float64
