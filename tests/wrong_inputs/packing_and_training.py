"""Packing, a step in one line, and gradients before one."""

from wrong_inputs.names import FLOATS, Row

EXAMPLES = "all leaves must begin with an axis of as many examples, one at least"

ROWS: list[Row] = [
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
        "pack(params, {'a': ['*']})",
        TypeError,
        "pack: label['a'] is a list, and the patterns of a group are one string, as '*bias|*scale'",
    ),
    ("pack(params, largest=-1)", ValueError, "pack: largest must be a whole number of at least 0 or None, not -1"),
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
    (
        "perturbed_params(params, {'layer': {'w': w}})",
        ValueError,
        "perturbed_params: gradients['layer']['b'] is missing, params['layer']['b'] is float32[]",
    ),
    (
        "perturbed_params(params, {'layer': {'w': w[:2], 'b': b}})",
        ValueError,
        "perturbed_params: gradients['layer']['w'] has shape (2,), params['layer']['w'] has shape (3,)",
    ),
    (
        "perturbed_params(params, grads, rho=-1)",
        ValueError,
        "perturbed_params: rho must be a finite number of at least 0, not -1",
    ),
    (
        "perturbed_params(params, grads, rho=jnp.ones(3))",
        ValueError,
        "perturbed_params: rho has shape (3,), and must be one number",
    ),
    (
        "private_mean({'w': jnp.ones((8, 3)), 'b': jnp.ones(7)}, key, 1.0, 1.0)",
        ValueError,
        f"private_mean: gradients['w'] has shape (8, 3): {EXAMPLES}",
    ),
    ("private_mean(b, key, 1.0, 1.0)", ValueError, f"private_mean: gradients has shape (): {EXAMPLES}"),
    (
        "private_mean(jnp.ones((0, 3)), key, 1.0, 1.0)",
        ValueError,
        f"private_mean: gradients has shape (0, 3): {EXAMPLES}",
    ),
    (
        "private_mean({'w': jnp.arange(3)}, key, 1.0, 1.0)",
        TypeError,
        f"private_mean: gradients['w'] is int32[3], {FLOATS}",
    ),
    (
        "private_mean({'w': w}, key, 1.0, -1.0)",
        ValueError,
        "private_mean: noise_multiplier must be a finite number of at least 0, not -1",
    ),
    (
        "private_mean({'w': w}, key, jnp.ones(3), 1.0)",
        ValueError,
        "private_mean: max_norm has shape (3,), and must be one number",
    ),
]
