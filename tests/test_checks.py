"""Every wrong input is refused, eagerly and under jit, by the right exception with the exact sentence."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
import wrong_inputs

from jaxopt_lite import adam, apply_updates, next_step, optimizer, sgd, skip_nonfinite, zero_steps, zeros_like
from jaxopt_lite.core.hyperparameters import PACKAGE_RANGES, SHARED_RANGES

ROWS = [pytest.param(*row, id=row[0]) for rows in wrong_inputs.WRONG.values() for row in rows]


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("how", [lambda call: call(), lambda call: jax.jit(call)()], ids=["eager", "jit"])
@pytest.mark.parametrize(("code", "error", "sentence"), ROWS)
def test_wrong_input(code, error, sentence, how):
    names = wrong_inputs.names.names()
    with pytest.raises(error) as caught:
        how(lambda: eval(code, names))
    assert type(caught.value) is error
    assert str(caught.value) == sentence


def test_every_kind_of_hyperparameter_is_refused_somewhere():
    refused = " ".join(row.values[2] for row in ROWS)
    assert all(f": {name} must be" in refused for name in SHARED_RANGES | PACKAGE_RANGES if "." not in name)
    assert all(f"{name.replace('.', ': ')} must be" in refused for name in PACKAGE_RANGES if "." in name)


@pytest.mark.parametrize("lr", [-0.1, 0, 0.0, 1, 1e30, jnp.float32(0.1), jnp.int32(1), jnp.ones(8), lambda iter: None])
def test_legal_learning_rates(lr):
    sgd(lr)


def test_legal_weight_decays_and_limits():
    for weight_decay in (0, 0.1, lambda iter: 0.1, jnp.ones(3)):
        wrong_inputs.names.decaying(weight_decay=weight_decay)
    for give_up_after in (None, 1, 5):
        skip_nonfinite(sgd(), give_up_after)


def test_what_a_rule_needs_and_gets_it_uses():
    opt = wrong_inputs.names.polyak(lr=0.5)
    assert opt.update({"w": 1.0}, opt.init({"w": 1.0}), {"w": 1.0}, value=3.0)[0] == {"w": -1.5}


def test_arrays_that_are_no_hyperparameters_may_have_any_shape():
    @optimizer
    def tabled(table, lr=0.1):
        return sgd(lr=lr).unchecked

    opt = tabled(jnp.ones(3))
    opt.update({"w": 1.0}, opt.init({"w": 1.0}))


def test_precisions_may_differ(x64):
    for low, high in ((jnp.bfloat16, jnp.float32), (jnp.float32, jnp.float64), (jnp.complex64, jnp.complex128)):
        for params, grads in ((low, high), (high, low)):
            p, g = jnp.ones(2, params), jnp.ones(2, grads)
            assert sgd().update(g, sgd().init(p), p)[0].dtype == params


def test_a_rule_for_matrices_is_not_given_them_by_name():
    @optimizer(needs=("matrices",))
    def rooted(lr=0.1):
        return sgd(lr).unchecked

    assert rooted().update({"w": 1.0}, rooted().init({"w": 1.0}))[0] == {"w": -0.1}


def test_bounds_of_shares_and_eps():
    adam(beta1=0, beta2=0.0, eps=0)
    adam(beta1=1 - 1e-16, beta2=1 - 1e-9)


def test_traced_hyperparameters_are_not_range_checked_but_their_kind_is():
    jax.jit(lambda beta: adam(beta1=beta).arguments["lr"])(2.0)
    with pytest.raises(TypeError, match=r"sgd: lr must be a finite number or a schedule, not bool\[\]"):
        jax.jit(lambda flag: sgd(lr=flag).arguments["lr"])(True)


def test_what_looks_odd_and_is_right():
    z = {"z": jnp.ones(2, jnp.complex64), "none": None, "empty": jnp.zeros((0, 3)), "number": 1.0}
    updates, _ = adam().update(z, adam().init(z), z)
    assert updates["z"].dtype == jnp.complex64
    real = {"z": jnp.ones(2), "none": None, "empty": jnp.zeros((0, 3)), "number": 1.0}
    assert adam().update(real, adam().init(z), z)[0]["z"].dtype == jnp.complex64
    apply_updates(z, real)


def test_an_init_that_looks_at_its_leaves_is_trusted():
    @optimizer
    def looking(lr=0.1):
        def init(params):
            return {"first": jax.tree.leaves(params)[0] * 0}

        return init, lambda grads, state, params=None: (grads, state)

    opt = looking()
    opt.update({"w": 1.0}, opt.init({"w": 1.0}))


def test_a_state_may_be_nothing_but_a_tree_like_the_parameters():
    @optimizer
    def plain(lr=0.1):
        return zeros_like, lambda grads, state, params=None: (grads, state)

    plain().update({"w": 1.0}, plain().init({"w": 1.0}))
    with pytest.raises(ValueError, match=r"^plain.update: state\['w'\] is missing, where plain.init gives float32\[\]"):
        plain().update({"w": 1.0}, {})


def test_a_state_may_be_a_single_array():
    @optimizer
    def counting(lr=0.1):
        return zero_steps, lambda grads, state, params=None: (grads, next_step(state))

    assert counting().update({"w": 1.0}, counting().init({}))[1] == 1
    with pytest.raises(TypeError, match=r"^counting.update: state is float32\[\], where counting.init gives int32\[\]"):
        counting().update({"w": 1.0}, 0.5)


def test_an_error_in_a_rule_is_the_rules_own():
    @optimizer
    def broken(lr=0.1):
        def update(grads, state, params=None):
            raise ValueError("in the rule")

        return lambda params: (), update

    with pytest.raises(ValueError, match=r"^in the rule"):
        broken().update({"w": 1.0}, ())


def test_static_fields_that_differ_are_told():
    @jax.tree_util.register_dataclass
    @dataclasses.dataclass
    class Layer:
        w: jax.Array
        name: str = dataclasses.field(metadata={"static": True})

    with pytest.raises(ValueError, match=r"updates is a Layer, params is a Layer with other static fields"):
        apply_updates(Layer(jnp.ones(2), "a"), Layer(jnp.ones(2), "b"))
