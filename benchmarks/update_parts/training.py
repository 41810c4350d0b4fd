"""A whole training step, for benchmarks/update.py: a network of 146 layers, and so of 292 leaves, at four widths."""

import random
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxopt_lite import adamw, pack, train_step

WIDTHS, LAYERS, BATCH, ROUNDS, STEPS = (16, 32, 64, 128, 256), 146, 32, 9, 6


def loss(params, x, t):
    for layer in params:
        x = x + 0.1 * jnp.tanh(x @ layer["w"] + layer["b"])
    return jnp.mean((x - t) ** 2)


def optax_step(opt):
    def step(params, state, x, t):
        value, grads = jax.value_and_grad(loss)(params, x, t)
        updates, state = opt.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    return jax.jit(step, donate_argnums=(0, 1))


def training():
    """Milliseconds a step, round by round, and to compile, by width and contender."""
    results = {}
    for width in WIDTHS:
        rng = np.random.default_rng(0)
        x, t = (jnp.asarray(rng.standard_normal((BATCH, width)), jnp.float32) for _ in range(2))
        weights = rng.standard_normal((LAYERS, width, width)) / width**0.5
        params = [{"w": jnp.asarray(w, jnp.float32), "b": jnp.zeros(width)} for w in weights]
        small, unpack = pack(params)
        packed, _ = pack(params, largest=None)

        def packed_loss(params, x, t, unpack=unpack):
            return loss(unpack(params), x, t)

        theirs, ours = optax.adamw(0.001, weight_decay=0.01), adamw()
        found = {
            "optax": (optax_step(theirs), params, theirs),
            "ours": (train_step(loss, ours), params, ours),
            "ours, packed": (train_step(packed_loss, ours), small, ours),
            "ours, all packed": (train_step(packed_loss, ours), packed, ours),
        }
        runs, mine = {}, {"ms": {}, "compile": {}}
        for name, (step, start, opt) in found.items():
            carry = [jax.tree.map(jnp.copy, start), opt.init(start)]
            began = time.perf_counter()
            program = step.lower(*carry, x, t).compile()
            mine["compile"][name] = 1e3 * (time.perf_counter() - began)
            runs[name] = program, carry
        order = list(runs)
        for _ in range(ROUNDS):
            random.shuffle(order)
            for name in order:
                program, carry = runs[name]
                carry[:] = jax.tree.map(jnp.copy, carry)
                *carry[:], _ = program(*carry, x, t)
                jax.block_until_ready(carry)
                began = time.perf_counter()
                for _ in range(STEPS):
                    *carry[:], _ = program(*carry, x, t)
                jax.block_until_ready(carry)
                mine["ms"].setdefault(name, []).append(1e3 * (time.perf_counter() - began) / STEPS)
        results[width] = mine
        print(f"training at width {width}: " + "  ".join(f"{n} {np.median(v):.3g}" for n, v in mine["ms"].items()))
    return results
