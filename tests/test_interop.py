"""Other people's training loops take these optimizers as they stand, and theirs stand in ours."""

import functools
import itertools

import chex
import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx, serialization
from flax.training.train_state import TrainState
from quick import some_slow

from jaxopt_lite import (
    accumulate,
    adam,
    adamw,
    apply_updates,
    average,
    averaged_params,
    chain,
    clip_by_global_norm,
    evaluation_params,
    find,
    freeze,
    from_optax,
    lookahead,
    partition,
    perturbed_params,
    reduce_on_plateau,
    registry,
    sam,
    schedule_free_sgd,
    schedules,
    sgd,
    skip_nonfinite,
    skip_spikes,
    to_optax,
    train_step,
    transform_from_optax,
)
from jaxopt_lite.testing.problems import quadratic, update

PARAMS = {"w": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(0.5)}

X = jax.random.uniform(jax.random.key(0), (64, 2), minval=-2, maxval=2)
Y = jnp.sin(X[:, :1]) * X[:, 1:]  # its mean square, the error of a model that predicts 0, is 0.87


def error(predict):
    return jnp.mean((predict(X) - Y) ** 2)


def expected(opt, steps=3):
    params, state = PARAMS, opt.init(PARAMS)
    for _ in range(steps):
        updates, state = update(opt, params, state, params)
        params = apply_updates(params, updates)
    return params


# flax's own step has nothing but gradients to give.
OF_GRADIENTS_ALONE = [name for name, entry in registry.items() if not {"value", "grad", "value_fn"} & {*entry.needs}]


@pytest.mark.parametrize("name", some_slow(OF_GRADIENTS_ALONE, ["adam", "soap"]))
def test_flax_train_state(name):
    opt = registry[name].build()
    state = TrainState.create(apply_fn=None, params=PARAMS, tx=opt)
    for _ in range(3):
        state = jax.jit(lambda state: state.apply_gradients(grads=state.params))(state)
    chex.assert_trees_all_close(state.params, expected(opt), rtol=1e-6)


@pytest.mark.parametrize("name", some_slow(registry, ["adam", "polyak_sgd"]))
def test_optax_chain(name):
    opt = registry[name].build()
    chained = optax.chain(optax.clip(10.0), opt if name in OF_GRADIENTS_ALONE else to_optax(opt))
    params, state = PARAMS, chained.init(PARAMS)
    for _ in range(3):
        updates, state = chained.update(params, state, params, value=1.0, grad=params, value_fn=quadratic)
        params = optax.apply_updates(params, updates)
    chex.assert_trees_all_close(params, expected(opt), rtol=1e-6)


def test_nnx_optimizer():
    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    before = jax.tree.map(jnp.array, nnx.state(model))
    optimizer = nnx.Optimizer(model, adam(lr=0.1), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer):
        optimizer.update(model, nnx.grad(lambda model: jnp.sum(model(jnp.ones((1, 2)))))(model))

    step(model, optimizer)
    moved = jax.tree.map(lambda a, b: a - b, nnx.state(model), before)
    chex.assert_trees_all_close(moved, jax.tree.map(lambda x: jnp.full_like(x, -0.1), before), rtol=1e-4)


def test_optax_schedules_are_schedules():
    schedule = optax.cosine_decay_schedule(0.1, decay_steps=3)
    opt, state = adam(lr=schedule), adam().init(PARAMS)
    for count in range(4):
        by_number, _ = adam(lr=float(schedule(count))).update(PARAMS, state)
        updates, state = opt.update(PARAMS, state)
        chex.assert_trees_all_close(updates, by_number, rtol=1e-5)


class LinenMLP(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.tanh(nn.Dense(16)(x)))


