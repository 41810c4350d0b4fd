"""Gradients against parameters."""

from wrong_inputs.names import Row, given, layer

ROWS: list[Row] = [
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
        "adam.update: state.m['layer']['w'] is float32[3], where adam.init gives None, as the gradient is",
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
]
