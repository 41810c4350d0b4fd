"""An optimizer is a value: printing, comparing, hashing, pickling, copying, replacing, and what JAX makes of it."""

import copy
import json
import pickle
import subprocess
import sys

import chex
import cloudpickle
import held
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.training.train_state import TrainState
from held import HOLDING

from jaxopt_lite import Optimizer, adam, apply_updates, momentum, optimizer, sgd
from jaxopt_lite.core.eager import compiled_step

PARAMS = {"w": jnp.asarray([1.0, -2.0])}


def halving(iter):
    return 0.5**iter


@optimizer
def scaled(inner, *others, factor=2.0):
    """A wrapper, with an optimizer and more of them among its arguments."""

    def update(grads, state, params=None, **extra):
        updates, state = inner.unchecked.update(grads, state, params, **extra)
        return jax.tree.map(lambda u: factor * u, updates), state

    return inner.unchecked.init, update


@optimizer
def alias(lr=0.1):
    return sgd(lr=lr)


@optimizer
def optional(inner, **options):
    return inner.unchecked


@pytest.mark.parametrize(
    ("opt", "printed"),
    [
        (adam(lr=0.01), "adam(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-07)"),
        (adam(np.float64(0.5)), "adam(lr=0.5, beta1=0.9, beta2=0.999, eps=1e-07)"),
        (sgd(halving), "sgd(lr=halving)"),
        (sgd(jnp.float32(0.5)), "sgd(lr=Array(0.5, dtype=float32))"),
        (scaled(sgd()), "scaled(inner=sgd(lr=0.01), factor=2.0)"),
        (
            scaled(sgd(), momentum(), factor=3.0),
            "scaled(sgd(lr=0.01), momentum(lr=0.01, momentum=0.9), factor=3.0)",
        ),
        (alias(), "sgd(lr=0.1)"),
        (optional(sgd(), a=1, b="c"), "optional(inner=sgd(lr=0.01), a=1, b='c')"),
    ],
)
def test_prints_as_its_call(opt, printed):
    assert repr(opt) == str(opt) == printed


def test_what_it_prints_makes_it_again():
    for opt in (adam(lr=0.3), scaled(sgd()), scaled(sgd(), momentum(0.5), factor=3.0)):
        assert eval(repr(opt)) == opt


def test_equal_arguments_make_equal_optimizers():
    assert adam(0.01) == adam(lr=0.01)
    assert hash(adam(0.01)) == hash(adam(lr=0.01))
    assert len({adam(), adam(lr=0.001), adam().replace(), adam(0.01)}) == 2
    assert scaled(sgd()) == scaled(sgd())
    assert sgd(halving) == sgd(halving)


@pytest.mark.parametrize(
    "other",
    [adam(0.02), adam(0.01, eps=1e-8), sgd(0.01), adam(halving), adam(jnp.float32(0.01)), "adam(lr=0.01)", None],
)
def test_other_arguments_or_factories_make_other_optimizers(other):
    assert adam(0.01) != other


def test_arrays_compare_by_dtype_shape_and_value():
    half = sgd(jnp.float32(0.5))
    assert half == sgd(jnp.float32(0.5)) == sgd(np.full((), 0.5, np.float32))
    assert hash(half) == hash(sgd(jnp.float32(0.5)))
    assert half != sgd(jnp.float32(0.25))
    assert half != sgd(jnp.float16(0.5))
    assert half != sgd(jnp.full((1,), 0.5))


def test_traced_arguments_are_compared_by_identity():
    @jax.jit
    def within(a, b):
        assert sgd(a) == sgd(a)
        assert hash(sgd(a)) == hash(sgd(a))
        assert sgd(a) != sgd(b)
        assert sgd(a) != sgd(jnp.float32(1))
        assert sgd(a) != sgd(1.0)
        assert sgd(a) != adam(a)
        return a

    within(jnp.float32(1), jnp.float32(1))


def test_keys_nan_and_mapped_leaves_compare():
    @optimizer
    def keyed(key, lr=0.1):
        return sgd(lr).unchecked

    key = jax.random.key
    assert keyed(key(0)) == keyed(key(0)) != keyed(key(1))
    x, nan = sgd(jnp.float32(1)), np.full((), np.nan, np.float32)
    assert jax.tree.map(lambda _: nan, x) == jax.tree.map(lambda _: nan.copy(), x)
    mapped = [jax.tree.map(lambda _, text=text: float(text), x) for text in ("2.5", "2.5", "3.5")]
    assert mapped[0] == mapped[1] != mapped[2]
    assert x != jax.tree.map(lambda _: 2.0, x) != x


