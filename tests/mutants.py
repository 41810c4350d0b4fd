"""Plants defects in the package, one at a time, and runs the tests of the file it is in: every one must die.

    python tests/mutants.py              everything, in two processes
    python tests/mutants.py adam core    these files only

Prints the defects that survive and are not explained in ``EQUIVALENT``; the exit code is 1 if there are any.
"""

import argparse
import ast
import concurrent.futures
import copy
import io
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "jaxopt_lite"
FOUNDATION = {
    "values": ["test_values.py"],
    "core": ["test_core.py", "test_values.py", "test_laws.py"],
    "numerics": ["test_numerics.py", "test_twins.py", "test_laws.py"],
    "trees": ["test_trees.py", "test_laws.py"],
}
OPTIMIZERS = {path.stem: path for path in sorted((PACKAGE / "optimizers").glob("[!_]*.py"))}

# What cannot be told from the original, and why.
EQUIVALENT: dict[str, str] = {}

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def called(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == name


def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """What might stand in this expression's place by mistake. The operators, in a table of patterns."""
    match node:
        # a sign or an operation is mistaken, a term is dropped
        case ast.BinOp(left, op, right):
            if type(op) in SWAPS:
                yield ast.BinOp(left, SWAPS[type(op)](), right)
            yield from (left, right)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        # a comparison is flipped, a condition reversed or forgotten
        case ast.Compare(left, [op], right) if type(op) in SWAPS:
            yield ast.Compare(left, [SWAPS[type(op)]()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(SWAPS[type(op)](), values)
            yield from values
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        # a constant or a default is off
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(float() as value):
            yield ast.Constant(value * 1.01 if value else 0.01)
    match node:
        # eps moves into the root
        case ast.BinOp(ast.Call(func, [x]), ast.Add(), eps) if called(node.left, "sqrt"):
            yield ast.Call(func, [ast.BinOp(x, ast.Add(), eps)], [])
        # |g| for g²
        case ast.Call(_, [g], []) if called(node, "abs2"):
            yield ast.Call(ast.Name("abs"), [g], [])
        # a counter is one behind, or one ahead
        case ast.Call(func, [number, count], []) if called(node, "at") or called(node, "bias_correction"):
            for off in (ast.Add(), ast.Sub()):
                yield ast.Call(func, [number, ast.BinOp(count, off, ast.Constant(1))], [])
    match node:
        # a function of one argument is forgotten, an argument is left out
        case ast.Call(_, [ast.expr() as argument], []) if not isinstance(argument, ast.Starred | ast.GeneratorExp):
            yield argument
        case ast.Call(func, args, keywords) if keywords:
            yield from (ast.Call(func, args, [k for k in keywords if k is not dropped]) for dropped in keywords)


def frozen_fields(call: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    """A field of the new state stays what it was in the old one."""
    match call:
        case ast.Call(func, args, []) if len(args) == len(fields):
            for i, field in enumerate(fields):
                kept = ast.Attribute(ast.Name("state"), field)
                yield ast.Call(func, [kept if i == j else arg for j, arg in enumerate(args)], [])


def skipped(tree: ast.Module) -> set[ast.AST]:
    """Annotations, type aliases and decorators' words: what no program notices."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        ignored = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "overload" for d in node.decorator_list):
            ignored.append(node)
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in {"Number", "Scalar", "P"}
        ):
            ignored.append(node)
        for start in filter(None, ignored):
            found |= set(ast.walk(start))
    return found


def mutants(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Each defect of a file: what it is, and the file with it."""
    tree = ast.parse(source)
    fields = [
        n.target.id for c in tree.body if isinstance(c, ast.ClassDef) for n in c.body if isinstance(n, ast.AnnAssign)
    ]
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    ignored = skipped(tree)
    for node in ast.walk(tree):
        if node in ignored or not isinstance(node, ast.expr):
            continue
        choices = list(alternatives(node))
        if name in OPTIMIZERS and isinstance(node, ast.Call) and ast.unparse(node.func).endswith("State"):
            choices += frozen_fields(node, fields)
        parent = parents[node]
        where = parent
        while not isinstance(where, ast.FunctionDef | ast.Module):
            where = parents[where]
        for choice in choices:
            for field, value in ast.iter_fields(parent):
                spot = value.index(node) if isinstance(value, list) and node in value else None
                if value is node:
                    setattr(parent, field, choice)
                elif spot is not None:
                    value[spot] = choice
                else:
                    continue
                text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
                context = ast.unparse(node), ast.unparse(choice)
                yield f"{name}.{getattr(where, 'name', 'module')}: {context[0]} → {context[1]}", text
                if spot is None:
                    setattr(parent, field, node)
                else:
                    value[spot] = node
                break


def tests_of(name: str) -> list[str]:
    if name in FOUNDATION:
        return [str(TESTS / file) for file in FOUNDATION[name]]
    return [str(TESTS / file) for file in ("test_twins.py", "test_laws.py")] + [
        "-k",
        f"[{name}- or -{name}] or {name}s",
    ]


def dies(folder: Path, name: str, text: str) -> bool:
    """Whether the file's own tests, run in this process over the package in ``folder``, fail with this text in its place."""
    import jax  # noqa: PLC0415 - one import for a worker, not for the parent
    import pytest  # noqa: PLC0415

    relative = f"optimizers/{name}.py" if name in OPTIMIZERS else f"{name}.py"
    target = folder / "jaxopt_lite" / relative
    original = target.read_text()
    target.write_text(text)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the defect hangs"))
    signal.alarm(300)
    try:
        for module in [
            m
            for m in sys.modules
            if m.partition(".")[0] in {"jaxopt_lite", "reference", "conftest"} or m.startswith("test_")
        ]:
            del sys.modules[module]
        jax.clear_caches()
        jax.config.update("jax_enable_x64", False)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            options = [
                "-x",
                "-q",
                "-o",
                "addopts=",
                "-p",
                "no:cacheprovider",
                "--assert=plain",
                f"--rootdir={TESTS.parent}",
            ]
            return pytest.main([*options, *tests_of(name)]) != 0
    except SystemExit:
        return True
    finally:
        signal.alarm(0)
        target.write_text(original)


def start_worker() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    shutil.copytree(PACKAGE, folder / "jaxopt_lite", ignore=shutil.ignore_patterns("__pycache__"))
    os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "MUTANTS_FOLDER": str(folder)}
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))


def try_one(job: tuple[str, str, str]) -> tuple[str, str, bool]:
    name, what, text = job
    return name, what, dies(Path(os.environ["MUTANTS_FOLDER"]), name, text)


def main() -> int:
    names = [*OPTIMIZERS, *FOUNDATION]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=names, metavar="NAME", help=", ".join(names))
    chosen = parser.parse_args().names
    if unknown := set(chosen) - set(names):
        parser.error(f"there is no file {sorted(unknown)[0]!r}; there are {', '.join(names)}")

    jobs = []
    for name in chosen:
        source = OPTIMIZERS.get(name, PACKAGE / f"{name}.py").read_text()
        jobs += [(name, "nothing is planted", source)]
        jobs += [(name, what, text) for what, text in mutants(name, source)]

    planted, died, explained, survived = Counter(), Counter(), Counter(), []
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, spawn, start_worker, max_tasks_per_child=50) as pool:
        for count, (name, what, dead) in enumerate(pool.map(try_one, jobs), start=1):
            if what == "nothing is planted":
                if dead:
                    sys.exit(f"{name}: its tests fail as it is")
                continue
            planted[name] += 1
            died[name] += dead
            if not dead:
                explained[name] += what in EQUIVALENT
                survived += [what] if what not in EQUIVALENT else []
                print(f"[{count}/{len(jobs)}] lives: {what}", flush=True)
    for name in chosen:
        print(f"{name:>12}: {planted[name]:4} planted, {died[name]:4} died, {explained[name]:3} equivalent")
    print(
        f"{sum(planted.values())} defects: {sum(died.values())} died, {sum(explained.values())} explained, {len(survived)} survived"
    )
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
