"""Parameters."""

from wrong_inputs.names import FLOATS, WITHOUT, Row, given

ROWS: list[Row] = [
    (
        "opt.init({'layer': {'w': jnp.ones(3, int)}})",
        TypeError,
        f"adam.init: params['layer']['w'] is int32[3], {FLOATS}",
    ),
    ("opt.init([w, jnp.ones(2, bool)])", TypeError, f"adam.init: params[1] is bool[2], {FLOATS}"),
    ("opt.init({'key': jax.random.key(0)})", TypeError, f"adam.init: params['key'] is key<fry>[], {FLOATS}"),
    ("opt.init({'w': 3})", TypeError, f"adam.init: params['w'] is 3, {FLOATS}"),
    ("opt.init({'w': w, 'name': 'dense'})", TypeError, "adam.init: params['name'] is 'dense', not an array"),
    ("opt.init(Pair(w, jnp.tanh))", TypeError, "adam.init: params.b is the function tanh, not an array: " + WITHOUT),
    (
        "opt.init({'w': jnp.float32})",
        TypeError,
        "adam.init: params['w'] is the function float32, not an array: " + WITHOUT,
    ),
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
]
