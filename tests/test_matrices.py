"""Rules for matrices: which leaves they take, along which axes, and what no change of basis, scale or stack changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from conftest import AS_USERS_DO, QUICKLY, double
from hypothesis import given, settings
from hypothesis import strategies as st
from quick import some_slow

from jaxopt_lite import adamw, find, kl_soap, lion, muon, partition, prodigy, registry, scion, sgd, shampoo, soap
from jaxopt_lite.ops.matrices import matrix_axes, merged_axes
from jaxopt_lite.ops.orthogonal import orthogonal
from jaxopt_lite.ops.preconditioners import in_blocks, out_of_blocks, outer_product, spectral_norm

FOR_MATRICES = [name for name, entry in registry.items() if "matrices" in entry.needs]
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@jax.jit
def path(opt, params, gradients):
    """The updates of all steps, whose gradients are stacked."""

    def step(state, grads):
        updates, state = opt.update(grads, state, params)
        return state, updates

    _, updates = jax.lax.scan(step, opt.init(params), gradients)
    return updates


class TestRoutes:
    @property
    def params(self):
        return {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}, "embed": {"embedding": jnp.ones((5, 2))}}

    def stepped(self, opt):
        """Which of the optimizers stepped each leaf, by the size of its step: muon's is 1, sgd's 100."""
        updates, state = opt.update(self.params, opt.init(self.params), self.params)
        find(state, "momentum")
        return {
            jax.tree_util.keystr(k, simple=True, separator="/"): np.max(np.abs(u)) == 100 for k, u in leaves(updates)
        }

    def test_patterns_or_a_function_say_what_is_hidden(self):
        expected = {"dense/kernel": False, "dense/bias": True, "embed/embedding": True}
        for hidden in ("*kernel", "dense/k*|nothing", lambda path, leaf: leaf.shape == (2, 3)):
            assert self.stepped(muon(1.0, hidden=hidden, others=sgd(100.0))) == expected

    def test_vectors_go_to_the_others_and_a_matrix_with_a_doubtful_name_is_refused(self):
        with pytest.raises(ValueError, match=r"^muon: 'embed/embedding' has a name for what is no hidden matrix"):
            muon(others=sgd()).init(self.params)
        dense = {"dense": self.params["dense"]}
        updates, _ = muon(1.0, others=sgd(100.0)).update(dense, muon(others=sgd()).init(dense), dense)
        assert np.all(updates["dense"]["bias"] == -100)
        assert np.all(np.abs(updates["dense"]["kernel"]) < 10)

    @pytest.mark.parametrize("name", ["wte", "lm_head", "head", "logits_dense", "token_embedder", "Classifier_0"])
    def test_doubtful_names(self, name):
        with pytest.raises(ValueError, match="has a name for what is no hidden matrix"):
            muon(others=sgd()).init({name: {"kernel": jnp.ones((2, 3))}})
        muon(others=sgd(), hidden="*").init({name: {"kernel": jnp.ones((2, 3))}})

    def test_attention_heads_are_not_mistaken_for_a_head(self):
        muon().init({"multi_head_attention": {"kernel": jnp.ones((2, 3))}})

    def test_without_others_every_leaf_must_be_a_matrix(self):
        with pytest.raises(ValueError, match=r"^muon: 'dense/bias' has shape \(3,\) and is no hidden matrix: say"):
            muon(hidden="*kernel").init(self.params)
        state = muon().init({"kernel": jnp.ones((2, 3))})
        assert type(state).__name__ == "MuonState"

    def test_the_state_of_all_is_a_dict(self):
        state = muon(others=adamw(), hidden="*kernel").init(self.params)
        assert state.keys() == {"hidden", "others"}
        assert state["hidden"].momentum["dense"] == {
            "kernel": state["hidden"].momentum["dense"]["kernel"],
            "bias": None,
        }

    def test_a_pattern_that_fits_nothing_is_refused_and_a_tree_without_leaves_is_not(self):
        with pytest.raises(
            ValueError,
            match=r"^muon: hidden fits no leaf; the leaves are 'dense/bias', 'dense/kernel', 'embed/embedding'$",
        ):
            muon(hidden="*kernl", others=adamw()).init(self.params)
        muon(hidden="*kernel", others=adamw()).init({})

    def test_biases_and_scales_with_two_axes_are_refused(self):
        for name in ("bias", "qkv_bias", "scale", "LayerNorm_0", "b", "offset"):
            with pytest.raises(ValueError, match="has a name for what is no hidden matrix"):
                muon(others=sgd()).init({"layers": {name: jnp.ones((2, 3))}})

    def test_a_layer_may_be_called_as_haiku_calls_biases(self):
        muon().init({"b": {"w": jnp.ones((2, 3))}})


def leaves(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


@pytest.mark.parametrize(
    ("rank", "out_axis", "in_axis", "expected"),
    [(2, -1, None, (0, 1)), (2, 0, None, (1, 0)), (3, -2, None, (2, 1)), (3, -1, 0, (0, 2)), (4, 1, -1, (3, 1))],
)
def test_axes(rank, out_axis, in_axis, expected):
    assert matrix_axes(rank, out_axis, in_axis) == expected


@pytest.mark.parametrize(("rank", "out_axis", "in_axis"), [(3, 0, None), (2, 2, None), (2, -1, 1), (2, -1, -3)])
def test_axes_that_are_not_there_are_refused(rank, out_axis, in_axis):
    with pytest.raises(
        ValueError, match=rf"^out_axis is {out_axis}, in_axis is {in_axis}, and a leaf has {rank} axes$"
    ):
        matrix_axes(rank, out_axis, in_axis)


@pytest.mark.parametrize("name", some_slow(FOR_MATRICES, ["muon", "soap"]))
def test_each_matrix_of_a_stack_is_stepped_alone_whatever_its_axes(x64, name, monkeypatch):
    """A stack equals its matrices, as equinox's layout equals flax's, and heads between in and out equal both."""
    if name == "psgd_kron":  # whose noise must be the same for all
        module = registry[name].factory.__wrapped__.__globals__
        monkeypatch.setitem(module, "draw", lambda *_: jax.tree.map(jnp.ones_like, _[-1]))
    opt = registry[name].factory(lr=0.1)
    params, gradients = jnp.asarray(normal(0, 2, 3, 4)), jnp.asarray(normal(1, 4, 2, 3, 4))
    expected = [path(opt, params[i], gradients[:, i]) for i in range(2)]
    layouts = {
        (-1, None): (lambda x: x, lambda x: x),
        (-2, None): (lambda x: x.mT, lambda x: x.mT),
        (-1, 0): (lambda x: jnp.moveaxis(x, 0, 1), lambda x: jnp.moveaxis(x, 1, 0)),
        (1, 0): (lambda x: jnp.moveaxis(x, 0, -1), lambda x: jnp.moveaxis(x, -1, 0)),
    }
    for (out_axis, in_axis), (turned, back) in layouts.items():
        there = opt.replace(out_axis=out_axis, in_axis=in_axis)
        steps = path(there, turned(params), jax.vmap(turned)(gradients))
        for t, step in enumerate(steps):
            for i, mine in enumerate(back(step)):
                np.testing.assert_allclose(mine, expected[i][t], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 3), (3, 5)])
@pytest.mark.parametrize("name", some_slow(FOR_MATRICES, ["muon", "soap"]))
def test_derivatives_of_steps_are_those_of_finite_differences(x64, name, shape):
    """However XLA compiles: by the learning rate, and by the last gradient, whose bases are those of gradients before.

    psgd_kron fits its factors to the last gradient too, and takes them as constant.
    """
    params, weights = jnp.asarray(normal(0, *shape)), jnp.asarray(normal(1, *shape))
    gradients = jnp.asarray(normal(2, 3, *shape))

    def end(lr, gradients):
        # Computed anew, as gradients are, because XLA may compute them twice and round differently.
        computed = gradients + 0.95 * (0.05 * gradients - gradients)
        return jnp.sum(weights * jnp.sum(path(registry[name].factory(lr=lr), params, computed), axis=0))

    lr, last = jnp.asarray(0.01), jnp.zeros((3, *shape)).at[-1].set(normal(3, *shape))
    for options in (QUICKLY, AS_USERS_DO):
        value, slope = (jax.jit(f, compiler_options=options) for f in (end, jax.grad(end, (0, 1))))
        by_lr, by_gradients = slope(lr, gradients)
        assert np.all(np.isfinite(by_gradients))
        difference = (value(lr + 1e-7, gradients) - value(lr - 1e-7, gradients)) / 2e-7
        np.testing.assert_allclose(by_lr, difference, rtol=1e-6)
        if name != "psgd_kron":
            difference = (value(lr, gradients + 1e-5 * last) - value(lr, gradients - 1e-5 * last)) / 2e-5
            np.testing.assert_allclose(jnp.sum(by_gradients * last), difference, rtol=1e-4)


# A convolution's kernel, attention's heads in and out, a stack of convolutions; and where each axis goes in a matrix.
MERGED = [
    ((2, 3, 4, 5), (0, 1, 2), -1, lambda x: x.reshape(24, 5)),
    ((5, 2, 3), 0, (1, 2), lambda x: x.reshape(5, 6)),
    ((2, 3, 5), (0, 1), 2, lambda x: x.reshape(6, 5)),
    ((2, 3, 5), (-2, 0), -1, lambda x: jnp.moveaxis(x, 1, 0).reshape(6, 5)),
    ((2, 3, 2, 4), (0, 3), (1,), lambda x: x.transpose(2, 0, 3, 1).reshape(2, 8, 3)),
]


@pytest.mark.parametrize(("shape", "in_axis", "out_axis", "merged"), MERGED)
@pytest.mark.parametrize("name", ["muon", "normuon", "scion"])
def test_several_axes_may_be_one_of_a_matrix(x64, name, shape, in_axis, out_axis, merged):
    opt = registry[name].factory(lr=0.1)
    params, gradients = jnp.asarray(normal(0, *shape)), jnp.asarray(normal(1, 4, *shape))
    there = opt.replace(in_axis=in_axis, out_axis=out_axis)
    expected = path(opt, merged(params), jax.vmap(merged)(gradients))
    np.testing.assert_allclose(jax.vmap(merged)(path(there, params, gradients)), expected, rtol=1e-8, atol=1e-12)
    assert there.init(params).momentum.shape == shape


@pytest.mark.parametrize(
    ("in_axis", "out_axis"), [((0, 1), 1), ((0, 0), 1), ((), 1), (None, (0, 1)), ((0, 3), 1), (0, ()), ((0, -3), 1)]
)
def test_axes_that_no_matrix_has_are_refused(in_axis, out_axis):
    with pytest.raises(ValueError, match=r"^out_axis is .*, in_axis is .*, and a leaf has 3 axes$"):
        merged_axes(3, out_axis, in_axis)


def test_leaves_with_different_axes_go_to_optimizers_of_their_own():
    params = {"conv": {"kernel": jnp.ones((3, 3, 2, 4))}, "dense": {"kernel": jnp.ones((4, 5)), "bias": jnp.ones(5)}}
    groups = {"conv": muon(in_axis=(0, 1, 2)), "dense": muon(), "rest": adamw()}
    opt = partition(groups, {"conv": "conv/kernel", "dense": "dense/kernel", "rest": "*"})
    updates, _ = opt.update(params, opt.init(params), params)
    length = jnp.linalg.norm(updates["conv"]["kernel"].reshape(18, 4), ord=2)
    assert 0.02 * 0.68 < length < 0.02 * 1.2


CUBIC = (1.5, -0.5, 0.0)


@pytest.mark.parametrize(
    "options",
    [
        {"coefficients": CUBIC, "steps": 12},
        {"coefficients": ((3.0, -3.2, 1.2), CUBIC), "method": "polar_express"},
        {"preconditioning": "schatten"},
        {"preconditioning": "schatten", "method": "polar_express", "coefficients": None},
        {"preconditioning": "aol", "coefficients": ((4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377))},
        {"scale": "spectral", "preconditioning": "aol", "method": "polar_express"},
    ],
)
@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 3)])
def test_muon_with_its_options_equals_its_twin(x64, options, shape):
    params, gradients = normal(0, *shape), normal(1, 4, *shape)
    gradients[0, ..., 0] = 0
    twin = [p for p, _ in reference.muon(params, gradients, lr=0.1, **options)]
    steps = path(muon(0.1, **options), jnp.asarray(params), jnp.asarray(gradients))
    np.testing.assert_allclose(params[None] + np.cumsum(steps, axis=0), twin, rtol=1e-10)


@pytest.mark.parametrize("name", ["muon", "normuon", "scion"])
def test_coefficients_of_ones_own(name):
    """They may be numbers, a list or an array, and are data there: swept by vmap."""
    g = jnp.asarray(normal(0, 1, 3, 4), jnp.float32)
    opt, usual = registry[name].factory(), [3.4445, -4.7750, 2.0315]
    by_method = path(opt, g[0], g)
    for same in (tuple(usual), usual, (tuple(usual),) * 5, jnp.asarray(usual), jnp.asarray([usual] * 2)):
        np.testing.assert_allclose(path(opt.replace(coefficients=same), g[0], g), by_method, rtol=1e-5)
    rows = jnp.asarray([usual, CUBIC])
    swept = jax.vmap(lambda row: path(opt.replace(coefficients=row), g[0], g))(rows)
    np.testing.assert_allclose(swept[0], by_method, rtol=1e-5)
    np.testing.assert_allclose(swept[1], path(opt.replace(coefficients=CUBIC), g[0], g), rtol=1e-5)


@pytest.mark.parametrize("preconditioning", ["schatten", "aol"])
def test_preconditioned_matrices_stay_finite_and_zeros_stay_zeros(standard, preconditioning):
    for size in (1e30, 1e-30, 0.0):
        x = jnp.zeros((3, 4)).at[1].set(size)
        there, slope = jax.value_and_grad(
            lambda x: jnp.sum(orthogonal(x, "newton_schulz", 5, preconditioning=preconditioning))
        )(x)
        assert np.isfinite(there)
        assert size == 1e-30 or np.all(np.isfinite(slope))
        assert (there == 0) == (size == 0)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_change_of_basis_changes_no_step_but_into_that_basis(seed):
    """Rotated gradients give rotated steps: of muon and soap as they are, of shampoo up to its length, Adam's."""
    with double():
        left, right = (np.linalg.qr(normal((seed, i), n, n))[0] for i, n in enumerate((3, 4)))
        gradients = normal((seed, 2), 4, 3, 4)
        zeros = jnp.zeros((3, 4))
        for opt in (
            muon(lr=1.0),
            muon(lr=1.0, method="polar_express"),
            soap(lr=1.0, every=2),
            kl_soap(lr=1.0, every=2),
            shampoo(lr=1.0, every=1, eps=1e-3),
        ):
            plain, turned = path(opt, zeros, gradients), path(opt, zeros, left @ gradients @ right.T)
            for a, b in zip(plain, turned, strict=True):
                c = left @ a @ right.T
                longer = np.linalg.norm(c) / np.linalg.norm(b) if opt.name == "shampoo" else 1
                np.testing.assert_allclose(longer * b, c, atol=1e-5 * (1 + np.max(np.abs(c))))


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(1e-3, 1e3))
def test_the_scale_of_gradients_changes_no_step(seed, scale):
    with double():
        params, gradients = jnp.asarray(normal((seed, 0), 3, 4)), jnp.asarray(normal((seed, 1), 3, 3, 4))
        for opt in (muon(), scion(), lion(), prodigy(eps=0.0, d0=0.1), shampoo(graft_eps=0.0)):
            plain, scaled = path(opt, params, gradients), path(opt, params, scale * gradients)
            for a, b in zip(plain, scaled, strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("method", "low", "high"), [("newton_schulz", 0.68, 1.20), ("polar_express", 0.86, 1.14)])
