"""Rules."""

from wrong_inputs.names import Row

ROWS: list[Row] = [
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
        "there are decay, grad, key, leaf, matrices, params, tree, value, value_fn",
    ),
    ("optimizer(lambda: (1, 2, 3))()", TypeError, "<lambda> must return (init, update), not tuple"),
    ("optimizer(lambda: None)()", TypeError, "<lambda> must return (init, update), not NoneType"),
]
