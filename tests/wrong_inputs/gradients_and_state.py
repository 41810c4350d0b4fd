"""Gradients and state."""

from wrong_inputs.names import Row, given, layer

ROWS: list[Row] = [
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
        "adam.update: state.m['layer']['b'] is float32[], where adam.init gives None, as the gradient is",
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
]