@pytest.mark.parametrize("shape", [(40, 40), (24, 60), (60, 24)])
def test_singular_values_come_near_1(method, low, high, shape):
    """From 0.003 of the norm on, all of them, to two digits; the singular vectors stay."""
    small = min(shape)
    u, _, vt = np.linalg.svd(normal(0, *shape), full_matrices=False)
    for seed in range(20):
        s = 10.0 ** np.random.default_rng(seed).uniform(np.log10(0.0031), 0, small)
        s = np.maximum(s, 0.0031 * np.linalg.norm(s))
        s = np.maximum(s, 0.003 * np.linalg.norm(s))
        x = orthogonal(jnp.asarray((u * s) @ vt, jnp.float32), method, steps=5)
        values = np.linalg.svd(x, compute_uv=False)
        assert low <= round(float(values.min()), 2)
        assert round(float(values.max()), 2) <= high
        rotated = u.T @ np.asarray(x) @ vt.T
        assert np.max(np.abs(rotated - np.diag(np.diag(rotated)))) < 1e-4


@pytest.mark.parametrize("shape", [(16, 256), (256, 16)])
def test_products_are_as_small_as_a_matrix_is_narrow(shape):
    work = jax.jit(lambda x: orthogonal(x, "newton_schulz", 5)).lower(jnp.zeros(shape)).cost_analysis()["flops"]
    assert work < 1.1 * 5 * 2 * (16 * 256 * 16 + 16**3 + 16 * 16 * 256)


