"""List what stands around rules elsewhere, and what it is called here: tests run each row both ways."""

from peers import Row, differs

SCHEDULES = [
    Row("optax.constant_schedule(0.3)", "schedules.constant(0.3)"),
    Row("optax.linear_schedule(0.5, 0.1, 40)", "schedules.linear(0.5, 0.1, steps=40)"),
    Row("optax.polynomial_schedule(0.5, 0.1, 2, 40)", "schedules.polynomial(0.5, 0.1, steps=40, power=2)"),
    Row(
        "optax.linear_schedule(0.5, 0.1, 40, transition_begin=10)",
        "schedules.join(0.5, schedules.linear(0.5, 0.1, steps=40), at=(10,))",
    ),
    Row("optax.exponential_decay(0.5, 10, 0.8)", "schedules.exponential(0.5, 0.8, steps=10)"),
    Row(
        "optax.exponential_decay(0.5, 10, 0.8, staircase=True)",
        "schedules.exponential(0.5, 0.8, steps=10, staircase=True)",
    ),
    Row("optax.exponential_decay(0.5, 10, 0.8, end_value=0.2)", "schedules.exponential(0.5, 0.8, steps=10, end=0.2)"),
    Row("optax.exponential_decay(0.5, 10, 1.2, end_value=0.9)", "schedules.exponential(0.5, 1.2, steps=10, end=0.9)"),
    Row(
        "optax.exponential_decay(0.5, 10, 0.8, staircase=True, end_value=0.2)",
        "schedules.exponential(0.5, 0.8, steps=10, staircase=True, end=0.2)",
    ),
    Row(
        "optax.piecewise_constant_schedule(0.5, {10: 0.1, 40: 0.1})",
        "schedules.step(0.5, 0.1, at=(10, 40))",
        "one factor for all steps here",
    ),
    Row(
        "optax.piecewise_constant_schedule(0.5, {10: 0.1, 40: 2.0})",
        "schedules.piecewise((0.5, 0.05, 0.1), at=(10, 40))",
        "factors there, values here",
    ),
    Row(
        'optax.piecewise_interpolate_schedule("linear", 0.5, {10: 0.1, 40: 2.0})',
        'schedules.piecewise((0.5, 0.05, 0.1), at=(10, 40), between="linear")',
        "factors there, values here",
    ),
    Row(
        'optax.piecewise_interpolate_schedule("cosine", 0.5, {10: 0.1, 40: 2.0})',
        'schedules.piecewise((0.5, 0.05, 0.1), at=(10, 40), between="cosine")',
        "factors there, values here",
    ),
    Row(
        "optax.cosine_decay_schedule(0.5, 40, alpha=0.1)",
        "schedules.cosine(0.5, steps=40, end=0.05)",
        "alpha is a share of the start",
    ),
    Row(
        "optax.cosine_decay_schedule(0.5, 40, alpha=0.1, exponent=1.5)",
        "schedules.cosine(0.5, steps=40, end=0.05, power=1.5)",
        "alpha is a share of the start",
    ),
    Row(
        "optax.warmup_cosine_decay_schedule(0.0, 0.5, 10, 50)",
        "schedules.warmup(10, schedules.cosine(0.5, steps=40))",
        "decay_steps counts the warm-up too there",
    ),
    differs(
        "optax.warmup_cosine_decay_schedule(0.0, 0.5, 10, 50)",
        "schedules.warmup(10, schedules.cosine(0.5, steps=50))",
        "decay_steps counts the warm-up too there",
    ),
    Row(
        "optax.warmup_cosine_decay_schedule(0.1, 0.5, 10, 50)",
        "schedules.warmup(10, schedules.cosine(0.5, steps=40), start=0.1)",
        "decay_steps counts the warm-up too there",
    ),
    Row(
        "optax.warmup_exponential_decay_schedule(0.1, 0.5, 10, 10, 0.8)",
        "schedules.warmup(10, schedules.exponential(0.5, 0.8, steps=10), start=0.1)",
    ),
    Row(
        'optax.sgdr_schedule([{"init_value": 0.5, "peak_value": 0.5, "warmup_steps": 0, "decay_steps": 10}] * 14)',
        "schedules.cosine_restarts(0.5, steps=10)",
    ),
    Row(
        'optax.sgdr_schedule([{"init_value": 0.5, "peak_value": 0.5, "warmup_steps": 0, "decay_steps": n} '
        "for n in (10, 20, 40, 80)])",
        "schedules.cosine_restarts(0.5, steps=10, growth=2)",
    ),
    Row("optax.cosine_onecycle_schedule(40, 0.5)", "schedules.one_cycle(0.5, steps=40)"),
    Row(
        "optax.join_schedules([optax.constant_schedule(0.5), optax.linear_schedule(0.4, 0.0, 30)], [10])",
        "schedules.join(0.5, schedules.linear(0.4, 0.0, steps=30), at=(10,))",
    ),
]