class NormedMLP(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(nn.tanh(nn.BatchNorm(use_running_average=False)(nn.Dense(16)(x))))


class TestSAMWithBatchNorm:
    """Within jit and lax.scan, however the second gradient is taken, of the same batch and of another."""

    VARIABLES = NormedMLP().init(jax.random.key(0), X)
    START = VARIABLES["params"], VARIABLES["batch_stats"]
    BATCHES = jax.random.normal(jax.random.key(1), (5, 16, 2))

    @staticmethod
    def loss(params, stats, x):
        y, new = NormedMLP().apply({"params": params, "batch_stats": stats}, x, mutable=["batch_stats"])
        return jnp.mean((y - jnp.sin(x[:, :1]) * x[:, 1:]) ** 2), new["batch_stats"]

    def gradient(self, *given):
        return jax.grad(self.loss, has_aux=True)(*given)

    def trained(self, opt, update, others):
        """Parameters and statistics after steps of ``update``, which gives the updates, the state, the statistics."""

        def step(carry, batches):
            (params, stats), state = carry
            updates, state, stats = update(params, stats, state, *batches)
            return ((apply_updates(params, updates), stats), state), None

        scan = jax.jit(lambda start, batches: jax.lax.scan(step, start, batches))
        (end, _), _ = scan((self.START, opt.init(self.START[0])), (self.BATCHES, others))
        return end

    def by_hand(self, second_statistics, others):
        def update(params, stats, state, x, other):
            grads, new = self.gradient(params, stats, x)
            length = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(grads)))
            there = jax.tree.map(lambda p, g: p + 0.2 * g / length, params, grads)
            grads, there_new = self.gradient(there, stats, other)
            return jax.tree.map(lambda g: -0.1 * g, grads), state, there_new if second_statistics else new

        return self.trained(sgd(), update, others)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    @pytest.mark.parametrize("others", [BATCHES, BATCHES[::-1]], ids=["the same batch", "another batch"])
    def test_by_a_function_of_the_parameters_it_is_the_step_by_hand_and_optaxs(self, others):
        adversary = optax.chain(optax.contrib.normalize(), optax.sgd(0.2))
        ours, theirs = sam(sgd(0.1), rho=0.2), optax.contrib.sam(optax.sgd(0.1), adversary, opaque_mode=True)

        def update(params, stats, state, x, other):
            grads, new = self.gradient(params, stats, x)
            return *ours.update(grads, state, params, value_fn=lambda p: self.loss(p, stats, other)[0]), new

        def their_update(params, stats, state, x, other):
            grads, new = self.gradient(params, stats, x)
            return *theirs.update(grads, state, params, grad_fn=lambda p, i: self.gradient(p, stats, other)[0]), new

        end = self.trained(ours, update, others)
        chex.assert_trees_all_close(end, self.by_hand(False, others), rtol=1e-4, atol=1e-6)
        chex.assert_trees_all_close(end, self.trained(theirs, their_update, others), rtol=1e-4, atol=1e-6)

    def test_in_one_line(self):
        opt = sam(sgd(0.1), rho=0.2)
        params, stats = jax.tree.map(jnp.copy, self.START)
        state, step = opt.init(params), train_step(self.loss, opt, has_aux=True)
        for x in self.BATCHES:
            params, state, (_, stats) = step(params, state, stats, x)
        chex.assert_trees_all_close((params, stats), self.by_hand(False, self.BATCHES), rtol=1e-4, atol=1e-6)

    def test_by_a_gradient_of_ones_own_with_the_statistics_of_the_second_pass(self):
        opt, others = sgd(0.1), self.BATCHES[::-1]

        def update(params, stats, state, x, other):
            grads, _ = self.gradient(params, stats, x)
            grads, new = self.gradient(perturbed_params(params, grads, rho=0.2), stats, other)
            return *opt.update(grads, state, params), new

        end = self.trained(opt, update, others)
        chex.assert_trees_all_close(end, self.by_hand(True, others), rtol=1e-4, atol=1e-6)
        assert not np.allclose(
            jax.tree.leaves(end[1])[0], jax.tree.leaves(self.by_hand(False, others)[1])[0], rtol=1e-4
        )


@pytest.mark.parametrize(
    "name", some_slow(["shampoo", "soap", "kl_soap", "psgd_kron", "adafactor", "sm3"], ["adafactor"])
)
def test_nnx_optimizer_around_states_that_keep_several_arrays_of_each_parameter(name):
    """It keeps a tuple in one variable, and gives a mapping back."""
    opt = registry[name].build()
    model = NNXMLP(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, opt, wrt=nnx.Param)
    graph, params = nnx.split(NNXMLP(nnx.Rngs(0)), nnx.Param)
    params = nnx.as_pure(params)
    state = opt.init(params)
    for _ in range(3):
        optimizer.update(model, nnx.grad(error)(model))
        grads = nnx.as_pure(nnx.state(nnx.grad(error)(nnx.merge(graph, params))))
        updates, state = opt.update(grads, state, params)
        params = apply_updates(params, updates)
    chex.assert_trees_all_close(nnx.as_pure(nnx.state(model, nnx.Param)), params, rtol=1e-6)


def test_what_counts_in_an_nnx_optimizer():
    model = NNXMLP(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, schedule_free_sgd(lr=0.1), wrt=nnx.Param)
    optimizer.update(model, nnx.grad(error)(model))
    state, params = optimizer.opt_state, nnx.state(model, nnx.Param)
    with pytest.raises(ValueError, match=r"of nnx\.Optimizer give nnx\.as_pure of both$"):
        evaluation_params(state, params)
    state, params = nnx.as_pure(state), nnx.as_pure(params)
    chex.assert_trees_all_close(evaluation_params(state, params), state.z, rtol=1e-6)  # after one step


class NNXMLP(nnx.Module):
    def __init__(self, rngs):
        self.first, self.second = nnx.Linear(2, 16, rngs=rngs), nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, x):
        return self.second(nnx.tanh(self.first(x)))