def test_an_outer_product_is_finite_with_room_to_spare(standard):
    long = outer_product(jnp.full((1, 2), 1e30, jnp.float32))
    np.testing.assert_allclose(long, 1e-8 * np.finfo(np.float32).max, rtol=1e-5)


def test_muon_multiplies_in_bfloat16_where_it_is_told_to():
    g = jnp.asarray(normal(0, 30, 20), jnp.float32)
    exact, rough = (orthogonal(g, "newton_schulz", 5, bfloat16) for bfloat16 in (False, True))
    error = np.linalg.norm(rough - exact) / np.linalg.norm(exact)
    assert 1e-4 < error < 0.05
    assert rough.dtype == jnp.float32
    text = str(jax.make_jaxpr(lambda g: muon(bfloat16=True).update(g, muon().init(g), g))(g))
    assert text.count("preferred_element_type=float32") >= 15
    assert "bf16" in text


def test_complex_matrices_are_multiplied_as_they_are(standard):
    g = jnp.asarray(normal(0, 3, 2) + 1j * normal(1, 3, 2), jnp.complex64)
    exact, rough = (orthogonal(g, "newton_schulz", 5, bfloat16) for bfloat16 in (False, True))
    np.testing.assert_array_equal(rough, exact)


@pytest.mark.parametrize("first", [0.0, 1e-19, 1.8e-15])
def test_shampoo_stays_finite_where_something_large_follows_on_next_to_nothing(first):
    params, opt = jnp.zeros((2, 2)), shampoo()
    _, state = opt.update(params.at[1, 1].set(first), opt.init(params), params)
    updates, _ = opt.update(params.at[0, 1].set(1e30), state, params)
    assert np.all(np.isfinite(updates))


