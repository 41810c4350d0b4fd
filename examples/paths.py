"""The paths of four optimizers down a long valley, f(x, y) = x²/20 + y² (the book's figures 6-1 to 6-8).

python examples/paths.py --out paths.png

Needs the extra ``race``.
"""

import argparse
from pathlib import Path

import jax
import matplotlib as mpl
import numpy as np

from jaxopt_lite import adagrad, adam, apply_updates, momentum, sgd

jax.config.update("jax_enable_x64", True)


def f(params):
    return params["x"] ** 2 / 20 + params["y"] ** 2


def path(opt, updates=29):
    """The points that ``opt`` passes from (-7, 2), the start among them; shape (updates + 1, 2)."""
    params = {"x": -7.0, "y": 2.0}
    state = opt.init(params)
    points = [(params["x"], params["y"])]
    for _ in range(updates):
        grads = jax.grad(f)(params)
        step, state = opt.update(grads, state, params)
        params = apply_updates(params, step)
        points.append((params["x"], params["y"]))
    return np.array(points)


def plot(paths, out):
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    x, y = np.meshgrid(np.linspace(-10, 10, 200), np.linspace(-5, 5, 200))
    figure, panels = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey=True, layout="constrained")
    for axes, (opt, points) in zip(panels.flat, paths.items(), strict=True):
        axes.contour(x, y, f({"x": x, "y": y}), levels=np.arange(1, 8) ** 2 / 5, colors="0.8", linewidths=1)
        axes.plot(*points.T, "o-", color="tab:red", markersize=3, linewidth=1)
        axes.plot(0, 0, "+", color="black")
        axes.set_title(f"{opt.name}, lr {opt.arguments['lr']:g}")
    figure.supxlabel("x")
    figure.supylabel("y")
    figure.savefig(out, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default="paths.png", help="the picture (default: %(default)s)")
    args = parser.parse_args()
    if not args.out.parent.is_dir():
        parser.error(f"--out: {args.out.parent} is no folder")

    paths = {opt: path(opt) for opt in (sgd(lr=0.95), momentum(lr=0.1), adagrad(lr=1.5), adam(lr=0.3))}
    for opt, points in paths.items():
        print(f"{opt.name:>8} ends at ({points[-1, 0]:.6f}, {points[-1, 1]:.6f})")
    plot(paths, args.out)
    print(f"Paths: {args.out}")


if __name__ == "__main__":
    main()
