"""Plant defects in the package, one at a time, and run the tests of the file it is in: every defect must die.

    python tools/mutants.py                       everything, in two processes
    python tools/mutants.py adam race/ranking     these files only
    python tools/mutants.py --some 20 --seed 1    twenty of each file, the same ones for each seed

Print each defect that survives and is not explained in equivalent_defects.toml: the exit code is 1 if there are any.
Print each defect that only a slow test kills, and that test. At the end print how many of each file died.
"""

import argparse
import ast
import copy
import io
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS, PACKAGE = ROOT / "tests", ROOT / "jaxopt_lite"
# What every rule is built on: the files that test it first, and those that may find what these do not.
FOUNDATION = {
    "value": ["test_values.py", "test_checks.py"],
    "declarations": ["test_core.py", "test_checks.py"],
    "protocol": ["test_core.py", "test_values.py", "test_checks.py"],
    "each": ["test_core.py", "test_checks.py"],
    "checks": ["test_checks.py"],
    "hyperparameters": ["test_checks.py", "test_arguments.py", "test_core.py"],
    "numerics": ["test_numerics.py", "test_twins.py"],
    "structure": ["test_trees.py", "test_checks.py"],
    "meshes": ["test_sharding.py"],
    "norms": ["test_trees.py", "test_wrappers.py", "test_transforms.py"],
    "shapes": ["test_schedules.py", "test_checks.py"],
    "paths": ["test_groups.py", "test_checks.py"],
    "matrices": ["test_matrices.py", "test_twins.py", "test_checks.py", "test_trees.py"],
    "orthogonal": ["test_matrices.py", "test_twins.py", "test_checks.py"],
    "preconditioners": ["test_matrices.py", "test_twins.py", "test_checks.py", "test_trees.py"],
    "random": ["test_transforms.py", "test_lbfgs.py", "test_trees.py"],
    "linesearch": ["test_lbfgs.py"],
    "states": ["test_groups.py", "test_wrappers.py", "test_checks.py", "test_sharding.py"],
    "inspection": ["test_inspection.py", "test_groups.py"],
    "interop": ["test_interop.py", "test_checks.py"],
    "packed": ["test_packing.py", "test_checks.py"],
    "packing": ["test_packing.py", "test_checks.py"],
    "scheduled": ["test_scheduled.py", "test_checks.py"],
    "algebra": ["test_schedules.py", "test_checks.py"],
    "curves": ["test_schedules.py"],
    "privacy": ["test_privacy.py", "test_checks.py"],
    "training": ["test_training.py", "test_checks.py", "test_landscapes.py"],
    "state_checks": ["test_checks.py", "test_core.py", "test_interop.py"],
    "dtypes": ["test_numerics.py", "test_dtypes.py"],
    "zeros": ["test_trees.py", "test_sharding.py", "test_checks.py"],
    "decay": ["test_twins.py", "test_checks.py"],
    "sharding": ["test_sharding.py"],
    "arguments": ["test_arguments.py", "test_checks.py"],
    "eager": ["test_core.py", "test_values.py", "test_dtypes.py", "test_checks.py"],
    "places": ["test_checks.py", "test_groups.py", "test_interop.py"],
}
ON_IT = [
    "test_laws.py",
    "test_wrappers.py",
    "test_transforms.py",
    "test_groups.py",
    "test_dtypes.py",
    "test_lbfgs.py",
    "test_matrices.py",
    "test_packing.py",
    "test_interop.py",
]
AROUND = {
    "transforms": ["test_transforms.py", "test_checks.py", "test_composed.py", "test_packing.py"],
    "wrappers": ["test_wrappers.py", "test_groups.py", "test_checks.py", "test_composed.py"],
}
TOOLS = {
    "race": ["test_race.py", "test_report.py", "test_command_line.py"],
    "landscapes": ["test_landscapes.py", "test_command_line.py"],
    "testing": ["test_laws.py"],
    "datasets": ["test_datasets.py"],
    "cli": ["test_command_line.py"],
    "html": ["test_report.py", "test_landscapes.py"],
}


def files() -> dict[str, Path]:
    """Name every file of the package that holds more than names of other files."""
    found = {}
    for path in (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))):
        named = path.stem if path.parent.name not in TOOLS else str(path.with_suffix("")).removesuffix("/__init__")
        if named != "__init__":
            found[named] = path
    return found


FILES = files()
# Names of what a worker runs itself; jaxopt_lite.__main__ is not one of them.
MAIN = {"__main__", "__mp_main__"}
SOUND = "no defect"
LONGEST = 600  # seconds

# Defects that cannot be told from the original, and why.
EQUIVALENT = {
    f"{where}: {what}": why
    for where, defects in tomllib.loads(Path(__file__).with_name("equivalent_defects.toml").read_text()).items()
    for what, why in defects.items()
}

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


# The operators: what might stand in an expression's place by mistake. ``fields`` are those of the file's state.