# Each trains a small network of that library's, in its own kind of loop, and returns the loss as a function of the
# parameters, the parameters, and the optimizer's state.


def with_linen(opt, steps):
    model = LinenMLP()
    loss = lambda params: error(lambda x: model.apply(params, x))  # noqa: E731
    state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.key(0), X), tx=opt)

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state):
        return state.apply_gradients(grads=jax.grad(loss)(state.params))

    for _ in range(steps):
        state = step(state)
    assert state.step == steps
    return loss, state.params, state.opt_state


def with_nnx(opt, steps):
    model = NNXMLP(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, opt, wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer):
        optimizer.update(model, nnx.grad(error)(model))

    for _ in range(steps):
        step(model, optimizer)
    graph, params = nnx.split(model, nnx.Param)
    return lambda params: error(nnx.merge(graph, params)), params, optimizer.opt_state


def with_equinox(opt, steps, apply_updates=None):
    eqx = pytest.importorskip("equinox")
    model = eqx.nn.MLP(2, 1, 16, 1, activation=jnp.tanh, key=jax.random.key(0))
    assert any(map(callable, jax.tree.leaves(model)))
    state = opt.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, state, opt):
        grads = eqx.filter_grad(lambda model: error(jax.vmap(model)))(model)
        params, rest = eqx.partition(model, eqx.is_inexact_array)
        updates, state = opt.update(grads, state, params)
        if apply_updates is None:
            return eqx.apply_updates(model, updates), state
        return eqx.combine(apply_updates(params, updates), rest), state

    for _ in range(steps):
        model, state = step(model, state, opt)
    params, rest = eqx.partition(model, eqx.is_inexact_array)
    return lambda params: error(jax.vmap(eqx.combine(params, rest))), params, state


def with_haiku(opt, steps):
    hk = pytest.importorskip("haiku")

    def network(x):
        return hk.nets.MLP([16, 1], activation=jnp.tanh)(x)

    model = hk.without_apply_rng(hk.transform(network))
    loss = lambda params: error(lambda x: model.apply(params, x))  # noqa: E731
    params = model.init(jax.random.key(0), X)
    state = opt.init(params)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state):
        updates, state = opt.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(steps):
        params, state = step(params, state)
    return loss, params, state


LOOPS = {
    "flax linen": with_linen,
    "flax nnx": with_nnx,
    "equinox": with_equinox,
    "haiku": with_haiku,
}


@pytest.fixture
def train(library):
    return LOOPS[library]


def in_each_loop(quick):
    return pytest.mark.parametrize("library", some_slow(LOOPS, [quick]))


class TestNetworksOfOtherLibraries:
    @in_each_loop("flax linen")
    def test_clipping_warmup_and_decay(self, train):
        opt = chain(clip_by_global_norm(1.0), adamw(lr=schedules.warmup(20, 0.03)))
        loss, params, state = train(opt, steps=150)
        assert loss(params) < 0.01
        assert jax.tree.leaves(find(state, "iter")) == [150]

    @in_each_loop("haiku")
    def test_accumulated_gradients(self, train):
        loss, params, state = train(accumulate(adam(lr=0.05), every=2), steps=150)
        assert loss(params) < 0.01
        assert jax.tree.leaves(find(state.inner, "iter")) == [75]

    @in_each_loop("equinox")
    def test_the_average_of_the_parameters_is_in_the_state(self, train):
        loss, params, state = train(average(adam(lr=0.03), ema=0.9), steps=150)
        averaged = averaged_params(state)
        assert loss(params) < 0.01
        assert loss(averaged) < 0.01
        assert loss(averaged) != loss(params)

    @in_each_loop("flax nnx")
    def test_patterns_find_the_biases(self, train):
        groups = {"weights": adam(lr=0.03), "biases": sgd(lr=0.1)}
        loss, params, state = train(partition(groups, {"weights": "*", "biases": "*bias|*/b"}), steps=200)
        assert loss(params) < 0.01
        assert sorted(m.ndim for m in jax.tree.leaves(state["weights"].m)) == [2, 2]

    @in_each_loop("equinox")
    def test_optax_within_ours(self, train):
        opt = average(chain(clip_by_global_norm(1.0), from_optax(optax.adam(0.03))))
        loss, params, _ = train(opt, steps=150)
        assert loss(params) < 0.01

    def test_equinox_with_our_apply_updates_and_a_learning_rate_that_is_data(self):
        loss, params, _ = with_equinox(adam(lr=jnp.asarray(0.03)), steps=150, apply_updates=apply_updates)
        assert loss(params) < 0.01


