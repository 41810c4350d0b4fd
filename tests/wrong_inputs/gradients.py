"""Gradients."""

from wrong_inputs.names import FLOATS, WITHOUT, Row, given, layer

ROWS: list[Row] = [
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
        "adam.update: gradients['layer']['w'] is the function sin, not an array: " + WITHOUT,
    ),
    (
        given(layer(w="object", b="b")),
        TypeError,
        "adam.update: gradients['layer']['w'] is the function object, not an array: " + WITHOUT,
    ),
]