def test_soap_with_no_basis_at_all_is_adam_from_the_second_call_on(x64):
    params, g = jnp.zeros((3, 4)), jnp.asarray(normal(0, 3, 4))
    first, second = path(soap(lr=1.0, longest=1, weight_decay=0.0), params, jnp.stack([g, g]))
    assert not np.any(first)
    np.testing.assert_allclose(second, -np.sign(g), rtol=1e-4)


def test_psgd_kron_keeps_its_factors_in_the_parameters_precision(x64):
    state = registry["psgd_kron"].factory().init(jnp.zeros((2, 3), jnp.float32))
    assert {x.dtype for x in jax.tree.leaves(state.factors)} == {np.dtype(np.float32)}


def test_a_norm_of_a_matrix_and_what_it_is_taken_for():
    x = normal(0, 5, 5)
    symmetric = x @ x.T
    largest = np.linalg.eigvalsh(symmetric)[-1]
    assert 0.7 * largest <= spectral_norm(jnp.asarray(symmetric, jnp.float32)).item() <= 1.0001 * largest


@pytest.mark.parametrize("shape", [(5, 7), (4, 4), (2, 5, 3), (1, 9)])
@pytest.mark.parametrize("block", [2, 3, 100])
def test_blocks(shape, block):
    x = jnp.asarray(normal(0, *shape))
    blocks = in_blocks(x, block)
    assert max(blocks.shape[-2:]) <= block
    np.testing.assert_array_equal(out_of_blocks(blocks, x.shape), x)
    np.testing.assert_array_equal(blocks[..., 0, 0, :, :], x[..., : blocks.shape[-2], : blocks.shape[-1]])