class TestFlax:
    @staticmethod
    def train(opt, *given, steps=100):
        """With the keywords that are named; the losses on the way, and the state."""
        model = NNXMLP(nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, opt, wrt=nnx.Param)

        @nnx.jit
        def step(model, optimizer):
            value, grads = nnx.value_and_grad(error)(model)
            graph, _ = nnx.split(model, nnx.Param)
            value_fn = lambda params: error(nnx.merge(graph, params))  # noqa: E731
            extra = {"value": value, "grad": nnx.state(grads, nnx.Param), "value_fn": value_fn}
            optimizer.update(model, grads, **{name: extra[name] for name in given})
            return value

        return [step(model, optimizer) for _ in range(steps)], optimizer.opt_state

    def test_nnx_hands_on_the_value(self):
        values, state = self.train(chain(adam(lr=0.02), reduce_on_plateau(patience=50)), "value")
        assert values[-1] < 0.02
        np.testing.assert_allclose(find(state, "best")[...], min(values), rtol=2e-4)

    def test_nnx_hands_on_the_function(self):
        values, _ = self.train(sam(adam(lr=0.02), rho=0.01), "value_fn")
        assert values[-1] < 0.02

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_nnx_hands_on_all_that_a_line_search_of_optaxs_asks_for(self):
        opt = from_optax(optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(10)))
        values, _ = self.train(opt, "value", "grad", "value_fn", steps=200)
        assert values[-1] < 0.02
        assert all(later <= earlier for earlier, later in itertools.pairwise(values))

    def test_nnx_may_hand_on_what_nobody_asks_for(self):
        values, _ = self.train(adam(lr=0.02), "value", "grad", "value_fn")
        assert values[-1] < 0.02

    def test_a_rate_in_an_array_may_be_another_later_in_a_train_state(self):
        step = jax.jit(lambda state: state.apply_gradients(grads=state.params))
        state = TrainState.create(apply_fn=None, params=PARAMS, tx=sgd(lr=jnp.asarray(0.5)))
        assert step(state).params["b"] == 0.25
        assert step(state.replace(tx=sgd(lr=jnp.asarray(1.0)))).params["b"] == 0

    @pytest.mark.parametrize(
        "opt",
        [
            average(chain(clip_by_global_norm(1.0), adam())),
            partition({"a": adam(), "b": sgd()}, {"a": "*", "b": "b"}),
            from_optax(optax.adam(0.1)),
        ],
        ids=lambda opt: opt.name,
    )
    def test_a_train_state_is_saved_and_restored(self, opt):
        fresh = TrainState.create(apply_fn=None, params=PARAMS, tx=opt)
        state = fresh.apply_gradients(grads=PARAMS)
        restored = serialization.from_bytes(fresh, serialization.to_bytes(state))
        chex.assert_trees_all_equal(restored.apply_gradients(grads=PARAMS), state.apply_gradients(grads=PARAMS))


GIVEN_TO_NUMPYRO = {
    "to_optax": to_optax(chain(adam(lr=0.05), reduce_on_plateau(patience=100))),  # numpyro gives the value
    "optax.chain": optax.chain(optax.clip(10.0), adam(lr=0.05)),
}


class TestNumPyro:
    @pytest.mark.parametrize("tx", some_slow(GIVEN_TO_NUMPYRO, ["to_optax"]))
    def test_variational_inference(self, tx):
        numpyro = pytest.importorskip("numpyro")
        normal, lognormal = numpyro.distributions.Normal, numpyro.distributions.LogNormal
        data = 3 + 0.5 * jax.random.normal(jax.random.key(0), (200,))

        def model(data):
            mean, deviation = numpyro.sample("mean", normal(0, 10)), numpyro.sample("deviation", lognormal(0, 1))
            with numpyro.plate("data", len(data)):
                numpyro.sample("x", normal(mean, deviation), obs=data)

        guide = numpyro.infer.autoguide.AutoNormal(model)
        svi = numpyro.infer.SVI(model, guide, GIVEN_TO_NUMPYRO[tx], numpyro.infer.Trace_ELBO())
        found = svi.run(jax.random.key(1), 500, data, progress_bar=False).params
        np.testing.assert_allclose(found["mean_auto_loc"], data.mean(), atol=0.05)
        np.testing.assert_allclose(jnp.exp(found["deviation_auto_loc"]), data.std(), atol=0.05)


def mlp(params):
    return error(lambda x: jnp.tanh(x @ params["W1"] + params["b1"][None]) @ params["W2"] + params["b2"][None])


@pytest.fixture(scope="module")
def start():
    glorot, (key1, key2) = jax.nn.initializers.glorot_normal(), jax.random.split(jax.random.key(1))
    return {"W1": glorot(key1, (2, 16)), "b1": jnp.zeros(16), "W2": glorot(key2, (16, 1)), "b2": jnp.zeros(1)}


def bowl(params):
    return jnp.sum((params["w"] - 3) ** 2) + 5 * params["b"] ** 2


