"""Hyperparameters."""

from wrong_inputs.names import COUNT, NUMBER, POSITIVE, SHARE, Row

ROWS: list[Row] = [
    ("adam(lr=None)", TypeError, f"adam: lr must be {NUMBER}, not None"),
    ("sgd(lr='0.1')", TypeError, f"sgd: lr must be {NUMBER}, not '0.1'"),
    ("sgd(lr=True)", TypeError, f"sgd: lr must be {NUMBER}, not True"),
    ("sgd(lr=1j)", TypeError, f"sgd: lr must be {NUMBER}, not 1j"),
    ("sgd(lr=[0.1, 0.2])", TypeError, f"sgd: lr must be {NUMBER}, not a list"),
    ("sgd(lr=jnp.ones((), bool))", TypeError, f"sgd: lr must be {NUMBER}, not bool[]"),
    ("sgd(lr=float('nan'))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
    ("sgd(lr=float('inf'))", ValueError, f"sgd: lr must be {NUMBER}, not inf"),
    ("sgd(lr=np.float32('nan'))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
    ("sgd(lr=np.array([0.1, np.nan]))", ValueError, f"sgd: lr must be {NUMBER}, not nan"),
    ("sgd(lr=-float('inf'))", ValueError, f"sgd: lr must be {NUMBER}, not -inf"),
    ("adam(beta1=np.array([0.9, 2.0, 3.0]))", ValueError, f"adam: beta1 must be {SHARE}, not 2"),
    (
        "decaying(weight_decay=-0.1)",
        ValueError,
        "decaying: weight_decay must be a finite number of at least 0 or a schedule, not -0.1",
    ),
    ("adam(beta1=1.0)", ValueError, f"adam: beta1 must be {SHARE}, not 1"),
    ("adam(beta2=-0.1)", ValueError, f"adam: beta2 must be {SHARE}, not -0.1"),
    ("adam(beta2=np.array(1.5))", ValueError, f"adam: beta2 must be {SHARE}, not 1.5"),
    (
        "schedule_free_sgd(beta1=lambda iter: 0.9)",
        TypeError,
        "schedule_free_sgd: beta1 must be a finite number in [0.01, 1), not a function: "
        "the averages are found by it from the state",
    ),
    (
        "muon(steps=lambda iter: 5)",
        TypeError,
        f"muon: steps must be {COUNT}, not a function: it is one for all steps",
    ),
    (
        "muon(steps=jnp.asarray([5, 6]))",
        TypeError,
        f"muon: steps must be {COUNT}, not int32[2]: it is one Python number of the program",
    ),
    ("normuon(steps=0.0)", ValueError, f"normuon: steps must be {COUNT}, not 0"),
    ("scion(steps=5.5)", ValueError, f"scion: steps must be {COUNT}, not 5.5"),
    ("adam(beta1=lambda iter: 1.0).init(params)", ValueError, f"adam: beta1 must be {SHARE}, not 1"),
    ("adam(beta1=pulled)", TypeError, "the schedule pulled gave float32[3], where one number is needed"),
    ("momentum(momentum=1)", ValueError, f"momentum: momentum must be {SHARE}, not 1"),
    ("nesterov(momentum=None)", TypeError, f"nesterov: momentum must be {SHARE}, not None"),
    ("rmsprop(decay_rate=2.0)", ValueError, f"rmsprop: decay_rate must be {SHARE}, not 2"),
    ("adagrad(eps=-1e-7)", ValueError, f"adagrad: eps must be {POSITIVE}, not -1e-07"),
    ("adan(beta3=1)", ValueError, f"adan: beta3 must be {SHARE}, not 1"),
    ("rmsprop(momentum=1)", ValueError, f"rmsprop: momentum must be {SHARE} or None, not 1"),
    ("heavy_ball(dampening=-1)", ValueError, f"heavy_ball: dampening must be {POSITIVE}, not -1"),
    ("nadam(momentum_decay=-1)", ValueError, f"nadam: momentum_decay must be {POSITIVE}, not -1"),
    ("mars(gamma=None)", TypeError, f"mars: gamma must be {POSITIVE}, not None"),
    ("asgd(lambd=-1)", ValueError, f"asgd: lambd must be {POSITIVE}, not -1"),
    ("rprop(eta_minus=1.2)", ValueError, f"rprop: eta_minus must be {SHARE}, not 1.2"),
    ("rprop(eta_plus=0.5)", ValueError, "rprop: eta_plus must be a finite number of at least 1 or a schedule, not 0.5"),
    ("rprop(max_scale=-1)", ValueError, f"rprop: max_scale must be {POSITIVE}, not -1"),
    ("lars(trust_coefficient=-1)", ValueError, f"lars: trust_coefficient must be {POSITIVE}, not -1"),
    ("ademamix(alpha=-1)", ValueError, f"ademamix: alpha must be {POSITIVE}, not -1"),
    ("ademamix(warmup_steps=0)", ValueError, f"ademamix: warmup_steps must be {COUNT} or None, not 0"),
    ("adam_mini(out_axis=0.5)", ValueError, "adam_mini: out_axis must be a whole number, not 0.5"),
    ("adafactor(eps1=-1)", ValueError, f"adafactor: eps1 must be {POSITIVE}, not -1"),
    ("adafactor(eps2=-1)", ValueError, f"adafactor: eps2 must be {POSITIVE}, not -1"),
    ("adagrad(h0=-1)", ValueError, "adagrad: h0 must be a finite number of at least 0, not -1"),
    ("prodigy(d0=-1)", ValueError, "prodigy: d0 must be a finite number of at least 0, not -1"),
    ("prodigy(d_coef=-1)", ValueError, f"prodigy: d_coef must be {POSITIVE}, not -1"),
    ("dog(reps_rel=-1)", ValueError, "dog: reps_rel must be a finite number of at least 0, not -1"),
    ("polyak_sgd(max_lr=-1)", ValueError, f"polyak_sgd: max_lr must be {POSITIVE}, not -1"),
    ("polyak_sgd(f_min=None)", TypeError, "polyak_sgd: f_min must be a finite number or a schedule, not None"),
    (
        "schedule_free_sgd(beta1=0)",
        ValueError,
        "schedule_free_sgd: beta1 must be a finite number in [0.01, 1), not 0",
    ),
    (
        "schedule_free_adamw(beta1=0)",
        ValueError,
        "schedule_free_adamw: beta1 must be a finite number in [0.01, 1), not 0",
    ),
    ("scion(radius=-1)", ValueError, f"scion: radius must be {POSITIVE}, not -1"),
    *(
        (f"{rule}({name}=0.5)", ValueError, f"{rule}: {name} must be a whole number or a tuple of them{none}, not 0.5")
        for rule in ("muon", "normuon", "scion")
        for name, none in (("in_axis", " or None"), ("out_axis", ""))
    ),
    ("muon(in_axis=(0, 0.5))", ValueError, "muon: in_axis must be a whole number, not 0.5"),
    (
        "muon(in_axis='in')",
        TypeError,
        "muon: in_axis must be a whole number or a tuple of them or None, not 'in': it is one for all steps",
    ),
    (
        "soap(in_axis=(0, 1))",
        TypeError,
        "soap: in_axis must be a whole number or None, not a tuple: it is one for all steps",
    ),
    (
        "muon(coefficients=(1.0, 2.0))",
        ValueError,
        "muon: coefficients must be a triple a, b, c, or one for each step, not (1.0, 2.0)",
    ),
    ("muon(coefficients=((1.0, -1.0, jnp.nan),))", ValueError, "muon: coefficients must be a finite number, not nan"),
    (
        "muon(preconditioning='trace')",
        ValueError,
        "muon: preconditioning must be one of 'frobenius', 'schatten', 'aol', not 'trace'",
    ),
    (
        "normuon(in_axis=(0, 1), out_axis=1).init({'w': jnp.ones((2, 3, 4))})",
        ValueError,
        "out_axis is 1, in_axis is (0, 1), and a leaf has 3 axes",
    ),
    ("soap(shampoo_beta=1)", ValueError, f"soap: shampoo_beta must be {SHARE}, not 1"),
    ("soap(longest=0)", ValueError, f"soap: longest must be {COUNT}, not 0"),
    ("shampoo(graft_eps=-1)", ValueError, f"shampoo: graft_eps must be {POSITIVE}, not -1"),
    ("shampoo(block=0)", ValueError, f"shampoo: block must be {COUNT}, not 0"),
    ("psgd_kron(precond_lr=-1)", ValueError, f"psgd_kron: precond_lr must be {POSITIVE}, not -1"),
    ("lbfgs(memory=0)", ValueError, f"lbfgs: memory must be {COUNT}, not 0"),
    ("lbfgs(c1=1)", ValueError, f"lbfgs: c1 must be {SHARE}, not 1"),
    ("lbfgs(c2=1)", ValueError, f"lbfgs: c2 must be {SHARE}, not 1"),
    ("lbfgs(max_evaluations=0)", ValueError, f"lbfgs: max_evaluations must be {COUNT}, not 0"),
    (
        "muon(method='svd')",
        ValueError,
        "muon: method must be one of 'newton_schulz', 'polar_express', not 'svd'",
    ),
    ("muon(scale=1)", ValueError, "muon: scale must be one of 'original', 'match_rms_adamw', 'spectral', not 1"),
    ("scion(norm='l2')", ValueError, "scion: norm must be one of 'spectral', 'sign', 'sign_fan_in', not 'l2'"),
    ("muon(others=adam)", TypeError, "muon: others is the factory adam, where an optimizer is meant: adam()"),
    ("muon(others=0.1)", TypeError, "muon: others must be an optimizer, not 0.1"),
    (
        "muon().init({'kernel': jnp.ones((2, 3)), 'bias': jnp.ones(3)})",
        ValueError,
        "muon: 'bias' has shape (3,) and is no hidden matrix: say what steps such leaves, by others=adamw()",
    ),
    (
        "muon(others=adam()).init({'embedding': jnp.ones((2, 3))})",
        ValueError,
        "muon: 'embedding' has a name for what is no hidden matrix: say which ones are, by hidden=",
    ),
    (
        "soap(others=adam(), hidden='*').init({'w': jnp.ones(3)})",
        ValueError,
        "soap: 'w' has shape (3,), and hidden says that it is a matrix",
    ),
    ("muon(hidden=0.5)", TypeError, "muon: hidden must be a function of path and leaf, or patterns, not 0.5"),
    (
        "muon(hidden=lambda path, leaf: 'others').init({'w': jnp.ones((2, 3))})",
        TypeError,
        "muon: hidden must say True or False of 'w', not 'others'",
    ),
    (
        "muon(hidden='*kernl', others=adam()).init({'kernel': jnp.ones((2, 3))})",
        ValueError,
        "muon: hidden fits no leaf; the leaves are 'kernel'",
    ),
    (
        "muon(others=adam()).init({'attention': {'bias': jnp.ones((2, 3))}})",
        ValueError,
        "muon: 'attention/bias' has a name for what is no hidden matrix: say which ones are, by hidden=",
    ),
    (
        "polyak_sgd().update(grads, polyak_sgd().init(params), value=jnp.ones(3))",
        ValueError,
        "polyak_sgd.update: value has shape (3,), and is one number, the loss at params",
    ),
    (
        "soap(out_axis=0).init({'w': jnp.ones((2, 3, 4))})",
        ValueError,
        "out_axis is 0, in_axis is None, and a leaf has 3 axes",
    ),
    (
        "lbfgs().update(grads, lbfgs().init(params), params, value=1.0, grad=grads)",
        TypeError,
        "lbfgs.update: value_fn is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
    ),
    (
        "lbfgs().update(grads, lbfgs().init(params), params, value=1.0, value_fn=pulled)",
        TypeError,
        "lbfgs.update: grad is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
    ),
    (
        "polyak_sgd().update(grads, polyak_sgd().init(params))",
        TypeError,
        "polyak_sgd.update: value is missing, and this rule needs it; inside optax's chain it stands as to_optax(…)",
    ),
    ("adagrad(eps='small')", TypeError, f"adagrad: eps must be {POSITIVE}, not 'small'"),
    (
        "sgd(lr=Halving(0.1))",
        TypeError,
        "sgd: lr is a Halving, which cannot be hashed, so that jit cannot tell one from another: "
        "make it a function or a frozen dataclass",
    ),
    ("twice(adam)", TypeError, "twice: inner is the factory adam, where an optimizer is meant: adam()"),
    (
        "skip_nonfinite(adam)",
        TypeError,
        "skip_nonfinite: opt is the factory adam, where an optimizer is meant: adam()",
    ),
    ("skip_nonfinite(None)", TypeError, "skip_nonfinite: opt must be an optimizer, not None"),
    ("skip_nonfinite(1.5)", TypeError, "skip_nonfinite: opt must be an optimizer, not 1.5"),
    ("skip_nonfinite((opt.init, opt.update))", TypeError, "skip_nonfinite: opt must be an optimizer, not a tuple"),
    (
        "skip_nonfinite(opt, give_up_after=0)",
        ValueError,
        "skip_nonfinite: give_up_after must be a whole number of at least 1 or None, not 0",
    ),
    (
        "adam(learning_rate=0.1)",
        TypeError,
        "adam: got an unexpected keyword argument 'learning_rate'; its arguments are lr, beta1, beta2, eps; "
        "here it is lr",
    ),
    (
        "adam(b1=0.8)",
        TypeError,
        "adam: got an unexpected keyword argument 'b1'; its arguments are lr, beta1, beta2, eps; here it is beta1",
    ),
    (
        "adam(betas=(0.9, 0.99))",
        TypeError,
        "adam: got an unexpected keyword argument 'betas'; its arguments are lr, "
        "beta1, beta2, eps; here it is beta1 and beta2",
    ),
    (
        "adam(weight_decay=0.1)",
        TypeError,
        "adam: got an unexpected keyword argument 'weight_decay'; its arguments are "
        "lr, beta1, beta2, eps; here it is the transform weight_decay, in a chain after the rule",
    ),
    (
        "adamw(mask={'w': True})",
        TypeError,
        "adamw: got an unexpected keyword argument 'mask'; its arguments are lr, "
        "beta1, beta2, eps, weight_decay, decay, peak_lr; here it is partition, which gives each group of leaves an "
        "optimizer of its own",
    ),
    (
        "sgd(0.1, momentum=0.9)",
        TypeError,
        "sgd: got an unexpected keyword argument 'momentum'; its arguments are lr; "
        "here it is the argument of the optimizers momentum and heavy_ball",
    ),
    (
        "adam(beta_1=0.9)",
        TypeError,
        "adam: got an unexpected keyword argument 'beta_1'; its arguments are lr, beta1, "
        "beta2, eps; did you mean beta1?",
    ),
    (
        "schedules.cosine(init_value=1.0, decay_steps=10)",
        TypeError,
        "cosine: missing a required argument: 'start'; its arguments are start, steps, end, power; here it is start",
    ),
    ("sgd(params, lr=0.1)", TypeError, "sgd: multiple values for argument 'lr'; its arguments are lr"),
    ("sgd(lr=adam)", TypeError, "sgd: lr is the factory adam, where an optimizer is meant: adam()"),
    (
        "adam().replace(rate=0.1)",
        TypeError,
        "adam.replace: there is no argument 'rate'; there are lr, beta1, beta2, eps",
    ),
]
