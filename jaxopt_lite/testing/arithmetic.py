"""Laws of arithmetic: what a step does, however it is run, and where numbers are at their worst."""

import itertools
import pickle

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.core.protocol import Optimizer, apply_updates
from jaxopt_lite.testing.problems import assert_ulps, law, quadratic, rosenbrock, run, small_tree, start, step, update
from jaxopt_lite.types import Tree


@law
def descends(opt: Optimizer) -> None:
    """Hold 200 steps to lowering a quadratic, of real and of complex parameters, and Rosenbrock's valley."""
    valley = jnp.asarray(-1.0), jnp.asarray(1.5)
    for loss, params in ((quadratic, small_tree()), (quadratic, small_tree(jnp.complex64)), (rosenbrock, valley)):
        end, _ = run(opt, start(opt, params), 200, loss)
        assert loss(end) < loss(params), f"{loss.__name__} went from {loss(params)} to {loss(end)}"


@law
def jit_equals_eager(opt: Optimizer) -> None:
    """Hold three steps within jit to three outside: 8 ulp."""
    carry = eager = start(opt, small_tree())
    for _ in range(3):
        eager = step(opt, eager)
    assert_ulps(run(opt, carry, 3), eager, ulps=8)


@law
def scan_equals_loop(opt: Optimizer) -> None:
    """Hold three steps of lax.scan to three of a loop: 8 ulp."""
    carry = start(opt, small_tree())
    scanned, _ = jax.lax.scan(lambda carry, _: (step(opt, carry), None), carry, length=3)
    assert_ulps(scanned, run(opt, carry, 3), ulps=8)


@law
def sweeps_by_vmap(opt: Optimizer) -> None:
    """Hold a vmapped step over eight learning rates to the eight steps alone: 32 ulp, at each of three steps."""
    if "lr" not in opt.arguments:
        return
    rates, carry = np.logspace(-4, -1, 8), start(opt, small_tree())
    side_by_side, alone = jax.jit(jax.vmap(step, in_axes=(0, None))), jax.jit(step)
    for _ in range(3):
        swept = jax.tree.map(np.asarray, side_by_side(opt.replace(lr=jnp.asarray(rates)), carry))
        for lane, rate in enumerate(rates):
            expected = alone(opt.replace(lr=jnp.asarray(rate)), carry)
            assert_ulps(jax.tree.map(lambda x, lane=lane: x[lane], swept), expected, ulps=32)
        carry = expected


@law
def takes_a_schedule(opt: Optimizer) -> None:
    """Hold a rate or a decay that is a schedule to the number that it gives at a step: 8 ulp."""
    scheduled = [name for name in ("lr", "weight_decay") if name in opt.arguments]
    if not scheduled:
        return
    by_schedule = opt.replace(**dict.fromkeys(scheduled, lambda iter: 0.01 / (1 + iter)))
    params, state = start(opt, small_tree())
    for taken in range(3):
        by_number = update(opt.replace(**dict.fromkeys(scheduled, 0.01 / (1 + taken))), params, state, params)
        updates, state = update(by_schedule, params, state, params)
        assert_ulps((updates, state), by_number, ulps=8)
        params = apply_updates(params, updates)


@law
def resumes(opt: Optimizer) -> None:
    """Hold a run that is pickled and resumed to the uninterrupted one: equal to the bit."""
    carry = start(opt, small_tree())
    leaves, treedef = jax.tree.flatten(run(opt, carry, 2))
    loaded = pickle.loads(pickle.dumps([np.asarray(x) for x in leaves]))
    resumed = run(opt, jax.tree.unflatten(treedef, loaded), 2)
    chex.assert_trees_all_equal(resumed, run(opt, carry, 4))


@law
def survives_extremes(opt: Optimizer) -> None:
    """Hold updates and state to finite numbers along gradients of 0 and of 1e30, for three steps."""
    for size in (0.0, 1e30):
        params, state = start(opt, small_tree())
        grads = jax.tree.map(lambda p, size=size: jnp.full_like(p, size), params)
        for _ in range(3):
            updates, state = update(opt, grads, state, params)
            chex.assert_tree_all_finite((updates, state))


@law
def keeps_nan_where_it_is(opt: Optimizer) -> None:
    """Hold a NaN of the gradient to its place: other entries see it only as ``needs`` declares."""
    params, state = start(opt, small_tree())
    with jax.debug_nans(False):
        spoilt = params | {"W": params["W"].at[0, 0].set(jnp.nan)}
        updates, new = update(opt, spoilt, state, params)
        stopped = all(not jnp.any(u) for u in jax.tree.leaves(updates))
        assert stopped or jnp.isnan(updates["W"][0, 0]), f"the update there is {updates['W'][0, 0]}"
        if "tree" in opt.needs:
            return
        for path, x in jax.tree_util.tree_leaves_with_path((updates, new)):
            elsewhere = "['W']" not in jax.tree_util.keystr(path)
            if elsewhere or "leaf" not in opt.needs:
                chex.assert_tree_all_finite(x if elsewhere else x.ravel()[1:])


@law
def raises_no_false_alarm(opt: Optimizer) -> None:
    """Hold steps along finite gradients, zeros among them, to numbers: jax_debug_nans stays silent."""
    params, state = start(opt, small_tree())
    with jax.debug_nans(True), jax.disable_jit():  # within jit only results are looked at
        for grads in (params, jax.tree.map(jnp.zeros_like, params)):
            _, state = update(opt, grads, state, params)


@law
def differentiates_at_zero(opt: Optimizer) -> None:
    """Hold the derivative of the updates by the gradients to finite numbers where gradients are zero."""
    params, state = start(opt, small_tree())

    def total(grads: Tree) -> jax.Array:
        updates, _ = update(opt, grads, state, params)
        return sum((jnp.sum(u) for u in jax.tree.leaves(updates)), jnp.zeros(()))

    chex.assert_tree_all_finite(jax.jit(jax.grad(total))(jax.tree.map(jnp.zeros_like, params)))


@law
def counts_without_overflow(opt: Optimizer) -> None:
    """Hold a counter at 2³¹ - 1 to staying there, or to starting from 0, with a finite step."""
    last = jnp.iinfo(jnp.int32).max
    params, state = start(opt, small_tree())
    state = jax.tree.map(lambda x: jnp.full_like(x, last) if x.dtype == jnp.int32 else x, state)
    updates, new = update(opt, params, state, params)
    # A step that is not taken keeps what was not finite from the start, as the value of nothing yet.
    chex.assert_tree_all_finite((updates, jax.tree.map(lambda old, x: jnp.where(jnp.isfinite(old), x, 0), state, new)))
    for x in jax.tree.leaves(new):
        assert x.dtype != jnp.int32 or int(x) in {0, last}, f"a counter went to {x}"


@law
def advances_its_counter(opt: Optimizer) -> None:
    """Hold a counter ``iter`` of the state to advancing by at most one a step, and by some in three."""
    carry = start(opt, small_tree())
    counts = []
    for _ in range(4):
        counts.append(int(getattr(carry[1], "iter", 0)))
        carry = run(opt, carry, 1)
    rises = [after - before for before, after in itertools.pairwise(counts)]
    has_none = not hasattr(carry[1], "iter")
    assert has_none or (set(rises) <= {0, 1} and 1 in rises), f"the counter was {counts} in four steps"