def run(tx, loss, params, steps):
    """All steps in one compiled loop: the parameters after each, and the last state."""

    def step(carry, _):
        params, state = carry
        value, grads = jax.value_and_grad(loss)(params)
        updates, state = tx.update(grads, state, params, value=value, grad=grads, value_fn=loss)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    (_, state), path = jax.jit(lambda params: jax.lax.scan(step, (params, tx.init(params)), length=steps))(params)
    return path, state


def last(path):
    return jax.tree.map(lambda x: x[-1], path)


BIASES = {"W1": "w", "b1": "b", "W2": "w", "b2": "b"}
WEIGHTS = jax.tree.map(lambda group: group == "w", BIASES)
COMBINED = {
    "chain": lambda: optax.chain(optax.clip_by_global_norm(1.0), adam(0.03)),
    "named_chain": lambda: optax.named_chain(("clip", optax.clip(1.0)), ("adam", adam(0.03))),
    "masked": lambda: optax.chain(
        optax.masked(adam(0.03), WEIGHTS), optax.masked(sgd(0.1), jax.tree.map(lambda x: not x, WEIGHTS))
    ),
    "partition": lambda: optax.partition({"w": adam(0.03), "b": sgd(0.1)}, BIASES),
    "partition with keywords": lambda: optax.partition(
        {"w": to_optax(chain(adam(0.03), reduce_on_plateau(patience=50))), "b": to_optax(skip_spikes(sgd(0.1)))},
        BIASES,
        mask_compatible_extra_args=True,
    ),
    "MultiSteps": lambda: optax.MultiSteps(adam(0.05), 2),
    "apply_if_finite": lambda: optax.apply_if_finite(adam(0.03), 5),
    "inject_hyperparams": lambda: optax.inject_hyperparams(adam)(lr=0.03),
    "inject_hyperparams with a schedule": lambda: optax.inject_hyperparams(adamw)(lr=schedules.warmup(20, 0.03)),
    "inject_hyperparams of a chain": lambda: optax.inject_hyperparams(
        lambda lr: to_optax(chain(clip_by_global_norm(1.0), adam(lr)))
    )(lr=0.03),
    "reduce_on_plateau": lambda: optax.chain(adam(0.03), optax.contrib.reduce_on_plateau(patience=50)),
    "from_optax and back": lambda: optax.chain(to_optax(from_optax(optax.adam(0.03)))),
}


@pytest.mark.usefixtures("standard")  # some of optax's promote their counters
class TestOptaxAroundOurs:
    @pytest.mark.parametrize("name", some_slow(COMBINED, ["chain", "masked", "MultiSteps"]))
    def test_it_trains(self, name, start):
        path, _ = run(COMBINED[name](), mlp, start, steps=200)
        assert mlp(last(path)) < 0.01

    def test_schedule_free(self, start):
        path, state = run(optax.contrib.schedule_free(adam(0.05, beta1=0.0), 0.05, b1=0.9), mlp, start, steps=200)
        assert mlp(optax.contrib.schedule_free_eval_params(state, last(path))) < 0.01

    def test_lookahead(self, start):
        tx, params = optax.lookahead(adam(0.05), 5, 0.5), optax.LookaheadParams.init_synced(start)
        state = tx.init(params)

        @jax.jit
        def step(params, state):
            updates, state = tx.update(jax.grad(mlp)(params.fast), state, params)
            return optax.apply_updates(params, updates), state

        for _ in range(200):
            params, state = step(params, state)
        assert mlp(params.slow) < 0.01

    def test_a_mask_takes_what_it_masks_out_of_our_state(self, start):
        state = optax.masked(adam(), WEIGHTS).init(start)
        assert len(jax.tree.leaves(state.inner_state.m)) == 2

    def test_injected_numbers_may_be_changed_between_steps(self):
        tx = optax.inject_hyperparams(sgd)(lr=0.5)
        state, update = tx.init(PARAMS), jax.jit(tx.update)
        updates, state = update(PARAMS, state, PARAMS)
        assert updates["b"] == -0.25
        state.hyperparams["lr"] = jnp.asarray(1.0)
        assert update(PARAMS, state, PARAMS)[0]["b"] == -0.5

    def test_injected_numbers_may_be_finer_than_the_parameters(self):
        # In bfloat16, as optax would have it, the 0.999 of Adam is 1, which ours refuses.
        params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), PARAMS)
        tx = optax.inject_hyperparams(adam, hyperparam_dtype=jnp.float32)(lr=0.1)
        updates, _ = tx.update(params, tx.init(params), params)
        chex.assert_trees_all_equal(updates, adam(lr=0.1).update(params, adam().init(params), params)[0])

    def test_only_what_to_optax_gives_gets_keywords_from_optax_chain(self):
        asking = chain(sgd(), reduce_on_plateau())
        tx = optax.chain(asking)
        with pytest.raises(TypeError, match="value is missing"):
            tx.update(PARAMS, tx.init(PARAMS), PARAMS, value=1.0)
        tx = optax.chain(to_optax(asking))
        _, state = tx.update(PARAMS, tx.init(PARAMS), PARAMS, value=1.0)
        assert find(state, "best") == 1.0


