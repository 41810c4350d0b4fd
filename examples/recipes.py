"""Recipes: six training loops that people ask for, on a small network for handwritten digits.

    python examples/recipes.py

Each is a function, to be read and copied; what it prints is what came of it.
"""

import jax
import jax.numpy as jnp

from jaxopt_lite import (
    accumulate,
    adam,
    adamw,
    apply_updates,
    average,
    averaged_params,
    chain,
    clip_by_global_norm,
    freeze,
    hyperball,
    hyperparams,
    lr_multiplier,
    momentum,
    partition,
    schedules,
)
from jaxopt_lite.datasets import load_digits

DIGITS = load_digits("digits")
SIZES = (64, 32, 32, 10)


def network(seed):
    keys = jax.random.split(jax.random.key(seed), len(SIZES) - 1)
    shapes = zip(keys, SIZES[:-1], SIZES[1:], strict=True)
    layers = [
        {"kernel": jax.random.normal(key, (n, m)) * n**-0.5, "bias": jnp.zeros(m), "scale": jnp.ones(m)}
        for key, n, m in shapes
    ]
    return {f"layer{i}": layer for i, layer in enumerate(layers)}


def predict(params, x):
    for layer in params.values():
        x = layer["scale"] * jnp.tanh(x @ layer["kernel"] + layer["bias"])
    return 5 * x


def loss(params, x, t):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(predict(params, x)), t[:, None], axis=1))


@jax.jit
def step(opt, params, state, x, t):
    """The optimizer is an argument like any other: its numbers may be arrays, which change without a new program."""
    updates, state = opt.update(jax.grad(loss)(params, x, t), state, params)
    return apply_updates(params, updates), state


def batch(i, size=64):
    begin = i * size % (len(DIGITS.x_train) - size)
    return DIGITS.x_train[begin : begin + size], DIGITS.t_train[begin : begin + size]


def train(opt, params, steps):
    state = opt.init(params)
    for i in range(steps):
        params, state = step(opt, params, state, *batch(i))
    return params, state


def accuracy(params):
    return jnp.mean(jnp.argmax(predict(params, DIGITS.x_test), axis=1) == DIGITS.t_test)


def what_transformers_are_trained_with():
    """Warmup and cosine, clipping, no decay on biases and scales, accumulation, and an average to evaluate."""
    lr = schedules.warmup(20, schedules.cosine(0.01, steps=280))
    groups = {"decay": adamw(lr, weight_decay=0.1), "no_decay": adamw(lr, weight_decay=0.0)}
    by_path = partition(groups, {"decay": "*kernel", "no_decay": "*bias|*scale"})
    inner = average(chain(clip_by_global_norm(1.0), by_path), ema=0.95)
    opt = accumulate(inner, every=2)

    params, state = train(opt, network(0), steps=600)
    print(f"transformer recipe: {accuracy(params):.3f}, averaged {accuracy(averaged_params(state)):.3f}")
    print(f"  the numbers at the end: {', '.join(f'{k} {v:.2g}' for k, v in hyperparams(opt, state).items())}")
    return params


def one_rule_for_matrices_and_another_for_the_rest():
    """Here momentum along the sphere, for hidden matrices; AdamW for the head, and for vectors."""
    hidden = chain(momentum(), hyperball(lr=0.02))
    opt = partition(
        {"hidden": hidden, "rest": adamw(0.01)},
        lambda path, leaf: "hidden" if leaf.ndim == 2 and "layer2" not in path else "rest",
    )
    params, _ = train(opt, network(0), steps=300)
    print(f"matrices and the rest: {accuracy(params):.3f}")


def a_frozen_backbone(pretrained):
    """A new head on old layers; these do not move, and have no state."""
    params = pretrained | {"layer2": network(1)["layer2"]}
    opt = partition({"head": adam(0.01), "backbone": freeze()}, {"head": "layer2/*", "backbone": "*"})
    tuned, state = train(opt, params, steps=100)
    moved = jax.tree.map(lambda old, new: float(jnp.max(jnp.abs(new - old))), params["layer0"], tuned["layer0"])
    kept = sum(leaf.size for leaf in jax.tree.leaves(state))
    print(f"frozen backbone: {accuracy(tuned):.3f}, layer0 moved by {max(moved.values())}, {kept} numbers of state")


def slower_layers(pretrained):
    """Fine-tuning: each layer learns half as fast as the one above it."""
    factors = {f"layer{i}/*": 0.5 ** (2 - i) for i in range(3)}
    opt = chain(adamw(0.003), lr_multiplier(factors))
    params, _ = train(opt, pretrained, steps=100)
    print(f"per-layer learning rates: {accuracy(params):.3f}")


def a_learning_rate_changed_by_hand():
    """The rate is an array, and so data: one program serves them all."""
    opt, params = adam(lr=jnp.asarray(0.01)), network(0)
    state, before = opt.init(params), step._cache_size()
    for i in range(300):
        if i == 200:
            opt = opt.replace(lr=jnp.asarray(0.001))
        params, state = step(opt, params, state, *batch(i))
    print(f"changed by hand: {accuracy(params):.3f}, {step._cache_size() - before} program")


def a_learned_learning_rate():
    """A hypergradient: the loss after 20 steps, differentiated by the log of their rate."""

    def after_20_steps(log_lr):
        opt, params = momentum(lr=jnp.exp(log_lr)), network(0)

        def one(carry, xt):
            return step(opt, *carry, *xt), None

        xs, ts = zip(*(batch(i) for i in range(20)), strict=True)
        (params, _), _ = jax.lax.scan(one, (params, opt.init(params)), (jnp.stack(xs), jnp.stack(ts)))
        return loss(params, DIGITS.x_train, DIGITS.t_train)

    meta, log_lr = adam(lr=0.3), jnp.log(0.001)
    meta_state, value_and_slope = meta.init(log_lr), jax.jit(jax.value_and_grad(after_20_steps))
    first, _ = value_and_slope(log_lr)
    for _ in range(20):
        _, slope = value_and_slope(log_lr)
        updates, meta_state = meta.update(slope, meta_state)
        log_lr = apply_updates(log_lr, updates)
    last, _ = value_and_slope(log_lr)
    print(f"learned rate: from 0.001 to {jnp.exp(log_lr):.2g}, loss after 20 steps from {first:.2f} to {last:.2f}")


if __name__ == "__main__":
    pretrained = what_transformers_are_trained_with()
    one_rule_for_matrices_and_another_for_the_rest()
    a_frozen_backbone(pretrained)
    slower_layers(pretrained)
    a_learning_rate_changed_by_hand()
    a_learned_learning_rate()
