"""Transforms, wrappers and groups."""

from wrong_inputs.names import COUNT, NUMBER, POSITIVE, SHARE, Row

ROWS: list[Row] = [
    ("clip(max_value=-1)", ValueError, f"clip: max_value must be {POSITIVE}, not -1"),
    (
        "clip_by_global_norm(max_norm=None)",
        TypeError,
        f"clip_by_global_norm: max_norm must be {POSITIVE}, not None",
    ),
    ("adaptive_clip(clipping=-0.1)", ValueError, f"adaptive_clip: clipping must be {POSITIVE}, not -0.1"),
    ("cautious(floor='low')", TypeError, f"cautious: floor must be {POSITIVE}, not 'low'"),
    ("normalize(over='batch')", ValueError, "normalize: over must be 'tree' or 'leaf', not 'batch'"),
    ("add_noise(variance=-1)", ValueError, f"add_noise: variance must be {POSITIVE}, not -1"),
    ("add_noise(seed=0.5)", ValueError, "add_noise: seed must be a whole number, not 0.5"),
    ("grokfast(decay_rate=1)", ValueError, f"grokfast: decay_rate must be {SHARE}, not 1"),
    ("grokfast(amplify=-1)", ValueError, f"grokfast: amplify must be {POSITIVE}, not -1"),
    ("optimistic(optimism=-1)", ValueError, f"optimistic: optimism must be {POSITIVE}, not -1"),
    ("reduce_on_plateau(patience=0)", ValueError, f"reduce_on_plateau: patience must be {COUNT}, not 0"),
    ("reduce_on_plateau(atol=-1)", ValueError, f"reduce_on_plateau: atol must be {POSITIVE}, not -1"),
    (
        "reduce_on_plateau(cooldown=-1)",
        ValueError,
        "reduce_on_plateau: cooldown must be a whole number of at least 0, not -1",
    ),
    (
        "partition({'a': opt, 'b': sgd()}, {'a': 'w', 'b': '*'}).init([w, w])",
        ValueError,
        "partition: 'w' fits no leaf; the leaves are '0', '1'; these have no names of their own: "
        "a function (path, leaf) tells them apart",
    ),
    ("pmean_fn(3, 'data')", TypeError, "pmean_fn: value_fn must be a function of the parameters, not 3"),
    ("transform_from_optax(3)", TypeError, "transform_from_optax: tx must be one of optax's transformations, not 3"),
    ("reduce_on_plateau(min_scale=-1)", ValueError, f"reduce_on_plateau: min_scale must be {POSITIVE}, not -1"),
    ("reduce_on_plateau(threshold=2)", ValueError, f"reduce_on_plateau: threshold must be {SHARE}, not 2"),
    (
        "chain(adam(), reduce_on_plateau()).update(grads, (state, state), params)",
        TypeError,
        "chain.update: value is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
    ),
    (
        "cautious().update(grads, ())",
        TypeError,
        "cautious.update: grad is missing; a chain gives it, and alone this needs grad=gradients; "
        "inside optax's chain it stands as to_optax(…)",
    ),
    ("chain(clip, adam())", TypeError, "chain: parts is the factory clip, where a transform is meant: clip(…)"),
    ("chain(w, adam())", TypeError, "chain: a part must be an optimizer or a transform, not float32[3]"),
    (
        "chain(to_optax(sgd()), adam())",
        TypeError,
        "chain: a part must be an optimizer or a transform, not a GradientTransformationExtraArgs; "
        "transform_from_optax(…) makes a transform of one of optax's",
    ),
    (
        "chain(adam(), clip(1.0), sgd())",
        TypeError,
        "chain: adam and sgd are two optimizers, and the second would climb: use one; "
        "what gives gradients in optax comes in by transform_from_optax",
    ),
    (
        "chain(weight_decay(0.1), adam())",
        ValueError,
        "chain: weight_decay works on updates, and stands before adam; l2_decay decays through the gradient",
    ),
    (
        "chain(add_noise(), add_noise(0.1), sgd())",
        ValueError,
        "chain: add_noise(variance=0.01, power=0.55, seed=0) and add_noise(variance=0.1, power=0.55, seed=0) draw the "
        "same noise: give one another seed",
    ),
    ("accumulate(clip(1.0), 4)", TypeError, "accumulate: opt must be an optimizer, not the transform clip"),
    (
        "accumulate(opt, 4).update(grads, accumulate(opt, 4).init(params), weight=jnp.ones(3))",
        ValueError,
        "accumulate.update: weight has shape (3,), and is one number, of what this gradient counts as",
    ),
    ("accumulate(opt, every=0)", ValueError, f"accumulate: every must be {COUNT} or a schedule, not 0"),
    ("average(opt, ema=1.0)", ValueError, f"average: ema must be {SHARE} or None, not 1"),
    ("average(opt, begin=-1)", ValueError, "average: begin must be a whole number of at least 0, not -1"),
    ("lookahead(opt, alpha=2)", ValueError, "lookahead: alpha must be a finite number in [0, 1] or a schedule, not 2"),
    ("sam(opt, rho=-1)", ValueError, f"sam: rho must be {POSITIVE}, not -1"),
    (
        "sam(opt).update(grads, state, params)",
        TypeError,
        "sam.update: value_fn is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
    ),
    ("skip_spikes(opt, deviations=-1)", ValueError, f"skip_spikes: deviations must be {POSITIVE}, not -1"),
    (
        "skip_spikes(opt, window=1)",
        ValueError,
        "skip_spikes: window must be a whole number of at least 2, not 1",
    ),
    (
        "adamw(decay='coupled')",
        ValueError,
        "adamw: decay must be one of 'decoupled', 'independent', 'l2', 'proximal', not 'coupled'",
    ),
    (
        "adamw(lr=pulled, decay='independent')",
        ValueError,
        "adamw: peak_lr is missing: with decay='independent' a scheduled lr is measured by its largest",
    ),
    ("adamw(peak_lr=jnp.nan)", ValueError, "adamw: peak_lr must be a finite number or None, not nan"),
    (
        "partition({'all': clip(1.0)}, 'all')",
        TypeError,
        "partition: group 'all' must be an optimizer, not the transform clip",
    ),
    (
        "partition({'a': opt, 'b': sgd()}, 'a').init(params)",
        ValueError,
        "partition: group 'b' has no leaf; the leaves are 'layer/b', 'layer/w'",
    ),
    (
        "partition({'a': opt}, lambda path, leaf: 'c').init(params)",
        ValueError,
        "partition: label['layer']['b'] is 'c', and the groups are a",
    ),
    (
        "partition({'a': opt, 'b': sgd()}, {'a': '*w', 'b': '*bias'}).init(params)",
        ValueError,
        "partition: 'layer/b' fits none of '*w', '*bias', and must fit one; '*' is for what nothing else fits",
    ),
    (
        "partition({'a': opt, 'b': sgd()}, {'a': '*w', 'b': 'layer/*'}).init(params)",
        ValueError,
        "partition: 'layer/w' fits '*w' and 'layer/*', and must fit one; '*' is for what nothing else fits",
    ),
    (
        "partition({'a': opt}, {'layer': {'w': 'a'}}).init(params)",
        ValueError,
        "partition: label['layer']['b'] is missing, params['layer']['b'] is float32[]",
    ),
    (
        "partition([opt, sgd()], 'a')",
        TypeError,
        "partition: groups must be a dict of optimizers by name, not a list",
    ),
    ("partition({}, 'a')", ValueError, "partition: label is 'a', and the groups are none"),
    (
        "partition({'a': opt}, {'a': ['*w', '*b']})",
        TypeError,
        "partition: label['a'] is a list, and the patterns of a group are one string, as '*bias|*scale'",
    ),
    *(
        (
            f"partition({{'a': opt}}, {label}){init}",
            TypeError,
            "partition: label names no group: it is a function, patterns by group, or a tree of names",
        )
        for label, init in (("None", ""), ("{'a': None}", ""), ("lambda path, leaf: None", ".init(params)"))
    ),
    ("partition({'a': opt}, 3)", ValueError, "partition: label is 3, and the groups are a"),
    (
        "partition({'a': opt}, {'layer': {'w': w, 'b': 'a'}})",
        ValueError,
        "partition: label['layer']['w'] is float32[3], and the groups are a",
    ),
    (
        "partition({'a': opt}, lambda path, leaf: ['a']).init(params)",
        ValueError,
        "partition: label['layer']['b'] is a list, params['layer']['b'] is float32[]",
    ),
    (
        "partition({'a': opt}, lambda params: {'layer': 'b'}).init(params)",
        ValueError,
        "partition: label['layer'] is 'b', and the groups are a",
    ),
    (
        "hyperparams(chain(clip(1.0), opt), state)",
        ValueError,
        "hyperparams: the state of this chain is a tuple of 2, not an AdamState",
    ),
    (
        "hyperparams(chain(clip(1.0), opt), (state,))",
        ValueError,
        "hyperparams: the state of this chain is a tuple of 2, not a tuple of 1",
    ),
    (
        "hyperparams(partition({'a': opt}, 'a'), state)",
        ValueError,
        "hyperparams: the state of this partition is a dict of 'a', not an AdamState",
    ),
    (
        "hyperparams(partition({'a': opt}, 'a'), {'b': state})",
        ValueError,
        "hyperparams: the state of this partition is a dict of 'a', not of 'b'",
    ),
    *(
        (
            f"lr_multiplier({factors})",
            TypeError,
            f"lr_multiplier: factors must be a dict by pattern, or a function, not {given}",
        )
        for factors, given in (("0.5", "0.5"), ("None", "None"), ("[('*', 0.5)]", "a list"))
    ),
    *(
        (f"lr_multiplier({{'*': {factor}}})", error, f"lr_multiplier: factors['*'] must be {NUMBER}, not {given}")
        for factor, error, given in (
            ("None", TypeError, "None"),
            ("'0.1'", TypeError, "'0.1'"),
            ("[0.1]", TypeError, "a list"),
            ("jnp.nan", ValueError, "nan"),
        )
    ),
    (
        "lr_multiplier({1: 0.5})",
        TypeError,
        "lr_multiplier: factors has the key 1, and a pattern is a string",
    ),
    (
        "lr_multiplier({'*': w}).update(grads, ())",
        ValueError,
        "lr_multiplier: a factor has shape (3,), and a step takes one number: "
        "jax.vmap over the optimizer runs them all",
    ),
    (
        "lr_multiplier(lambda path, leaf: None).update(grads, ())",
        TypeError,
        "lr_multiplier: the factor of 'layer/b' must be a finite number, not None",
    ),
    ("average(opt, debias='no')", TypeError, "average: debias must be True or False, not 'no'"),
    (
        "lr_multiplier({'*w': 2.0}).update(grads, ())",
        ValueError,
        "lr_multiplier: 'layer/b' fits none of '*w', and must fit one; '*' is for what nothing else fits",
    ),
    (
        "lr_multiplier({'*w': 2.0, 'layr/*': 0.5, '*': 1.0}).update(grads, ())",
        ValueError,
        "lr_multiplier: 'layr/*' fits no leaf; the leaves are 'layer/b', 'layer/w'",
    ),
    (
        "partition({'a': opt, 'b': sgd()}, {'a': '*', 'b': '*bias'}).init(params)",
        ValueError,
        "partition: '*bias' fits no leaf; the leaves are 'layer/b', 'layer/w'",
    ),
    ("find(state, 'mu')", ValueError, "find: there is no 'mu' in this state; there are iter, m, v"),
    (
        "find((state, state), 'm')",
        ValueError,
        "find: 'm' is more than one: state[0].m, state[1].m",
    ),
    (
        "averaged_params(state)",
        ValueError,
        "averaged_params: there is no 'average' in this state; there are iter, m, v; it is kept by average(opt)",
    ),
    (
        "from_optax(3)",
        TypeError,
        "from_optax: tx must be one of optax's transformations, not 3",
    ),
]