SPECS = {"w": "spec of w", "b": "spec of b"}
STATES = {
    "adam": (adam(), 2),
    "sgd": (sgd(), 0),
    "chain": (chain(clip_by_global_norm(1.0), adam()), 2),
    "accumulate": (accumulate(adam(), 2), 3),
    "average": (average(adam()), 3),
    "skip_nonfinite": (skip_nonfinite(adam()), 2),
    "partition by pattern": (partition({"a": adam(), "b": sgd()}, {"a": "*", "b": "b"}), 2),
    "partition by tree": (partition({"a": adam(), "b": sgd()}, {"w": "a", "b": "b"}), 2),
    "from_optax": (from_optax(optax.adam(0.1)), 2),
    "in optax.chain": (optax.chain(optax.clip(1.0), adam()), 2),
    "in optax.masked": (optax.masked(adam(), {"w": True, "b": False}), 2),
    "in inject_hyperparams": (optax.inject_hyperparams(adam)(lr=0.1), 2),
}


@pytest.mark.parametrize("name", STATES)
def test_optax_maps_over_what_our_states_keep_of_parameters(name):
    opt, count = STATES[name]
    mapped = optax.tree.map_params(
        opt,
        lambda _, spec: spec,
        opt.init(PARAMS),
        SPECS,
        transform_non_params=lambda _: None,
        is_leaf=lambda x: x is None or isinstance(x, optax.MaskedNode),
    )
    assert jax.tree.leaves(mapped) == [SPECS["b"], SPECS["w"]] * count


def test_optax_finds_things_in_our_states_by_name():
    state = chain(clip_by_global_norm(1.0), adam()).init(PARAMS)
    assert optax.tree.get(state, "iter") == 0
    assert optax.tree.get(optax.tree.set(state, iter=3), "iter") == 3


CALLS = {
    "by position": lambda opt, g, s, p: opt.update(g, s, p),
    "by keyword": lambda opt, g, s, p: opt.update(updates=g, state=s, params=p),
    "in another order": lambda opt, g, s, p: opt.update(params=p, state=s, updates=g),
    "without params": lambda opt, g, s, p: opt.update(g, s),
    "with None": lambda opt, g, s, p: opt.update(g, s, None),
    "with keywords that nobody knows": lambda opt, g, s, p: opt.update(
        g, s, p, loss=1.0, step=3, tag="train", fn=print
    ),
    "unpacked": lambda opt, g, s, p: tuple(opt)[1](g, s, p),
    "to_optax": lambda opt, g, s, p: to_optax(opt).update(updates=g, state=s, params=p, tag="train"),
    "with_extra_args_support": lambda opt, g, s, p: optax.with_extra_args_support(opt).update(g, s, p, tag="train"),
}


class TestTrainersCallIt:
    @pytest.mark.parametrize("call", some_slow(CALLS, ["by keyword"]))
    def test_in_a_compiled_step(self, call):
        opt = chain(clip_by_global_norm(1.0), adam(lr=0.1))
        params, state = PARAMS, opt.init(params=PARAMS)

        @jax.jit
        def step(params, state):
            updates, state = CALLS[call](opt, jax.grad(bowl)(params), state, params)
            return apply_updates(params=params, updates=updates), state

        for _ in range(150):
            params, state = step(params, state)
        assert bowl(params) < 0.01

    @pytest.mark.parametrize("call", CALLS)
    def test_step_by_step(self, call):
        opt = chain(clip_by_global_norm(1.0), adam(lr=0.1))
        params, state = PARAMS, opt.init(PARAMS)
        for _ in range(3):
            updates, state = CALLS[call](opt, params, state, params)
            params = apply_updates(params, updates)
        chex.assert_trees_all_close(params, expected(opt), rtol=1e-6)


