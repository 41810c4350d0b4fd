"""What wrappers do to the optimizer within."""

import chex
import jax
import jax.numpy as jnp
import pytest

from jaxopt_lite import adam, apply_updates, momentum, optimizer, registry, sgd, skip_nonfinite
from jaxopt_lite.testing import check, laws

PARAMS = {"a": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(3.0)}
BAD = [{"a": jnp.asarray([1.0, bad]), "b": jnp.asarray(3.0)} for bad in (jnp.nan, jnp.inf, -jnp.inf)]


@pytest.mark.parametrize("law", laws)
@pytest.mark.parametrize(
    "opt", [skip_nonfinite(adam()), skip_nonfinite(momentum(), give_up_after=2)], ids=["adam", "momentum"]
)
def test_law(opt, law):
    check(opt, only=[law])


class TestSkipNonfinite:
    @pytest.mark.parametrize("name", registry)
    @pytest.mark.parametrize("bad", BAD, ids=["nan", "inf", "-inf"])
    def test_such_a_step_changes_nothing_and_is_counted(self, name, bad):
        opt = skip_nonfinite(registry[name].factory())
        _, state = opt.update(PARAMS, opt.init(PARAMS), PARAMS)
        updates, new = opt.update(bad, state, PARAMS)
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
