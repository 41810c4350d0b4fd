"""Every transform and every wrapper around an optimizer: what laws, checkpoints and shapes are tested with."""

from jaxopt_lite import (
    accumulate,
    adam,
    adaptive_clip,
    add_noise,
    average,
    cautious,
    centralize,
    chain,
    clip,
    clip_by_global_norm,
    clip_by_norm,
    grokfast,
    hyperball,
    l2_decay,
    lookahead,
    lr_multiplier,
    maximize,
    normalize,
    optimistic,
    partition,
    reduce_on_plateau,
    registry,
    sam,
    schedules,
    skip_nonfinite,
    skip_spikes,
    weight_decay,
)

BEFORE = {
    "clip": clip(0.5),
    "scheduled clip": clip(schedules.constant(0.5)),
    "clip_by_norm": clip_by_norm(0.5),
    "clip_by_global_norm": clip_by_global_norm(0.5),
    "adaptive_clip": adaptive_clip(),
    "centralize": centralize(),
    "normalize": normalize(),
    "normalize leaf": normalize("leaf"),
    "add_noise": add_noise(1e-4),
    "grokfast": grokfast(),
    "optimistic": optimistic(),
    "l2_decay": l2_decay(0.01),
}
AFTER = {
    "weight_decay": weight_decay(0.01),
    "cautious weight_decay": weight_decay(0.01, cautious=True),
    "cautious": cautious(),
    "hyperball": hyperball(),
    "lr_multiplier": lr_multiplier({"*": 0.5}),
    "scheduled lr_multiplier": lr_multiplier({"*": schedules.constant(0.5)}),
    "reduce_on_plateau": reduce_on_plateau(patience=1000),
}
WRAPPERS = {
    "accumulate": lambda opt: accumulate(opt, 2),
    "average": average,
    "average equally": lambda opt: average(opt, None, begin=1, every=2),
    "lookahead": lambda opt: lookahead(opt, 2),
    "sam": sam,
    "skip_nonfinite": skip_nonfinite,
    "skip_spikes": skip_spikes,
    "maximize": lambda opt: maximize(maximize(opt)),
    "partition": lambda opt: partition({"all": opt}, "all"),
}
AROUND = {
    **{name: lambda opt, t=t: chain(t, opt) for name, t in BEFORE.items()},
    **{name: lambda opt, t=t: chain(opt, t) for name, t in AFTER.items()},
    **WRAPPERS,
}
# Every rule, on any tree, and everything around one.
OPTIMIZERS = {
    **{name: entry.build() for name, entry in registry.items()},
    **{f"{name} with adam": around(adam()) for name, around in AROUND.items()},
}