@pytest.mark.parametrize("block", [2, 3])
def test_shampoo_in_blocks_equals_its_twin(x64, block):
    params, gradients = normal(0, 5, 7), normal(1, 25, 5, 7)
    opt = shampoo(block=block, every=3)
    state, p = opt.init(jnp.asarray(params)), jnp.asarray(params)
    for g, (expected, _) in zip(gradients, reference.shampoo(params, gradients, block=block, every=3), strict=True):
        updates, state = opt.update(jnp.asarray(g), state, p)
        p = p + updates
        np.testing.assert_allclose(p, expected, rtol=1e-9)


def test_shampoo_by_hand(x64):
    """Diagonal gradients: L = R, so that U is m over the size of the first gradient, at the length of Adam's step."""
    first, second = np.array([2.0, 0.5]), np.array([1.0, -1.0])
    opt = shampoo(lr=1.0, beta1=0.5, beta2=0.5, eps=0.0, graft_eps=1e-12, weight_decay=0.0)
    one, two = path(opt, jnp.zeros((2, 2)), jnp.stack([jnp.diag(first), jnp.diag(second)]))
    np.testing.assert_allclose(one, -np.eye(2), atol=1e-12)
    m, v = (first / 4 + second / 2) / 0.75, (first**2 / 4 + second**2 / 2) / 0.75
    adam, along = m / np.sqrt(v), m / first
    np.testing.assert_allclose(two, -np.diag(along * np.linalg.norm(adam) / np.linalg.norm(along)), atol=1e-12)


