"""Hyperparameters in use."""

from wrong_inputs.names import Row

SWEEP = "and a step takes one number: jax.vmap over the optimizer runs them all"

ROWS: list[Row] = [
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
        "polyak.update: value is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
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
]
