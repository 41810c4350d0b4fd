"""apply_updates."""

from wrong_inputs.names import FLOATS, Row

ROWS: list[Row] = [
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
]