ADAM, SGD, DECAYED = optax.adam(0.1), optax.sgd(0.05), optax.adamw(0.1, weight_decay=0.01)
SAME = {
    "alone": (from_optax(DECAYED), DECAYED),
    "chain": (
        chain(clip_by_global_norm(1.0), from_optax(ADAM)),
        optax.chain(optax.clip_by_global_norm(1.0), ADAM),
    ),
    "accumulate": (accumulate(from_optax(DECAYED), 2), optax.MultiSteps(DECAYED, 2)),
    "average": (average(from_optax(ADAM)), ADAM),
    "partition": (
        partition({"w": from_optax(DECAYED), "b": from_optax(SGD)}, {"w": "w", "b": "b"}),
        optax.partition({"w": DECAYED, "b": SGD}, {"w": "w", "b": "b"}),
    ),
    "skip_nonfinite": (skip_nonfinite(from_optax(ADAM)), optax.apply_if_finite(ADAM, 5)),
    "to_optax": (to_optax(from_optax(ADAM)), ADAM),
    "a chain of optax's": (from_optax(optax.chain(optax.clip(1.0), ADAM)), optax.chain(optax.clip(1.0), ADAM)),
    "inject_hyperparams": (
        from_optax(optax.inject_hyperparams(optax.adam)(0.1)),
        optax.inject_hyperparams(optax.adam)(0.1),
    ),
    "schedule_free": (
        from_optax(optax.contrib.schedule_free_adamw(0.1)),
        optax.contrib.schedule_free_adamw(0.1),
    ),
    "polyak_sgd, which asks for the value": (from_optax(optax.polyak_sgd(0.1)), optax.polyak_sgd(0.1)),
}


AROUND_LBFGS = {
    "from_optax": from_optax(optax.lbfgs()),
    "and back": to_optax(from_optax(optax.lbfgs())),
    "in ours": average(chain(clip_by_global_norm(1e6), from_optax(optax.lbfgs()))),
    "and back in optax's": optax.chain(to_optax(from_optax(optax.lbfgs()))),
}


class TestOptaxWithinOurs:
    @pytest.mark.parametrize("name", some_slow(SAME, ["alone", "accumulate", "polyak_sgd, which asks for the value"]))
    @pytest.mark.usefixtures("standard")  # some of optax's promote their counters
    def test_the_trajectory_is_optaxs_own(self, name):
        ours, theirs = (run(tx, bowl, PARAMS, steps=100)[0] for tx in SAME[name])
        chex.assert_trees_all_close(ours, theirs, rtol=1e-4, atol=1e-6)
        assert bowl(last(ours)) < 0.1 * bowl(PARAMS)

    @pytest.mark.parametrize("around", some_slow(AROUND_LBFGS, ["from_optax"]))
    def test_lbfgs_comes_down_the_valley_of_rosenbrock(self, around):
        opt = AROUND_LBFGS[around]
        loss = lambda p: (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2  # noqa: E731
        path, _ = run(opt, loss, {"x": jnp.asarray(-1.2), "y": jnp.asarray(1.0)}, steps=50)
        assert loss(last(path)) < 1e-8

    def test_a_chain_tells_lbfgs_the_gradient(self):
        opt = chain(from_optax(optax.lbfgs()))
        params, state = PARAMS, opt.init(PARAMS)

        @jax.jit
        def step(params, state):
            value, grads = jax.value_and_grad(bowl)(params)
            updates, state = opt.update(grads, state, params, value=value, value_fn=bowl)
            return apply_updates(params, updates), state

        for _ in range(10):
            params, state = step(params, state)
        assert bowl(params) < 1e-10

    @pytest.mark.parametrize(
        "tx",
        [
            optax.inject_hyperparams(optax.sgd)(0.1),
            optax.contrib.dog(1.0),
            optax.contrib.prodigy(),
            optax.contrib.schedule_free_sgd(0.1),
        ],
        ids=["inject_hyperparams", "dog", "prodigy", "schedule_free"],
    )
    @pytest.mark.usefixtures("standard")  # some of optax's promote their counters
    def test_a_number_in_its_state_may_have_the_dtype_of_the_parameters(self, tx):
        params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), PARAMS)
        expected, _ = tx.update(params, tx.init(params), params)
        updates, _ = from_optax(tx).update(params, from_optax(tx).init(params), params)
        chex.assert_trees_all_close(updates, expected, rtol=0.02)

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_a_group_of_a_partition_gets_the_function_of_its_own_parameters(self, start):
        searching = optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(10))
        path, _ = run(partition({"w": from_optax(searching), "b": freeze()}, BIASES), mlp, start, steps=200)
        assert mlp(last(path)) < 0.5 * mlp(start)


# All of optax's aliases.
WITH_A_RATE = [
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "amsgrad",
    "fromage",
    "lamb",
    "lars",
    "lion",
    "nadam",
    "nadamw",
    "novograd",
    "optimistic_adam_v2",
    "optimistic_gradient_descent",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "sign_sgd",
    "signum",
    "sm3",
    "yogi",
]
IN_HALF = {name: from_optax(getattr(optax, name)(0.1)) for name in WITH_A_RATE} | {
    "lbfgs": from_optax(optax.lbfgs()),
    "noisy_sgd": from_optax(optax.noisy_sgd(0.1, key=0)),
    "polyak_sgd": from_optax(optax.polyak_sgd()),
}
AROUND_OPTAX = {
    "alone": lambda opt: opt,
    "accumulate": lambda opt: accumulate(opt, 2),
    "skip_nonfinite": skip_nonfinite,
    "skip_spikes": skip_spikes,
    "average": average,
    "lookahead": lookahead,
}


