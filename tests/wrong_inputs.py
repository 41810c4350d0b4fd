"""Wrong inputs and what is said to them: the tests run over this table, and docs/wrong_inputs.md is printed from it.

``python tests/wrong_inputs.py`` prints the page.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxopt_lite
from jaxopt_lite import adam, optimizer


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclasses.dataclass
class Halving:
    """A schedule that compares by its fields but, not being frozen, cannot be hashed."""

    start: float

    def __call__(self, iter):
        return self.start * 0.5**iter


def pulled(iter):
    return jnp.ones(3)


@optimizer(needs=("params",))
def decaying(lr=0.01, weight_decay=0.1):
    def update(grads, state, params=None):
        return jax.tree.map(lambda g, p: -lr * (g + weight_decay * p), grads, params), state

    return jaxopt_lite.zero_steps, update


@optimizer(needs=("value", "params"))
def polyak(lr=0.01):
    def update(grads, state, params=None, *, value):
        return jax.tree.map(lambda g: -lr * value * g, grads), state

    return jaxopt_lite.zero_steps, update


@optimizer
def twice(inner):
    def update(grads, state, params=None, **extra):
        updates, state = inner.pair.update(grads, state, params, **extra)
        return jax.tree.map(lambda u: 2 * u, updates), state

    return inner.pair.init, update


def inputs() -> dict[str, Any]:
    """What the rows below are written with: sound parameters, gradients and state, to be spoilt."""
    w, b = jnp.ones(3), jnp.ones(())
    params = {"layer": {"w": w, "b": b}}
    opt = adam()
    names = {"w": w, "b": b, "params": params, "grads": params, "opt": opt, "state": opt.init(params)}
    tools = {"jax": jax, "jnp": jnp, "np": np, "Pair": Pair, "Halving": Halving, "pulled": pulled}
    mine = {"decaying": decaying, "polyak": polyak, "twice": twice}
    return {name: getattr(jaxopt_lite, name) for name in jaxopt_lite.__all__} | names | tools | mine


def layer(**leaves: str) -> str:
    return "{'layer': {" + ", ".join(f"'{name}': {leaf}" for name, leaf in leaves.items()) + "}}"


def given(grads: str = "grads", state: str = "state", params: str = "") -> str:
    return f"opt.update({grads}, {state}{params and ', ' + params})"


NUMBER, SHARE, POSITIVE = "a finite number or a schedule", "a finite number in [0, 1)", "a finite number of at least 0"
COUNT = "a whole number of at least 1"
FLOATS = "and steps are taken in real or complex floats: keep such a leaf out of the tree, or put None in its place"
SWEEP = "and a step takes one number: jax.vmap over the optimizer runs them all"

WSD = ("warmup_steps", "stable_steps", "decay_steps")

WRONG: dict[str, list[tuple[str, type[Exception], str]]] = {
    "Hyperparameters": [
        ("adam(lr=None)", TypeError, f"adam: lr must be {NUMBER}, not None"),
        ("sgd(lr='0.1')", TypeError, f"sgd: lr must be {NUMBER}, not '0.1'"),
        ("sgd(lr=True)", TypeError, f"sgd: lr must be {NUMBER}, not True"),
        ("sgd(lr=1j)", TypeError, f"sgd: lr must be {NUMBER}, not 1j"),
        ("sgd(lr=[0.1, 0.2])", TypeError, f"sgd: lr must be {NUMBER}, not a list"),
        ("sgd(lr=jnp.ones((), bool))", TypeError, f"sgd: lr must be {NUMBER}, not bool[]"),
        ("sgd(lr=float('nan'))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
        ("sgd(lr=float('inf'))", ValueError, f"sgd: lr must be {NUMBER}, not inf"),
        ("sgd(lr=np.float32('nan'))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
        ("sgd(lr=np.array([0.1, np.nan]))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
        ("sgd(lr=-float('inf'))", ValueError, f"sgd: lr must be {NUMBER}, not -inf"),
        ("adam(beta1=np.array([0.9, 2.0, 3.0]))", ValueError, f"adam: beta1 must be {SHARE}, not 2"),
        (
            "decaying(weight_decay=-0.1)",
            ValueError,
            "decaying: weight_decay must be a finite number of at least 0 or a schedule, not -0.1",
        ),
        ("adam(beta1=1.0)", ValueError, f"adam: beta1 must be {SHARE}, not 1"),
        ("adam(beta2=-0.1)", ValueError, f"adam: beta2 must be {SHARE}, not -0.1"),
        ("adam(beta2=np.array(1.5))", ValueError, f"adam: beta2 must be {SHARE}, not 1.5"),
        ("adam(beta1=lambda iter: 0.9)", TypeError, f"adam: beta1 must be {SHARE}, not a function"),
        ("momentum(momentum=1)", ValueError, f"momentum: momentum must be {SHARE}, not 1"),
        ("nesterov(momentum=None)", TypeError, f"nesterov: momentum must be {SHARE}, not None"),
        ("rmsprop(decay_rate=2.0)", ValueError, f"rmsprop: decay_rate must be {SHARE}, not 2"),
        ("adagrad(eps=-1e-7)", ValueError, f"adagrad: eps must be {POSITIVE}, not -1e-07"),
        ("adan(beta3=1)", ValueError, f"adan: beta3 must be {SHARE}, not 1"),
        ("rmsprop(momentum=1)", ValueError, f"rmsprop: momentum must be {SHARE} or None, not 1"),
        ("heavy_ball(dampening=-1)", ValueError, f"heavy_ball: dampening must be {POSITIVE}, not -1"),
        ("nadam(momentum_decay=-1)", ValueError, f"nadam: momentum_decay must be {POSITIVE}, not -1"),
        ("mars(gamma=None)", TypeError, f"mars: gamma must be {POSITIVE}, not None"),
        ("asgd(lambd=-1)", ValueError, f"asgd: lambd must be {POSITIVE}, not -1"),
        ("rprop(eta_minus=1.2)", ValueError, f"rprop: eta_minus must be {SHARE}, not 1.2"),
        ("rprop(eta_plus=0.5)", ValueError, "rprop: eta_plus must be a finite number of at least 1, not 0.5"),
        ("rprop(max_scale=-1)", ValueError, f"rprop: max_scale must be {POSITIVE}, not -1"),
        ("lars(trust_coefficient=-1)", ValueError, f"lars: trust_coefficient must be {POSITIVE}, not -1"),
        ("ademamix(alpha=-1)", ValueError, f"ademamix: alpha must be {POSITIVE}, not -1"),
        ("ademamix(warmup_steps=0)", ValueError, f"ademamix: warmup_steps must be {COUNT} or None, not 0"),
        ("adam_mini(out_axis=0.5)", ValueError, "adam_mini: out_axis must be a whole number, not 0.5"),
        ("adafactor(eps1=-1)", ValueError, f"adafactor: eps1 must be {POSITIVE}, not -1"),
        ("adafactor(eps2=-1)", ValueError, f"adafactor: eps2 must be {POSITIVE}, not -1"),
        ("prodigy(d0=-1)", ValueError, f"prodigy: d0 must be {POSITIVE}, not -1"),
        ("prodigy(d_coef=-1)", ValueError, f"prodigy: d_coef must be {POSITIVE}, not -1"),
        ("dog(reps_rel=-1)", ValueError, f"dog: reps_rel must be {POSITIVE}, not -1"),
        ("polyak_sgd(max_lr=-1)", ValueError, f"polyak_sgd: max_lr must be {POSITIVE}, not -1"),
        ("polyak_sgd(f_min=None)", TypeError, "polyak_sgd: f_min must be a finite number, not None"),
        (
            "schedule_free_sgd(beta1=0)",
            ValueError,
            "schedule_free_sgd: beta1 must be a finite number in [0.01, 1), not 0",
        ),
        (
            "schedule_free_adamw(beta1=0)",
            ValueError,
            "schedule_free_adamw: beta1 must be a finite number in [0.01, 1), not 0",
        ),
        ("scion(radius=-1)", ValueError, f"scion: radius must be {POSITIVE}, not -1"),
        ("muon(in_axis=0.5)", ValueError, "muon: in_axis must be a whole number or None, not 0.5"),
        ("soap(shampoo_beta=1)", ValueError, f"soap: shampoo_beta must be {SHARE}, not 1"),
        ("soap(longest=0)", ValueError, f"soap: longest must be {COUNT}, not 0"),
        ("shampoo(graft_eps=-1)", ValueError, f"shampoo: graft_eps must be {POSITIVE}, not -1"),
        ("shampoo(block=0)", ValueError, f"shampoo: block must be {COUNT}, not 0"),
        ("psgd_kron(precond_lr=-1)", ValueError, f"psgd_kron: precond_lr must be {POSITIVE}, not -1"),
        ("lbfgs(memory=0)", ValueError, f"lbfgs: memory must be {COUNT}, not 0"),
        ("lbfgs(c1=1)", ValueError, f"lbfgs: c1 must be {SHARE}, not 1"),
        ("lbfgs(c2=1)", ValueError, f"lbfgs: c2 must be {SHARE}, not 1"),
        ("lbfgs(max_evaluations=0)", ValueError, f"lbfgs: max_evaluations must be {COUNT}, not 0"),
        (
            "muon(method='svd')",
            ValueError,
            "muon: method must be one of 'newton_schulz', 'polar_express', not 'svd'",
        ),
        ("muon(scale=1)", ValueError, "muon: scale must be one of 'original', 'match_rms_adamw', not 1"),
        ("scion(norm='l2')", ValueError, "scion: norm must be one of 'spectral', 'sign', 'sign_fan_in', not 'l2'"),
        ("muon(others=adam)", TypeError, "muon: others is the factory adam, where an optimizer is meant: adam()"),
        ("muon(others=0.1)", TypeError, "muon: others must be an optimizer, not 0.1"),
        (
            "muon().init({'kernel': jnp.ones((2, 3)), 'bias': jnp.ones(3)})",
            ValueError,
            "muon: 'bias' has shape (3,) and is no hidden matrix: say what steps such leaves, by others=adamw()",
        ),
        (
            "muon(others=adam()).init({'embedding': jnp.ones((2, 3))})",
            ValueError,
            "muon: 'embedding' has a name for what is no hidden matrix: say which ones are, by hidden=",
        ),
        (
            "soap(others=adam(), hidden='*').init({'w': jnp.ones(3)})",
            ValueError,
            "soap: 'w' has shape (3,), and hidden says that it is a matrix",
        ),
        ("muon(hidden=0.5)", TypeError, "muon: hidden must be a function of path and leaf, or patterns, not 0.5"),
        (
            "muon(hidden=lambda path, leaf: 'others').init({'w': jnp.ones((2, 3))})",
            TypeError,
            "muon: hidden must say True or False of 'w', not 'others'",
        ),
        (
            "muon(hidden='*kernl', others=adam()).init({'kernel': jnp.ones((2, 3))})",
            ValueError,
            "muon: hidden fits no leaf",
        ),
        (
            "muon(others=adam()).init({'attention': {'bias': jnp.ones((2, 3))}})",
            ValueError,
            "muon: 'attention/bias' has a name for what is no hidden matrix: say which ones are, by hidden=",
        ),
        (
            "polyak_sgd().update(grads, polyak_sgd().init(params), value=jnp.ones(3))",
            ValueError,
            "polyak_sgd.update: value has shape (3,), and is one number, the loss at params",
        ),
        (
            "soap(out_axis=0).init({'w': jnp.ones((2, 3, 4))})",
            ValueError,
            "out_axis is 0, in_axis is None, and a leaf has 3 axes",
        ),
        (
            "lbfgs().update(grads, lbfgs().init(params), params, value=1.0, grad=grads)",
            TypeError,
            "lbfgs.update: value_fn is missing, and this rule needs it",
        ),
        (
            "lbfgs().update(grads, lbfgs().init(params), params, value=1.0, value_fn=pulled)",
            TypeError,
            "lbfgs.update: grad is missing, and this rule needs it",
        ),
        (
            "polyak_sgd().update(grads, polyak_sgd().init(params))",
            TypeError,
            "polyak_sgd.update: value is missing, and this rule needs it",
        ),
        ("adagrad(eps='small')", TypeError, f"adagrad: eps must be {POSITIVE}, not 'small'"),
        (
            "sgd(lr=Halving(0.1))",
            TypeError,
            "sgd: lr is a Halving, which cannot be hashed, so that jit cannot tell one from another: "
            "make it a function or a frozen dataclass",
        ),
        ("twice(adam)", TypeError, "twice: inner is the factory adam, where an optimizer is meant: adam()"),
        (
            "skip_nonfinite(adam)",
            TypeError,
            "skip_nonfinite: opt is the factory adam, where an optimizer is meant: adam()",
        ),
        ("skip_nonfinite(None)", TypeError, "skip_nonfinite: opt must be an optimizer, not None"),
        ("skip_nonfinite(1.5)", TypeError, "skip_nonfinite: opt must be an optimizer, not 1.5"),
        ("skip_nonfinite((opt.init, opt.update))", TypeError, "skip_nonfinite: opt must be an optimizer, not a tuple"),
        (
            "skip_nonfinite(opt, give_up_after=0)",
            ValueError,
            "skip_nonfinite: give_up_after must be a whole number of at least 1 or None, not 0",
        ),
        (
            "adam(learning_rate=0.1)",
            TypeError,
            "adam: got an unexpected keyword argument 'learning_rate'; its arguments are lr, beta1, beta2, eps",
        ),
        ("sgd(params, lr=0.1)", TypeError, "sgd: multiple values for argument 'lr'; its arguments are lr"),
        ("sgd(lr=adam)", TypeError, "sgd: lr is the factory adam, where an optimizer is meant: adam()"),
        (
            "adam().replace(rate=0.1)",
            TypeError,
            "adam.replace: there is no argument 'rate'; there are lr, beta1, beta2, eps",
        ),
    ],
    "Schedules": [
        (
            "schedules.linear(start=None, end=0.1, steps=9)",
            TypeError,
            "linear: start must be a finite number, not None",
        ),
        ("schedules.cosine(0.1, steps=9, end=jnp.nan)", ValueError, "cosine: end must be a finite number, not nan"),
        ("schedules.cosine(0.1, steps=0)", ValueError, f"cosine: steps must be {COUNT}, not 0"),
        ("schedules.cosine(0.1, steps=2.5)", ValueError, f"cosine: steps must be {COUNT}, not 2.5"),
        ("schedules.cosine_restarts(0.1, 9, growth=0)", ValueError, f"cosine_restarts: growth must be {COUNT}, not 0"),
        (
            "schedules.exponential(0.1, rate='half')",
            TypeError,
            "exponential: rate must be a finite number of at least 0, not 'half'",
        ),
        (
            "schedules.polynomial(1, 0, 9, power=jnp.inf)",
            ValueError,
            "polynomial: power must be a finite number of at least 0, not inf",
        ),
        ("schedules.constant('a')", TypeError, "constant: value must be a finite number, not 'a'"),
        ("schedules.warmup(9, then=None)", TypeError, f"warmup: then must be {NUMBER}, not None"),
        ("schedules.cosine(0.1, 9) + 'a'", TypeError, f"add: b must be {NUMBER}, not 'a'"),
        ("schedules.add('a', 0.1)", TypeError, f"add: a must be {NUMBER}, not 'a'"),
        ("schedules.scale('a', 0.1)", TypeError, f"scale: schedule must be {NUMBER}, not 'a'"),
        ("schedules.cosine(0.1, 9) * 'a'", TypeError, "scale: factor must be a finite number, not 'a'"),
        ("schedules.one_cycle(peak=None, steps=9)", TypeError, "one_cycle: peak must be a finite number, not None"),
        ("schedules.one_cycle(0.1, 9, warmup=1.0)", ValueError, f"one_cycle: warmup must be {SHARE}, not 1"),
        *(
            (
                f"schedules.warmup_stable_decay({', '.join(['0.1', *('0' if x == name else '9' for x in WSD)])})",
                ValueError,
                f"warmup_stable_decay: {name} must be {COUNT}, not 0",
            )
            for name in WSD
        ),
        (
            "schedules.join(0.1, 0.2, at=(9, 20))",
            ValueError,
            "join: 2 schedules need 1 steps to change at, not 2",
        ),
        (
            "schedules.join(0.1, 0.2, 0.3, at=(20, 9))",
            ValueError,
            "join: at must be a tuple of steps in rising order, not (20, 9)",
        ),
        (
            "schedules.step(0.1, 0.5, at=10)",
            ValueError,
            "step: at must be a tuple of steps in rising order, not 10",
        ),
        (
            "adam(lr=schedules.cosine)",
            TypeError,
            "adam: lr is the factory cosine, where a schedule is meant: cosine(…)",
        ),
    ],
    "Transforms, wrappers and groups": [
        ("clip(max_value=-1)", ValueError, f"clip: max_value must be {POSITIVE}, not -1"),
        (
            "clip_by_global_norm(max_norm=None)",
            TypeError,
            f"clip_by_global_norm: max_norm must be {POSITIVE}, not None",
        ),
        ("adaptive_clip(clipping=-0.1)", ValueError, f"adaptive_clip: clipping must be {POSITIVE}, not -0.1"),
        ("cautious(floor='low')", TypeError, f"cautious: floor must be {POSITIVE}, not 'low'"),
        ("normalize(over='batch')", ValueError, "normalize: over must be 'tree' or 'leaf', not 'batch'"),
        ("add_noise(variance=-1)", ValueError, f"add_noise: variance must be {POSITIVE} or a schedule, not -1"),
        ("add_noise(seed=0.5)", ValueError, "add_noise: seed must be a whole number, not 0.5"),
        ("grokfast(decay_rate=1)", ValueError, f"grokfast: decay_rate must be {SHARE}, not 1"),
        ("grokfast(amplify=-1)", ValueError, f"grokfast: amplify must be {POSITIVE}, not -1"),
        ("reduce_on_plateau(patience=0)", ValueError, f"reduce_on_plateau: patience must be {COUNT}, not 0"),
        ("reduce_on_plateau(min_scale=-1)", ValueError, f"reduce_on_plateau: min_scale must be {POSITIVE}, not -1"),
        ("reduce_on_plateau(threshold=2)", ValueError, f"reduce_on_plateau: threshold must be {SHARE}, not 2"),
        (
            "chain(adam(), reduce_on_plateau()).update(grads, (state, state), params)",
            TypeError,
            "chain.update: value is missing, and this rule needs it",
        ),
        (
            "cautious().update(grads, ())",
            TypeError,
            "cautious.update: grad is missing; a chain gives it, and alone this needs grad=gradients",
        ),
        ("chain(clip, adam())", TypeError, "chain: parts is the factory clip, where a transform is meant: clip(…)"),
        ("chain(w, adam())", TypeError, "chain: a part must be an optimizer or a transform, not float32[3]"),
        (
            "chain(adam(), clip(1.0), sgd())",
            TypeError,
            "chain: adam and sgd are two optimizers, and the second would climb: use one",
        ),
        (
            "chain(weight_decay(0.1), adam())",
            ValueError,
            "chain: weight_decay works on updates, and stands before adam",
        ),
        ("accumulate(clip(1.0), 4)", TypeError, "accumulate: opt must be an optimizer, not the transform clip"),
        ("accumulate(opt, every=0)", ValueError, f"accumulate: every must be {COUNT}, not 0"),
        ("average(opt, ema=1.0)", ValueError, f"average: ema must be {SHARE} or None, not 1"),
        ("average(opt, begin=-1)", ValueError, "average: begin must be a whole number of at least 0, not -1"),
        ("lookahead(opt, alpha=2)", ValueError, f"lookahead: alpha must be {SHARE}, not 2"),
        ("sam(opt, rho=-1)", ValueError, f"sam: rho must be {POSITIVE}, not -1"),
        ("sam(opt).update(grads, state, params)", TypeError, "sam.update: value_fn is missing, and this rule needs it"),
        ("skip_spikes(opt, deviations=-1)", ValueError, f"skip_spikes: deviations must be {POSITIVE}, not -1"),
        (
            "skip_spikes(opt, window=1)",
            ValueError,
            "skip_spikes: window must be a whole number of at least 2, not 1",
        ),
        (
            "adamw(decay='coupled')",
            ValueError,
            "adamw: decay must be one of 'decoupled', 'independent', 'l2', 'proximal', not 'coupled'",
        ),
        (
            "adamw(lr=pulled, decay='independent')",
            ValueError,
            "adamw: peak_lr is missing: with decay='independent' a scheduled lr is measured by its largest",
        ),
        ("adamw(peak_lr=jnp.nan)", ValueError, "adamw: peak_lr must be a finite number or None, not nan"),
        (
            "partition({'all': clip(1.0)}, 'all')",
            TypeError,
            "partition: group 'all' must be an optimizer, not the transform clip",
        ),
        (
            "partition({'a': opt, 'b': sgd()}, 'a').init(params)",
            ValueError,
            "partition: group 'b' has no leaf",
        ),
        (
            "partition({'a': opt}, lambda path, leaf: 'c').init(params)",
            ValueError,
            "partition: 'layer/b' is labelled 'c', and the groups are a",
        ),
        (
            "partition({'a': opt, 'b': sgd()}, {'a': '*w', 'b': '*bias'}).init(params)",
            ValueError,
            "partition: 'layer/b' fits none of '*w', '*bias', and must fit one; '*' is for what nothing else fits",
        ),
        (
            "partition({'a': opt, 'b': sgd()}, {'a': '*w', 'b': 'layer/*'}).init(params)",
            ValueError,
            "partition: 'layer/w' fits '*w' and 'layer/*', and must fit one; '*' is for what nothing else fits",
        ),
        (
            "partition({'a': opt}, {'layer': {'w': 'a'}}).init(params)",
            ValueError,
            "partition: label['layer']['b'] is missing, params['layer']['b'] is float32[]",
        ),
        (
            "lr_multiplier({'*w': 2.0}).update(grads, ())",
            ValueError,
            "lr_multiplier: 'layer/b' fits none of '*w', and must fit one; '*' is for what nothing else fits",
        ),
        (
            "lr_multiplier({'*w': 2.0, 'layr/*': 0.5, '*': 1.0}).update(grads, ())",
            ValueError,
            "lr_multiplier: 'layr/*' fits no leaf",
        ),
        (
            "partition({'a': opt, 'b': sgd()}, {'a': '*', 'b': '*bias'}).init(params)",
            ValueError,
            "partition: '*bias' fits no leaf",
        ),
        ("find(state, 'mu')", ValueError, "find: there is no 'mu' in this state; there are iter, m, v"),
        (
            "find((state, state), 'm')",
            ValueError,
            "find: 'm' is more than one: state[0].m, state[1].m",
        ),
        (
            "averaged_params(state)",
            ValueError,
            "find: there is no 'average' in this state; there are iter, m, v",
        ),
        (
            "from_optax(3)",
            TypeError,
            "from_optax: tx must be one of optax's transformations, not 3",
        ),
    ],
    "Hyperparameters in use": [
        ("adam(lr=jnp.ones(8)).init(params)", ValueError, f"adam.init: lr has shape (8,), {SWEEP}"),
        ("adam(beta1=jnp.zeros(2)).update(grads, state)", ValueError, f"adam.update: beta1 has shape (2,), {SWEEP}"),
        ("twice(sgd(lr=np.ones(8))).init(params)", ValueError, f"twice.init: lr has shape (8,), {SWEEP}"),
        (
            "sgd(pulled).update(grads, sgd().init(params))",
            TypeError,
            "the schedule pulled gave float32[3], where one number is needed",
        ),
        (
            "sgd(lambda iter: iter < 10).update(grads, sgd().init(params))",
            TypeError,
            "the schedule <lambda> gave bool[], where one number is needed",
        ),
        (
            "sgd(lambda iter: None).update(grads, sgd().init(params))",
            TypeError,
            "the schedule <lambda> gave None, where one number is needed",
        ),
        (
            "polyak().update(grads, polyak().init(params), params)",
            TypeError,
            "polyak.update: value is missing, and this rule needs it",
        ),
        (
            "decaying().update(grads, decaying().init(params))",
            TypeError,
            "decaying.update: params is missing, and this rule needs it",
        ),
        (
            "twice(decaying()).update(grads, decaying().init(params))",
            TypeError,
            "twice.update: params is missing, and this rule needs it",
        ),
        (
            "polyak().update(grads, polyak().init(params))",
            TypeError,
            "polyak.update: params is missing, and this rule needs it",
        ),
    ],
    "Parameters": [
        (
            "opt.init({'layer': {'w': jnp.ones(3, int)}})",
            TypeError,
            f"adam.init: params['layer']['w'] is int32[3], {FLOATS}",
        ),
        ("opt.init([w, jnp.ones(2, bool)])", TypeError, f"adam.init: params[1] is bool[2], {FLOATS}"),
        ("opt.init({'key': jax.random.key(0)})", TypeError, f"adam.init: params['key'] is key<fry>[], {FLOATS}"),
        ("opt.init({'w': 3})", TypeError, f"adam.init: params['w'] is 3, {FLOATS}"),
        ("opt.init({'w': w, 'name': 'dense'})", TypeError, "adam.init: params['name'] is 'dense', not an array"),
        ("opt.init(Pair(w, jnp.tanh))", TypeError, "adam.init: params.b is the function tanh, not an array"),
        ("opt.init({'w': jnp.float32})", TypeError, "adam.init: params['w'] is the function float32, not an array"),
        ("opt.init(state)", TypeError, f"adam.init: params.iter is int32[], {FLOATS}"),
        (
            given(params="{'layer': {'w': w, 'b': 1}}"),
            TypeError,
            f"adam.update: params['layer']['b'] is int32[], {FLOATS}",
        ),
        (
            given(params="{'layer': {'w': w, 'b': 'one'}}"),
            TypeError,
            "adam.update: params['layer']['b'] is 'one', not an array",
        ),
    ],
    "Gradients against parameters": [
        (
            given(layer(w="jnp.ones((3, 1))", b="b"), params="params"),
            ValueError,
            "adam.update: gradients['layer']['w'] has shape (3, 1), params['layer']['w'] has shape (3,)",
        ),
        (
            given(layer(w="w", b="jnp.ones(1)"), params="params"),
            ValueError,
            "adam.update: gradients['layer']['b'] has shape (1,), params['layer']['b'] has shape ()",
        ),
        (
            given(layer(w="w"), params="params"),
            ValueError,
            "adam.update: gradients['layer']['b'] is missing, params['layer']['b'] is float32[]",
        ),
        (
            given(layer(w="w", b="b", c="w"), params="params"),
            ValueError,
            "adam.update: gradients['layer']['c'] is float32[3], params['layer']['c'] is missing",
        ),
        (
            given(layer(w="None", b="b"), params="params"),
            ValueError,
            "adam.update: gradients['layer']['w'] is None, params['layer']['w'] is float32[3]",
        ),
        (
            given(params=layer(w="None", b="b")),
            ValueError,
            "adam.update: gradients['layer']['w'] is float32[3], params['layer']['w'] is None",
        ),
        (
            given("{'layer': [w, b]}", params="params"),
            ValueError,
            "adam.update: gradients['layer'] is a list, params['layer'] is a dict",
        ),
        (
            given("{'layer': Pair(w, b)}", params="{'layer': (w, b)}"),
            ValueError,
            "adam.update: gradients['layer'] is a Pair, params['layer'] is a tuple",
        ),
        (given("w", params="params"), ValueError, "adam.update: gradients is float32[3], params is a dict"),
        (given("None", params="params"), ValueError, "adam.update: gradients is None, params is a dict"),
        (
            given(layer(w="w * 1j", b="b"), params="params"),
            TypeError,
            "adam.update: gradients['layer']['w'] is complex64[3], params['layer']['w'] is float32[3]: "
            "take the real part first",
        ),
    ],
    "Gradients": [
        (
            given(layer(w="jnp.ones(3, int)", b="b")),
            TypeError,
            f"adam.update: gradients['layer']['w'] is int32[3], {FLOATS}",
        ),
        (
            given(layer(w="jnp.ones(3, bool)", b="b")),
            TypeError,
            f"adam.update: gradients['layer']['w'] is bool[3], {FLOATS}",
        ),
        (
            given(layer(w="np.zeros(3, jax.dtypes.float0)", b="b")),
            TypeError,
            f"adam.update: gradients['layer']['w'] is float0[3], {FLOATS}",
        ),
        (
            given(layer(w="jax.random.key(0)", b="b")),
            TypeError,
            f"adam.update: gradients['layer']['w'] is key<fry>[], {FLOATS}",
        ),
        (given(layer(w="'w'", b="b")), TypeError, "adam.update: gradients['layer']['w'] is 'w', not an array"),
        (
            given(layer(w="jnp.sin", b="b")),
            TypeError,
            "adam.update: gradients['layer']['w'] is the function sin, not an array",
        ),
        (
            given(layer(w="object", b="b")),
            TypeError,
            "adam.update: gradients['layer']['w'] is the function object, not an array",
        ),
    ],
    "Gradients and state": [
        (
            given(layer(w="jnp.ones((3, 1))", b="b")),
            ValueError,
            "adam.update: state.m['layer']['w'] has shape (3,), where adam.init gives (3, 1) for these gradients",
        ),
        (
            given(layer(w="jnp.ones(5)", b="b")),
            ValueError,
            "adam.update: state.m['layer']['w'] has shape (3,), where adam.init gives (5,) for these gradients",
        ),
        (
            given(layer(w="jnp.ones(1)", b="b")),
            ValueError,
            "adam.update: state.m['layer']['w'] has shape (3,), where adam.init gives (1,) for these gradients",
        ),
        (
            given(layer(w="w")),
            ValueError,
            "adam.update: state.m['layer']['b'] is float32[], where adam.init gives nothing",
        ),
        (
            given(layer(w="w", b="b", c="b")),
            ValueError,
            "adam.update: state.m['layer']['c'] is missing, where adam.init gives float32[]",
        ),
        (
            given("{'layer': [w, b]}"),
            ValueError,
            "adam.update: state.m['layer'] is a dict, where adam.init gives a list",
        ),
        (
            given(layer(w="w", b="None")),
            ValueError,
            "adam.update: state.m['layer']['b'] is float32[], where adam.init gives None",
        ),
        (given(state="None"), TypeError, "adam.update: state is None, where adam.init gives an AdamState"),
        (given(state="()"), TypeError, "adam.update: state is a tuple, where adam.init gives an AdamState"),
        (given(state="opt"), TypeError, "adam.update: state is the optimizer adam, where adam.init gives an AdamState"),
        (given(state="params"), TypeError, "adam.update: state is a dict, where adam.init gives an AdamState"),
        (
            given(state="momentum().init(params)"),
            TypeError,
            "adam.update: state is a MomentumState, where adam.init gives an AdamState",
        ),
        (
            "sgd().update(grads, state)",
            TypeError,
            "sgd.update: state is an AdamState, where sgd.init gives a SGDState",
        ),
        (
            "twice(sgd()).update(grads, state)",
            TypeError,
            "twice.update: state is an AdamState, where twice.init gives a SGDState",
        ),
        (
            given(state="state._replace(m=None)"),
            ValueError,
            "adam.update: state.m is None, where adam.init gives a dict",
        ),
        (
            given(state="state._replace(iter=0.5)"),
            TypeError,
            "adam.update: state.iter is float32[], where adam.init gives int32[]",
        ),
        (
            given(state="state._replace(iter=jnp.zeros(2, int))"),
            TypeError,
            "adam.update: state.iter is int32[2], where adam.init gives int32[]",
        ),
        (
            given(state="state._replace(m=opt)"),
            ValueError,
            "adam.update: state.m is the optimizer adam, where adam.init gives a dict",
        ),
        (
            given(state="state._replace(m={'layer': {'w': 'w', 'b': b}})"),
            TypeError,
            "adam.update: state.m['layer']['w'] is 'w', not an array",
        ),
        (
            "opt.update(state, grads)",
            TypeError,
            "adam.update: the order is gradients, state, params, and an AdamState did not come second",
        ),
        (
            "opt.update(grads, params, state)",
            TypeError,
            "adam.update: the order is gradients, state, params, and an AdamState did not come second",
        ),
    ],
    "apply_updates": [
        (
            "apply_updates(params, {'layer': {'w': jnp.ones((3, 1)), 'b': b}})",
            ValueError,
            "apply_updates: updates['layer']['w'] has shape (3, 1), params['layer']['w'] has shape (3,)",
        ),
        (
            "apply_updates(params, {'layer': {'w': w}})",
            ValueError,
            "apply_updates: updates['layer']['b'] is missing, params['layer']['b'] is float32[]",
        ),
        (
            "apply_updates(params, opt.update(grads, state))",
            ValueError,
            "apply_updates: updates is a tuple, params is a dict",
        ),
        (
            "apply_updates({'n': jnp.ones(2, int)}, {'n': jnp.ones(2)})",
            TypeError,
            f"apply_updates: params['n'] is int32[2], {FLOATS}",
        ),
        (
            "apply_updates({'w': w}, {'w': 1j * w})",
            TypeError,
            "apply_updates: updates['w'] is complex64[3], params['w'] is float32[3]: take the real part first",
        ),
        ("apply_updates({'w': 'w'}, {'w': w})", TypeError, "apply_updates: params['w'] is 'w', not an array"),
        ("apply_updates({'w': w}, {'w': 'w'})", TypeError, "apply_updates: updates['w'] is 'w', not an array"),
        (
            "apply_updates({'w': w}, {'w': jnp.ones(3, int)})",
            TypeError,
            f"apply_updates: updates['w'] is int32[3], {FLOATS}",
        ),
        ("apply_updates({'w': w}, None)", ValueError, "apply_updates: updates is None, params is a dict"),
    ],
    "Packing, and a step in one line": [
        (
            "pack(params, {'layer': 'a', 'b': 'c'})",
            ValueError,
            "pack: 'layer/b' fits none of 'a', 'c', and must fit one; '*' is for what nothing else fits",
        ),
        (
            "pack({'float32': w, 'b': b}, largest=1)",
            ValueError,
            "pack: 'float32' is the path of a leaf, and the name of another array as well: rename it",
        ),
        ("pack(pack(params)[0])", TypeError, "pack: params are packed already"),
        ("pack({'w': jax.random.key(0)})", TypeError, f"pack: params['w'] is key<fry>[], {FLOATS}"),
        (
            "unpack(jax.tree.map(lambda p: p[:2], pack(params)[0]))",
            ValueError,
            "unpack: float32[2] is kept of a buffer of 4 entries: its rule looks at leaves",
        ),
        (
            "chain(add_noise(), sgd()).init(pack(params)[0])",
            ValueError,
            "add_noise: 'float32' is a buffer of 2 packed parameters, and this needs each by itself: "
            "pack(params, label) leaves out what label gives None for",
        ),
        ("pack({'w': 'w'})", TypeError, "pack: params['w'] is 'w', not an array"),
        (
            "partition({'w': sgd(), 'b': adam()}, {'w': '*w', 'b': '*b'}).init(pack(params)[0])",
            ValueError,
            "partition: 'layer/b' is given '*b', 'layer/w' is given '*w', and they are packed in one buffer: "
            "pack(params, label) packs by label",
        ),
        (
            "lamb().init(pack(params)[0])",
            ValueError,
            "lamb: 'float32' is a buffer of 2 packed parameters, and this needs each by itself: "
            "pack(params, label) leaves out what label gives None for",
        ),
        (
            "repack({'layer': {'w': w}}, like=pack(params)[0])",
            ValueError,
            "repack: tree['layer']['b'] is missing, where like has float32[]",
        ),
        (
            "repack({'layer': {'w': b, 'b': b}}, like=pack(params)[0])",
            ValueError,
            "repack: tree['layer']['w'] is float32[], where like has float32[3]",
        ),
        (
            "train_step(jnp.sum, adam)",
            TypeError,
            "train_step: opt is the factory adam, where an optimizer is meant: adam()",
        ),
        (
            "train_step(jnp.sum, clip(1.0))",
            TypeError,
            "train_step: opt must be an optimizer, not the transform clip",
        ),
        ("train_step('mse', adam())", TypeError, "train_step: loss must be a function of the parameters, not 'mse'"),
    ],
    "Rules": [
        (
            "each(lambda g, m: g, grads, state.m)",
            TypeError,
            "each: <lambda> gets 2 values by position and must return as many",
        ),
        (
            "each(lambda g: g[:, None], w)",
            TypeError,
            "each: <lambda> got float32[3] and returned float32[3, 1] in its place",
        ),
        (
            "each(lambda g: 1j * g, w)",
            TypeError,
            "each: <lambda> got float32[3] and returned complex64[3] in its place",
        ),
        (
            "optimizer(needs=('vlaue',))(lambda: None)",
            ValueError,
            "<lambda>: 'vlaue' is nothing that a rule can need; "
            "there are grad, key, leaf, matrices, params, tree, value, value_fn",
        ),
        ("optimizer(lambda: (1, 2, 3))()", TypeError, "<lambda> must return (init, update), not tuple"),
        ("optimizer(lambda: None)()", TypeError, "<lambda> must return (init, update), not NoneType"),
    ],
}


HEADER = """\
# Wrong inputs

What is refused, and what is said. The tests run each of these, eagerly and under jit, and expect these words.

Here `params`, `grads` and `state` belong to `opt = adam()` over `{'layer': {'w': jnp.ones(3), 'b': jnp.ones(())}}`.
`w` and `b` are its leaves. `twice` is a wrapper. `decaying` is an optimizer that needs `params`, `polyak` one that
needs `params` and `value`."""


def page() -> str:
    """docs/wrong_inputs.md."""
    lines = [HEADER]
    for title, rows in WRONG.items():
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| `{code}` | {error.__name__}: {sentence.replace('<', '&lt;')} |" for code, error, sentence in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
