"""Every optimizer against its float64 twin."""

from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import reference

import jaxopt_lite
from jaxopt_lite import apply_updates, registry

OTHER_ARGUMENTS = {
    "lr": 0.03,
    "momentum": 0.7,
    "decay_rate": 0.8,
    "weight_decay": 0.2,
    "decay": "l2",
    "peak_lr": None,
    "beta1": 0.6,
    "beta2": 0.95,
    "eps": 1e-3,
}


def random_tree(rng):
    """A dict of one to four leaves of rank 0 to 3, one in three of them complex, one in four a tuple deeper."""
    tree = {}
    for name in range(rng.integers(1, 5)):
        leaf = rng.standard_normal(tuple(rng.integers(1, 4, size=rng.integers(0, 4))))
        leaf = leaf + 1j * rng.standard_normal(leaf.shape) if rng.random() < 1 / 3 else leaf
        tree[f"p{name}"] = (leaf,) if rng.random() < 1 / 4 else leaf
    return tree


def random_gradients(rng, params, steps):
    """Gradients for all steps, stacked; scales from 1e-3 to 1e3, one entry in ten zero."""

    def leaf(p):
        shape = (steps, *np.shape(p))
        g = rng.standard_normal(shape) * 10.0 ** rng.uniform(-3, 3, shape) * (rng.random(shape) > 0.1)
        return g + 1j * rng.standard_normal(shape) if np.iscomplexobj(p) else g

    return jax.tree.map(leaf, params)


def run(opt, params, gradients, with_params):
    """Parameters and state after all steps."""

    def step(carry, grads):
        params, state = carry
        updates, state = opt.update(grads, state, params if with_params else None)
        return (apply_updates(params, updates), state), None

    carry, _ = jax.jit(lambda carry: jax.lax.scan(step, carry, gradients))((params, opt.init(params)))
    return carry


def last(generator):
    return deque(generator, maxlen=1).pop()


@pytest.mark.parametrize("name", registry)
@pytest.mark.parametrize("arguments", ["default", "other"])
@pytest.mark.parametrize("seed", range(3))
def test_thousand_steps_equal_the_twin(x64, name, arguments, seed):
    rng = np.random.default_rng(seed)
    factory, twin = registry[name].factory, getattr(reference, name)
    other = {key: OTHER_ARGUMENTS[key] for key in factory().arguments} if arguments == "other" else {}
    start = random_tree(rng)
    gradients = random_gradients(rng, start, steps=1000)
    params = jax.tree.map(jnp.asarray, start)
    params, state = run(
        factory(**other),
        params,
        jax.tree.map(jnp.asarray, gradients),
        with_params=seed > 0 or "params" in factory().needs,
    )

    treedef = jax.tree.structure(start)
    leaves = zip(
        treedef.flatten_up_to(start), treedef.flatten_up_to(gradients), treedef.flatten_up_to(params), strict=True
    )
    slots = {field: treedef.flatten_up_to(tree) for field, tree in state._asdict().items() if field != "iter"}
    assert state.iter == 1000
    for i, (p, gs, ours) in enumerate(leaves):
        theirs, fields = last(twin(np.asarray(p), gs, **other))
        assert slots.keys() == fields.keys()
        for a, b in [(ours, theirs), *((slots[field][i], fields[field]) for field in fields)]:
            assert a.dtype == b.dtype
            assert np.max(np.abs(a - b)) <= 1e-12 * np.max(np.abs(b))


@pytest.mark.parametrize("decay", ["decoupled", "independent", "l2"])
def test_adamw_with_a_schedule_decays_as_its_twin(x64, decay):
    arguments = {"lr": lambda t: 0.1 / (1 + t), "weight_decay": 0.3, "decay": decay, "peak_lr": 0.1}
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(5), rng.standard_normal((50, 5))
    params, _ = run(jaxopt_lite.adamw(**arguments), jnp.asarray(start), jnp.asarray(gradients), with_params=True)
    expected, _ = last(reference.adamw(start, gradients, **arguments))
    np.testing.assert_allclose(params, expected, rtol=1e-12)


def test_adamw_is_optaxs(x64):
    rng = np.random.default_rng(0)
    start, gradients = jnp.asarray(rng.standard_normal(5)), jnp.asarray(rng.standard_normal((50, 5)))
    for ours, theirs in (
        (jaxopt_lite.adamw(lr=0.1), optax.adamw(0.1, weight_decay=0.01)),
        (jaxopt_lite.adamw(lr=0.1, weight_decay=0.0), optax.adam(0.1)),
    ):
        params, _ = run(ours, start, gradients, with_params=True)
        expected, _ = run(jaxopt_lite.from_optax(theirs), start, gradients, with_params=True)
        np.testing.assert_allclose(params, expected, rtol=1e-10)


def in_ulp(ours, exact, of):
    return np.max(np.abs(np.asarray(ours, np.float64) - exact) / np.spacing(np.abs(of).astype(np.float32)))


@pytest.mark.parametrize("beta2", [0.95, 0.99, 0.999, 0.9999])
def test_adams_first_update_in_float32(beta2):
    g = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    opt = jaxopt_lite.adam(beta2=beta2)
    ours, _ = opt.update(jnp.asarray(g), opt.init(jnp.asarray(g)))
    exact, _ = last(reference.adam(np.zeros(1000), [g.astype(np.float64)], beta2=beta2))
    assert in_ulp(ours, exact, of=exact) <= 8


def test_adam_in_float32_after_a_hundred_steps():
    g = np.random.default_rng(0).standard_normal((100, 1000)).astype(np.float32)
    ours, _ = run(jaxopt_lite.adam(), jnp.zeros(1000), jnp.asarray(g), with_params=True)
    exact, _ = last(reference.adam(np.zeros(1000), g.astype(np.float64)))
    assert in_ulp(ours, exact, of=np.max(np.abs(exact))) <= 8