class TestOptaxInHalfPrecision:
    @pytest.mark.parametrize("around", AROUND_OPTAX)
    @pytest.mark.parametrize("name", some_slow(IN_HALF, ["adam", "lbfgs", "adafactor"]))
    def test_the_state_keeps_its_formats_in_a_scan(self, name, around):
        """Most of optax's states change their dtypes in half precision, and scan refuses them."""
        opt = AROUND_OPTAX[around](IN_HALF[name])
        params = {"w": jnp.ones((4, 3), jnp.bfloat16), "b": jnp.ones(3, jnp.float16)}
        loss = lambda p: sum(jnp.sum(jnp.float32(x) ** 2) for x in jax.tree.leaves(p))  # noqa: E731

        def step(carry, _):
            params, state = carry
            value, grads = jax.value_and_grad(loss)(params)
            updates, state = opt.update(grads, state, params, value=value, grad=grads, value_fn=loss)
            return (apply_updates(params, updates), state), updates

        state = opt.init(params)
        (after, kept), updates = jax.eval_shape(lambda carry: jax.lax.scan(step, carry, length=3), (params, state))
        formats = [
            jax.tree.map(lambda x: (x.shape[-1:], x.dtype), tree) for tree in (after, updates, params, kept, state)
        ]
        assert formats[0] == formats[1] == formats[2]
        assert formats[3] == formats[4]

    @pytest.mark.usefixtures("standard")  # optax's promotes its counters
    def test_its_steps_are_those_of_float32(self):
        opt, params = IN_HALF["adam"], {"w": jnp.full(3, 1 / 3, jnp.bfloat16)}
        wide = jax.tree.map(lambda p: p.astype(jnp.float32), params)
        updates, state = opt.update(params, opt.init(params), params)
        expected, theirs = optax.adam(0.1).update(wide, optax.adam(0.1).init(wide), wide)
        chex.assert_trees_all_close(state, theirs)
        chex.assert_trees_all_equal(updates, jax.tree.map(lambda u: u.astype(jnp.bfloat16), expected))

    def test_shapes_alone_give_the_state_too(self):
        forms = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, jnp.bfloat16), PARAMS)
        state = jax.eval_shape(IN_HALF["adam"].init, forms)
        assert {x.dtype for x in jax.tree.leaves(state)} == {jnp.dtype(jnp.float32), jnp.dtype(jnp.int32)}


def test_optaxs_transforms_stand_before_a_rule_and_after_it():
    ours = chain(transform_from_optax(optax.add_decayed_weights(0.2)), sgd(0.1))
    chex.assert_trees_all_close(
        expected(ours), expected(from_optax(optax.chain(optax.add_decayed_weights(0.2), optax.sgd(0.1))))
    )
    after = chain(sgd(0.1), transform_from_optax(optax.scale(0.5)))
    chex.assert_trees_all_close(expected(after), expected(sgd(0.05)), rtol=1e-6)


class TestEquinox:
    """A model has functions and integers among its leaves; a gradient has None in their place."""

    @pytest.mark.parametrize("name", some_slow(OF_GRADIENTS_ALONE, ["adam", "adamw", "soap", "dog"]))
    def test_the_model_itself_is_what_is_stepped(self, name):
        opt = registry[name].build()
        model = eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0))
        arrays = eqx.filter(model, eqx.is_inexact_array)
        grads = eqx.filter_grad(lambda model: error(jax.vmap(model)))(model)
        state = opt.init(arrays)
        wanted, kept = opt.update(grads, state, arrays)
        updates, new = opt.update(grads, state, model)
        chex.assert_trees_all_equal((updates, new), (wanted, kept))
        after = apply_updates(model, updates)
        assert eqx.tree_equal(after, eqx.apply_updates(model, wanted))

        @eqx.filter_jit
        def step(model, state):
            updates, state = opt.update(grads, state, model)
            return apply_updates(model, updates), state

        assert eqx.tree_equal(step(model, state)[0], after, rtol=1e-5, atol=1e-6)

    def test_what_has_no_gradient_may_be_anything(self):
        params = {
            "w": jnp.ones(2),
            "size": 3,
            "f": jnp.tanh,
            "name": "layer",
            "key": jax.random.key(0),
            "frozen": jnp.ones(4),
        }
        grads = {name: x if name == "w" else None for name, x in params.items()}
        updates, _ = sgd(0.1).update(grads, sgd().init(grads), params)
        after = apply_updates(params, updates)
        assert all(after[name] is params[name] for name in params if name != "w")
        chex.assert_trees_all_close(after["w"], jnp.full(2, 0.9))

    def test_init_names_what_filters_a_model(self):
        with pytest.raises(
            TypeError, match=r"put None in its place, as eqx\.filter\(model, eqx\.is_inexact_array\) does$"
        ):
            adam().init(eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0)))