AROUND = [
    Row("optax.chain(optax.clip(0.5), optax.sgd(0.1))", "chain(clip(0.5), sgd(0.1))"),
    Row("optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1))", "chain(clip_by_global_norm(0.5), sgd(0.1))"),
    Row(
        "optax.chain(optax.clip_by_block_rms(0.5), optax.sgd(0.1))",
        "chain(transform_from_optax(optax.clip_by_block_rms(0.5)), sgd(0.1))",
        "whatever has no name here comes over as it is",
    ),
    Row("optax.chain(optax.adaptive_grad_clip(0.3), optax.sgd(0.1))", "chain(adaptive_clip(0.3), sgd(0.1))"),
    Row("optax.optimistic_gradient_descent(0.1)", "chain(optimistic(), sgd(0.1))"),
    Row("optax.optimistic_gradient_descent(0.1, 2.0, 1.0)", "chain(optimistic(0.5), sgd(0.2))", "alpha is in lr here"),
    Row("optax.optimistic_adam_v2(0.1, nesterov=False)", "chain(adam_standard(0.1), optimistic())"),
    Row("optax.optimistic_adam_v2(0.1)", "chain(nadamw(0.1, weight_decay=0.0), optimistic())"),
    Row("optax.chain(optax.add_decayed_weights(0.2), optax.sgd(0.1))", "chain(l2_decay(0.2), sgd(0.1))"),
    Row(
        "optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(0.2), optax.scale(-0.1))",
        "chain(adam_standard(0.1), weight_decay(0.2, lr=0.1))",
        "after a rule, the decay has a rate of its own",
    ),
    Row(
        "optax.inject_hyperparams(optax.adam)(0.1, b1=schedule)",
        "adam_standard(0.1, beta1=schedule)",
        "a schedule may stand for any number here",
    ),
    Row("optax.MultiSteps(optax.sgd(0.1), 4).gradient_transformation()", "accumulate(sgd(0.1), 4)"),
    Row(
        "optax.MultiSteps(optax.sgd(0.1), lambda step: 4 + 0 * step).gradient_transformation()",
        "accumulate(sgd(0.1), schedules.constant(4))",
        "both count the optimizer's steps",
    ),
    Row(
        "optax.apply_if_finite(optax.sgd(0.1), 5)",
        "skip_nonfinite(sgd(0.1), give_up_after=5)",
        "`skipped` does not count what has been let through",
    ),
    Row(
        "optax.lookahead(optax.sgd(0.1), 5, 0.3)", "lookahead(sgd(0.1), every=5, alpha=0.3)", "one tree of params here"
    ),
    Row(
        "optax.contrib.sam(optax.sgd(0.1), optax.chain(optax.contrib.normalize(), optax.sgd(0.05)), opaque_mode=True)",
        "sam(sgd(0.1), rho=0.05)",
        "`value_fn` here, `grad_fn` there",
    ),
    Row(
        'optax.partition({"a": optax.adam(0.1), "b": optax.set_to_zero()}, {"mlp": "a", "norm": "b"})',
        'partition({"a": adam_standard(0.1), "b": freeze()}, {"a": "mlp", "b": "norm"})',
        "patterns of paths, or a tree of labels",
    ),
    Row(
        'optax.chain(optax.masked(optax.clip(0.5), {"mlp": True, "norm": False}), optax.sgd(0.1))',
        'partition({"a": chain(clip(0.5), sgd(0.1)), "b": sgd(0.1)}, {"a": "mlp", "b": "norm"})',
        "what is masked there goes on as it is",
    ),
    Row(
        'optax.freeze({"mlp": False, "norm": True})',
        'partition({"a": chain(from_optax(optax.identity())), "b": freeze()}, {"a": "mlp", "b": "norm"})',
    ),
    Row(
        "optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(patience=4, rtol=0.5, cooldown=2))",
        "chain(sgd(0.1), reduce_on_plateau(patience=3, threshold=0.5, cooldown=2))",
        "patience is one more there; torch's is ours",
    ),
    differs(
        "optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(patience=4, rtol=0.5))",
        "chain(sgd(0.1), reduce_on_plateau(patience=4, threshold=0.5))",
        "patience is one more there; torch's is ours",
    ),
]

# With an axis of examples before those of the parameters: theirs is the transform, ours the call.
EXAMPLES = [
    Row(
        "optax.contrib.differentially_private_aggregate(0.5, 0.0, key=key)",
        "private_mean(grads, key, max_norm=0.5, noise_multiplier=0.0)",
        "a function, called before the optimizer",
    ),
    Row(
        "optax.chain(optax.contrib.differentially_private_aggregate(0.5, 0.0, key=key), optax.sgd(0.1))",
        "sgd(0.1).update(private_mean(grads, key, 0.5, 0.0), sgd(0.1).init(None))[0]",
    ),
]

# After some steps of both: what is asked of a state there, and of ours.
STATES = [
    ("optax.adam(0.1)", 'optax.tree.get(state, "mu")', "adam_standard(0.1)", 'find(state, "m")'),
    ("optax.adam(0.1)", 'optax.tree.get(state, "nu")', "adam_standard(0.1)", 'find(state, "v")'),
    ("optax.adam(0.1)", 'optax.tree.get(state, "count")', "adam_standard(0.1)", 'find(state, "iter")'),
    (
        "optax.sgd(0.1, momentum=0.9)",
        'optax.tree.get(state, "trace")',
        "momentum(0.1)",
        'jax.tree.map(lambda velocity: -velocity / 0.1, find(state, "velocity"))',
    ),
    ("optax.sgd(0.1, momentum=0.9)", 'optax.tree.get(state, "trace")', "heavy_ball(0.1)", 'find(state, "b")'),
    (
        "optax.inject_hyperparams(optax.adam)(schedule)",
        'optax.inject_hyperparams(optax.adam)(schedule).update(params, state)[1].hyperparams["learning_rate"]',
        "adam_standard(schedule)",
        'hyperparams(adam_standard(schedule), state)["lr"]',
    ),
]