def test_a_numpy_argument_is_taken_as_it_is_now():
    lr = np.full((), 0.5, np.float32)
    opt = sgd(lr)
    lr[...] = 2
    assert opt == sgd(np.full((), 0.5, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        opt.arguments["lr"][...] = 2


@pytest.mark.parametrize(
    "opt", [adam(lr=0.3), sgd(halving), sgd(jnp.float32(0.5)), scaled(scaled(adam()), sgd(), factor=3.0)]
)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_copies_are_equal_and_work(opt, duplicate):
    twin = duplicate(opt)
    assert twin == opt
    grads = {"w": jnp.ones(2)}
    chex.assert_trees_all_equal(twin.update(grads, twin.init(PARAMS)), opt.update(grads, opt.init(PARAMS)))


def test_what_is_made_inside_a_function_says_why_it_cannot_be_pickled():
    @optimizer
    def local(lr=0.1):
        return sgd(lr).unchecked

    with pytest.raises((AttributeError, pickle.PicklingError), match=r"local object.*<locals>.local"):
        pickle.dumps(local())
    assert copy.deepcopy(local()) == local()


def test_cloudpickle_takes_along_what_a_notebook_defines():
    source = "from jaxopt_lite import optimizer, sgd\n\n@optimizer\ndef cell(lr=0.1):\n    return sgd(lr).unchecked\n"
    notebook = {"__name__": "__main__"}
    exec(source, notebook)
    twin = cloudpickle.loads(cloudpickle.dumps(notebook["cell"](lr=0.5)))
    assert repr(twin) == "cell(lr=0.5)"
    assert twin.update(1.0, twin.init(1.0))[0] == -0.5


def test_replace():
    assert adam(beta1=0.5).replace(lr=0.1) == adam(lr=0.1, beta1=0.5)
    assert scaled(sgd(), adam()).replace(inner=adam(), others=()) == scaled(adam())
    with pytest.raises(
        TypeError, match=r"^adam.replace: there is no argument 'rate'; there are lr, beta1, beta2, eps$"
    ):
        adam().replace(rate=0.1)


def test_arguments_are_as_they_were_given():
    assert adam(halving).arguments == {"lr": halving, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7}
    assert type(adam(np.float32(0.5)).arguments["lr"]) is float
    lr = jnp.float32(0.5)
    assert adam(lr).arguments["lr"] is lr


def test_unpacks_to_the_pair():
    init, update = adam()
    state = init(PARAMS)
    updates, state = update(PARAMS, state)
    assert state.iter == 1
    chex.assert_trees_all_equal(updates, adam().update(PARAMS, init(PARAMS))[0])


def test_cannot_be_changed():
    for name in ("lr", "data", "anything"):
        with pytest.raises(
            AttributeError, match=rf"^adam: a value cannot be changed; \.replace\({name}=…\) makes another$"
        ):
            setattr(adam(), name, 0.5)


def test_the_factory_keeps_its_name_and_signature():
    assert adam.__name__ == "adam"
    assert "Adam" in adam.__doc__
    with pytest.raises(TypeError, match="unexpected keyword argument 'rate'"):
        adam(rate=0.1)


def test_a_factory_fails_when_called():
    @optimizer
    def broken(lr=0.1):
        raise ArithmeticError("in the body")

    @optimizer
    def forgetful(lr=0.1):
        return None

    with pytest.raises(ArithmeticError, match="in the body"):
        broken()
    with pytest.raises(TypeError, match=r"^forgetful must return \(init, update\), not NoneType$"):
        forgetful()


def test_eight_equal_optimizers_are_one_trace():
    @chex.assert_max_traces(n=1)
    def step(opt, params, state):
        updates, state = opt.update(params, state, params)
        return apply_updates(params, updates), state

    step = jax.jit(step, static_argnums=0)
    state = adam(0.02).init(PARAMS)
    for _ in range(8):
        step(adam(lr=0.02), PARAMS, state)


def test_eight_learning_rates_as_arrays_are_one_trace():
    @jax.jit
    @chex.assert_max_traces(n=1)
    def step(opt, params, state):
        updates, state = opt.update(params, state, params)
        return apply_updates(params, updates), state

    state = sgd().init(PARAMS)
    for lr in jnp.arange(8) / 8:
        params, _ = step(sgd(lr), PARAMS, state)
        chex.assert_trees_all_equal(params, {"w": PARAMS["w"] - lr * PARAMS["w"]})


def test_eager_steps_of_equal_optimizers_and_of_array_rates_share_their_trace():
    traces = []

    @optimizer
    def counting(lr=0.1):
        def update(grads, state, params=None):
            traces.append(lr)
            return jax.tree.map(lambda g: -lr * g, grads), state

        return lambda params: (), update

    for _ in range(3):
        counting().update(PARAMS, ())
    assert len(traces) == 1
    for lr in jnp.arange(3.0):
        counting(lr).update(PARAMS, ())
    assert len(traces) == 2


def test_sweep_inside_wrappers_and_over_several_arguments():
    lrs, decays = jnp.asarray([0.1, 0.2]), jnp.asarray([0.5, 0.9])

    def step(opt):
        state = opt.init(PARAMS)
        _, state = opt.update(PARAMS, state)
        return opt.update(PARAMS, state)[0]

    swept = jax.vmap(step)(scaled(momentum(lrs, decays)))
    for lane in range(2):
        alone = step(scaled(momentum(lrs[lane], decays[lane])))
        chex.assert_trees_all_close(jax.tree.map(lambda x, lane=lane: x[lane], swept), alone, rtol=4e-7)


def test_structure_survives_mapping_over_leaves():
    opt = scaled(adam(jnp.float32(0.5)), sgd(0.1))
    assert jax.tree.leaves(opt) == [jnp.float32(0.5)]
    marked = jax.tree.map(lambda _: "anything", opt)
    assert jax.tree.structure(marked) == jax.tree.structure(opt)
    assert marked.arguments["inner"].arguments["lr"] == "anything"
    assert isinstance(jax.tree.map(lambda x: 2 * x, opt), Optimizer)


def test_sweeps_within_a_flax_train_state():
    """There the optimizer is static, and under vmap it holds a tracer: jit's caches must live with that, every time."""

    @jax.jit
    def train_step(state):
        return state.apply_gradients(grads=state.params)

    def train(lr):
        state = TrainState.create(apply_fn=None, params=PARAMS, tx=adam(lr))
        state, _ = jax.lax.scan(lambda state, _: (train_step(state), None), state, length=3)
        return train_step(state).params

    lrs = jnp.asarray([0.1, 0.2])
    for _ in range(3):
        swept = jax.vmap(train)(lrs)
        for lane, lr in enumerate(lrs):
            alone = train(lr)
            chex.assert_trees_all_close(jax.tree.map(lambda x, lane=lane: x[lane], swept), alone, rtol=1e-6)


@pytest.mark.parametrize("form", HOLDING)
def test_what_an_optimizer_holds_on_to_dies_with_it(form):
    assert held.left_after(3, form) == 0


@pytest.mark.slow
def test_thirty_runs_in_a_fresh_process_leave_nothing_behind():
    done = subprocess.run([sys.executable, held.__file__], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(HOLDING, 0)


def test_optimizers_that_hold_on_to_something_share_a_step_while_one_lives():
    table = held.Table()
    first = sgd(table.at)
    step = first._compiled_step
    assert sgd(table.at)._compiled_step is step
    assert sgd(held.Table().at)._compiled_step is not step
    assert adam(table.at)._compiled_step is not step


def test_a_swept_schedule_leaks_no_tracer():
    def step(lr):
        opt = sgd(lambda iter: lr)
        return opt.update(1.0, opt.init(1.0))[0]

    with jax.check_tracer_leaks(True):
        assert jax.vmap(step)(jnp.asarray([1.0, 2.0])).tolist() == [-1.0, -2.0]


def test_equal_optimizers_that_hold_on_to_objects_share_their_compiled_step():
    class Run:
        def rate(self, step):
            return 0.1 / (1 + step)

    run = Run()
    one, two = sgd(run.rate), sgd(run.rate)
    assert one == two
    assert not one.is_plain
    assert compiled_step(one) is compiled_step(two)
    assert compiled_step(one) is not compiled_step(sgd(Run().rate))