def mistake_an_operation(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left, op, right) if type(op) in SWAPS:
            yield ast.BinOp(left, SWAPS[type(op)](), right)
        case ast.Compare(left, [op], right) if type(op) in SWAPS:
            yield ast.Compare(left, [SWAPS[type(op)]()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(SWAPS[type(op)](), values)


def drop_a_term(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left, _, right):
            yield from (left, right)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.BoolOp(_, values):
            yield from values
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)


def perturb_a_constant(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(float() as value):
            yield ast.Constant(value * 1.01 if value else 0.01)


def move_eps_into_the_root(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(ast.Call(ast.Name("sqrt") as sqrt, [x]), ast.Add(), eps):
            yield ast.Call(sqrt, [ast.BinOp(x, ast.Add(), eps)], [])


def take_the_magnitude_for_its_square(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Call(ast.Name("abs2"), [g]):
            yield ast.Call(ast.Name("abs"), [g], [])


def miscount_by_one(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Call(ast.Name("at" | "bias_correction") as function, [number, count]):
            for op in (ast.Add(), ast.Sub()):
                yield ast.Call(function, [number, ast.BinOp(count, op, ast.Constant(1))], [])


def freeze_a_field(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Call(ast.Name(state), args, []) if state.endswith("State") and len(args) == len(fields):
            for i, field in enumerate(fields):
                frozen = ast.Attribute(ast.Name("state"), field)
                yield ast.Call(node.func, [frozen if i == j else arg for j, arg in enumerate(args)], [])


def forget_a_function(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Call(_, [argument], []) if not isinstance(argument, ast.Starred | ast.GeneratorExp):
            yield argument


def forget_an_argument(node: ast.AST, fields: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.Call(function, args, keywords):
            for forgotten in (k for k in keywords if k.arg not in {"strict", "help", "metavar"}):
                yield ast.Call(function, args, [k for k in keywords if k is not forgotten])


OPERATORS = (
    mistake_an_operation,
    drop_a_term,
    perturb_a_constant,
    move_eps_into_the_root,
    take_the_magnitude_for_its_square,
    miscount_by_one,
    freeze_a_field,
    forget_a_function,
    forget_an_argument,
)


def unseen(tree: ast.Module) -> set[ast.AST]:
    """Annotations and aliases, which no program notices; zip's strict=True, which asserts; words of --help."""
    roots: list[ast.AST] = []
    for node in ast.walk(tree):
        roots += filter(None, (getattr(node, "annotation", None), getattr(node, "returns", None)))
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "overload" for d in node.decorator_list):
            roots.append(node)
        if isinstance(node, ast.keyword) and node.arg in {"strict", "help", "metavar"}:
            roots.append(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"ScalarOrSchedule", "Scalar", "P"}:
            roots.append(node)
    return {node for root in roots for node in ast.walk(root)}


def mutants(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Each defect of a file: what it is, and the file with it."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    states = [c for c in tree.body if isinstance(c, ast.ClassDef) and c.name.endswith("State")]
    fields = [ast.unparse(n.target) for c in states for n in c.body if isinstance(n, ast.AnnAssign)]
    ignored = unseen(tree)
    for node in [n for n in ast.walk(tree) if isinstance(n, ast.expr) and n not in ignored]:
        where = parents[node]
        while not isinstance(where, ast.FunctionDef | ast.Module):
            where = parents[where]
        for mistake in (m for operator in OPERATORS for m in operator(node, fields)):
            text = ast.unparse(ast.fix_missing_locations(Replace(node, mistake).visit(copy.copy(tree))))
            if text in seen:
                continue
            seen.add(text)
            context = f" in {ast.unparse(parents[node])}" if isinstance(node, ast.Constant) else ""
            what = f"{ast.unparse(node)} → {ast.unparse(mistake)}{context}"
            yield f"{name}.{getattr(where, 'name', 'module')}: {what}", text


class Replace(ast.NodeTransformer):
    """Another node in a node's place, in a copy of the tree."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().visit(copy.copy(node))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, field, [self.visit(x) if isinstance(x, ast.AST) else x for x in value])
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node


# Laws are run over these rules for a file that all rules use.
OVER_SOME_RULES = "not test_law[ or [adam- or [dog- or [lamb- or [muon-"


def tests_of(name: str) -> tuple[list[str], str]:
    """Choose the files that test a file, those that kill most defects first, and the expression that selects there."""
    folder = name.split("/", maxsplit=1)[0]
    around = FILES[name].parent.name
    if folder in TOOLS:
        return TOOLS[folder], OVER_SOME_RULES
    if name in {"matrices", "preconditioners"}:
        return FOUNDATION[name], "not test_twins or muon or scion or shampoo or soap or psgd_kron"
    if name in FOUNDATION:
        more = [file for file in ON_IT if file not in FOUNDATION[name]]
        return FOUNDATION[name] + more, f"({OVER_SOME_RULES}) and (not a_hundred_steps or [adam or [adan or [radam)"
    if around in AROUND:
        return AROUND[around], f"not composed or ((all_laws or keywords or needs) and {name})"
    if name == "lbfgs":  # which has no path along given gradients
        return ["test_house.py", "test_core.py", "test_lbfgs.py", "test_laws.py"], "lbfgs or registry or as_it_prints"
    files = ["test_twins.py", "test_peers.py", "test_house.py", "test_laws.py", "test_core.py"]
    files += ["test_properties.py", "test_groups.py", "test_lbfgs.py", "test_matrices.py"]
    called = name.split("_", maxsplit=1)[0]  # as "polyaks step" is in the name of a test of polyak_sgd
    named = f"[{name}- or [{name}] or [{name}: or {called}s_ or test_{called}_"
    return files, f"{named} or registry or as_it_prints or docstrings"


class FirstFailure:
    """A plugin of pytest that keeps the name of the first test that fails."""

    test = ""

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


# How each part of the tests is selected.
PARTS = {"quick": "not slow", "slow": "slow"}


def killer(name: str, text: str, parts: Sequence[str], files: Sequence[str], chosen: str) -> tuple[str, str]:
    """Run the chosen tests of these files in this process over its copy of the package with this text, part by part.

    Returns:
        The part of the tests that fails, "quick" or "slow", and its test; "" where none fails.
    """
    import jax  # noqa: PLC0415 - for workers, not for their parent
    import pytest  # noqa: PLC0415

    folder = os.environ["MUTANTS_FOLDER"]
    target = Path(folder, "jaxopt_lite", FILES[name])
    original = target.read_text()
    target.write_text(text)
    for module, loaded in list(sys.modules.items()):
        if str(getattr(loaded, "__file__", None)).startswith((folder, str(TESTS))) and module not in MAIN:
            del sys.modules[module]
    jax.clear_caches()
    jax.config.update("jax_enable_x64", False)
    options = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "--assert=plain", f"--rootdir={ROOT}"]
    signal.alarm(LONGEST)  # ends this process: a compiled loop that goes on for good hears of nothing else
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            for part, file in itertools.product(parts, files):
                first = FirstFailure()
                code = pytest.main([*options, "-m", PARTS[part], "-k", chosen, str(TESTS / file)], plugins=[first])
                if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
                    return part, first.test or file
            return "", ""
    finally:
        signal.alarm(0)
        target.write_text(original)


def start_worker() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    shutil.copytree(PACKAGE, folder / "jaxopt_lite", ignore=shutil.ignore_patterns("__pycache__"))
    os.environ |= {
        "MUTANTS_FOLDER": str(folder),
        "PYTHONPATH": str(folder),
        "PYTHONSAFEPATH": "1",  # or a test's own python -m jaxopt_lite runs the package in the folder it stands in
        "PYTHONDONTWRITEBYTECODE": "1",
        # Most defects leave most programs as they were: those need not be compiled again.
        "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
    }
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(FILES), metavar="NAME", help=", ".join(FILES))
    parser.add_argument("--some", type=int, metavar="N", help="only so many defects of each file")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    options = parser.parse_args()
    chosen = options.names
    if unknown := set(chosen) - FILES.keys():
        parser.error(f"there is no file {sorted(unknown)[0]!r}; there are {', '.join(FILES)}")

    jobs: list[tuple[str, str, str, list[str], list[str], str]] = []
    sound: set[tuple[str, str]] = set()
    for name in chosen:
        source = (PACKAGE / FILES[name]).read_text()
        planted = [(name, what, text) for what, text in mutants(name, source)]
        if options.some is not None:
            planted = random.Random(options.seed).sample(planted, min(options.some, len(planted)))
        files, chosen_tests = tests_of(name)
        jobs += [(*job, list(PARTS), files, chosen_tests) for job in planted]
        # Then no defect: whatever one run leaves behind in the process must not kill the next. Once for each test file.
        untried = [file for file in files if (file, chosen_tests) not in sound]
        jobs += [(name, SOUND, source, ["quick"], untried, chosen_tests)]
        sound |= {(file, chosen_tests) for file in untried}

    planted, quick, slow, explained, survived = (Counter() for _ in range(5))
    with multiprocessing.get_context("spawn").Pool(2, start_worker, maxtasksperchild=50) as pool:
        trials = [pool.apply_async(killer, (name, *rest)) for name, _, *rest in jobs]
        for count, ((name, what, *_), trial) in enumerate(zip(jobs, trials, strict=True), start=1):
            try:
                part, test = trial.get(LONGEST + 60)
            except multiprocessing.TimeoutError:
                part, test = "quick", "never ends"  # and so is the process gone that it was tried in
            print(f"{count}/{len(jobs)}", end="\r", file=sys.stderr)
            if what == SOUND:
                if part:
                    sys.exit(f"{name}: {test} fails without a defect")
                continue
            planted[name] += 1
            {"quick": quick, "slow": slow, "": explained if what in EQUIVALENT else survived}[part][name] += 1
            if part == "slow":
                print(f"[{count}/{len(jobs)}] only {test} kills: {what}", flush=True)
            elif not part and what not in EQUIVALENT:
                print(f"[{count}/{len(jobs)}] survives: {what}", flush=True)
    said = "{:4} planted, {:4} died quickly, {:3} slowly, {:3} explained, {:3} survived"
    counters = planted, quick, slow, explained, survived
    for name in chosen:
        print(f"{name:>20}:", said.format(*(counter[name] for counter in counters)))
    print(f"{'all':>20}:", said.format(*(counter.total() for counter in counters)))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