def test_kl_soap_by_hand(x64):
    """Diagonal gradients: the bases are the axes, the first call only finds them, and the second steps by m / √v."""
    first, second = np.array([2.0, 0.5]), np.array([1.0, -3.0])
    opt = kl_soap(lr=1.0, beta1=0.9, beta2=0.75, shampoo_beta=0.5, eps=1e-12, weight_decay=0.0)
    params = jnp.zeros((2, 2))
    none, state = opt.update(jnp.diag(first), opt.init(params), params)
    assert not np.any(none)
    np.testing.assert_allclose(state.factors.inputs, np.diag(first**2) / 4)
    step, state = opt.update(jnp.diag(second), state, params)
    np.testing.assert_allclose(np.diag(step), -0.1 / 0.5 * np.sign(second))
    np.testing.assert_allclose(state.factors.inputs, np.diag(first**2 / 8 + second**2 / 0.1 / 4))
    np.testing.assert_allclose(np.sort(state.eigenvalues.outputs), np.sort(0.05 + second**2 / 0.1 / 4))


def test_soap_keeps_no_factor_of_a_side_that_is_too_long():
    opt = soap(longest=3)
    state = opt.init(jnp.zeros((3, 4)))
    assert state.factors.outputs is None
    assert state.bases.outputs is None
    assert state.factors.inputs.shape == (3, 3)


def test_the_ball_of_scions_signs_is_as_large_as_its_radius_or_smaller_by_the_inputs():
    g = jnp.array([[1.0, -2.0], [3.0, -4.0], [-5.0, 6.0]])
    for norm, radius in (("sign", 2.0), ("sign_fan_in", 2.0 / 3)):
        opt = scion(0.1, radius=2.0, norm=norm, constrained=False)
        updates, _ = opt.update(g, opt.init(g), g)
        np.testing.assert_allclose(updates, -0.1 * radius * jnp.sign(g), rtol=1e-6)
