"""Plants defects in the package, one at a time, and runs the tests of the file it is in: every one must die.

    python tests/mutants.py              everything, in two processes
    python tests/mutants.py adam core    these files only
    python tests/mutants.py --some 20    twenty of each file, the same ones every time

Prints the defects that survive and are not explained in ``EQUIVALENT``; the exit code is 1 if there are any.
"""

import argparse
import ast
import copy
import io
import multiprocessing
import os
import random
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
    "values": ["test_values.py", "test_checks.py"],
    "core": ["test_core.py", "test_checks.py"],
    "protocol": ["test_core.py", "test_values.py", "test_checks.py", "test_laws.py", "test_transforms.py"],
    "rules": ["test_core.py", "test_checks.py", "test_laws.py"],
    "checks": ["test_checks.py"],
    "kinds": ["test_checks.py", "test_core.py"],
    "numerics": ["test_numerics.py", "test_twins.py", "test_laws.py"],
    "trees": ["test_trees.py", "test_checks.py", "test_wrappers.py", "test_transforms.py"],
    "norms": ["test_trees.py", "test_wrappers.py", "test_transforms.py"],
    "schedules": ["test_schedules.py", "test_checks.py"],
    "paths": ["test_groups.py", "test_checks.py"],
    "matrices": ["test_matrices.py", "test_twins.py", "test_checks.py", "test_trees.py"],
    "factors": ["test_matrices.py", "test_twins.py", "test_checks.py", "test_trees.py"],
    "noise": ["test_transforms.py", "test_lbfgs.py", "test_trees.py"],
    "linesearch": ["test_lbfgs.py"],
    "states": ["test_groups.py", "test_wrappers.py", "test_checks.py", "test_sharding.py"],
    "inspection": ["test_groups.py"],
    "interop": ["test_interop.py", "test_checks.py"],
    "buffers": ["test_packing.py", "test_checks.py"],
    "packing": ["test_packing.py", "test_checks.py"],
    "training": ["test_training.py", "test_checks.py", "test_landscapes.py"],
}
AROUND = {
    "transforms": ["test_transforms.py", "test_checks.py", "test_composed.py"],
    "wrappers": ["test_wrappers.py", "test_groups.py", "test_checks.py", "test_composed.py"],
}
FILES = {
    path.stem: path.relative_to(PACKAGE)
    for pattern in (
        "optimizers/[!_]*.py",
        "transforms/[!_]*.py",
        "wrappers/[!_]*.py",
        *(f"{name}.py" for name in FOUNDATION),
    )
    for path in sorted(PACKAGE.glob(pattern))
}

SOUND = "no defect"
LONGEST = 900  # seconds

UNSEEN = "what stands there is chosen by neither where"
SLOWER = "the quick way out is missed, and the same is found"

# What cannot be told from the original, and why.
EQUIVALENT = {
    "values._equal: isinstance(a, jax.core.Tracer) or isinstance(b, jax.core.Tracer) or a.dtype != b.dtype → "
    "a.dtype != b.dtype": "np.array_equal says no of what it cannot look at",
    "values._equal: bool(a is b or a == b) → a is b or a == b": "all() asks for the truth of anything",
    "checks._pairs: jax.tree.leaves(tree) → tree": SLOWER,
    "checks._pairs: list(map(of, ours)) → map(of, ours)": SLOWER,
    "checks._pairs: list(map(of, theirs)) → map(of, theirs)": SLOWER,
    "core.module: dataclass(frozen=True) → dataclass()": "nobody changes it",
    "core.module: True → False in frozen=True": "the same",
    "numerics.at_least_float32: 4 → 5 in dtype.itemsize < 4": "float32 becomes float32",
    "numerics.at_least_float32: 4 → 3 in dtype.itemsize < 4": "no float has three bytes",
    "numerics._sqrt_jvp: 1 → 2 in jnp.where(root > 0, root, 1)": UNSEEN,
    "numerics._sqrt_jvp: 1 → 0 in jnp.where(root > 0, root, 1)": UNSEEN,
    "numerics.abs2: g.real * g.real + g.imag * g.imag if jnp.iscomplexobj(g) else g * g → "
    "g.real * g.real + g.imag * g.imag": "of a real number the imaginary part is 0, and so is its square",
    "trees.same_structure: bool(ours == jax.tree.structure(b)) → ours == jax.tree.structure(b)": "it is a bool already",
    "adam_atan2.rule: 1 → 2 in jnp.where(root == 0, 1, root)": "where the root is 0, so is the moment",
    "sm3.rule: 0 → -1 in initial=0": "no square is negative, and of no entries nothing is made",
    "sm3.rule: 1 → 2 in jnp.where(nu > 0, sqrt(nu), 1)": UNSEEN,
    "madgrad.rule: 1 → 0 in jnp.where(v > 0, v, 1)": "where v is 0 so is s, and the where lets no derivative pass",
    "radam.update: 5 → 4 in jnp.maximum(rho, 5)": UNSEEN,
    "ademamix.update: 1 → 0 in 1 if warmup_steps is None else warmup_steps": "whatever is above 1 is taken as 1",
    **{
        f"radam.update: {there} → {there + off} in near ** {power} / {there}": "it moves the sum by 4e-12 at most"
        for there, power in ((15120, 5), (604800, 7))
        for off in (-1, 1)
    },
    "radam.update: 0 → 1 in jnp.where(rectified, r2, 0)": UNSEEN,
    "adopt.rule: 1 → 2 in jnp.where(first, 1, jnp.maximum(sqrt(v), eps))": "the first step is shortened to 0",
    "radam.update: 0.25 → 0.2525 in jnp.minimum(x, 0.25)": UNSEEN,
    "radam.update: 0.25 → 0.2525 in jnp.maximum(x, 0.25)": UNSEEN,
    "radam.update: 0.25 → 0.2525 in x < 0.25": "between the two both forms are exact",
    "madgrad.rule: 1 → 2 in jnp.where(v > 0, v, 1)": UNSEEN,
    "rules.direction: 1 → 2 in jnp.where(length == 0, 1, length)": "0 divided by either is 0",
    "weight_decay.rule: u.conj() * p → u.conj() / p": "the sign is the same, and at 0 nothing decays",
    "average.update: 1 → 0 in jnp.maximum((iter - begin + every - 1) // every, 1)": UNSEEN,
    "skip_spikes.update: 0.0 → 0.01 in grads, state, params=None, *, value=0.0, **extra": "a constant is no spike",
    "rules.each: str(rule) → rule": "as a word in a sentence it becomes the same",
    "noise.first_key: key + zeros_beside(params, key.shape, key.dtype) → "
    "key - zeros_beside(params, key.shape, key.dtype)": "they are zeros",
    "matrices.length: 1 → 2 in jnp.where(largest > 0, largest, 1)": UNSEEN,
    "buffers.gathered: jax.tree.map(of_arrays, like, values, is_leaf=is_packed) if packed_in(like) else values → "
    "jax.tree.map(of_arrays, like, values, is_leaf=is_packed)": SLOWER,
    "norms.look: 1 → 2 in total < 1": "of what is looked at again, none is near 1",
    "noise.signs: real + 1j * imaginary → real - 1j * imaginary": "either sign is as likely",
    "noise.signs: 1j * imaginary → 1j / imaginary": "of a sign",
    "rules.each: 0 → -1 in out[0]": "of a tuple of one, the first is the last",
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
            for forgotten in (k for k in keywords if k.arg != "strict"):
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
    """Annotations and type aliases, which no program notices, and zip's strict=True, which asserts."""
    roots: list[ast.AST] = []
    for node in ast.walk(tree):
        roots += filter(None, (getattr(node, "annotation", None), getattr(node, "returns", None)))
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "overload" for d in node.decorator_list):
            roots.append(node)
        if isinstance(node, ast.keyword) and node.arg == "strict":
            roots.append(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"Number", "Scalar", "P"}:
            roots.append(node)
    return {node for root in roots for node in ast.walk(root)}


def mutants(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Each defect of a file: what it is, and the file with it."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
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
            if text == original:
                continue
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


def tests_of(name: str) -> tuple[list[str], str]:
    """The files that test a file, those that most defects die of first, and the expression that chooses from them."""
    if name in FOUNDATION or FILES[name].parent.name in AROUND:
        files = FOUNDATION.get(name) or AROUND[FILES[name].parent.name]
        if name in {"matrices", "factors"}:
            return files, "not test_twins or muon or scion or shampoo or soap or psgd_kron"
        return files, f"not composed or ((all_laws or keywords) and {name})"
    if name == "lbfgs":  # which has no path along given gradients
        files = ["test_house.py", "test_core.py", "test_lbfgs.py", "test_laws.py"]
        return files, "lbfgs or registry or as_it_prints"
    files = ["test_twins.py", "test_peers.py", "test_house.py", "test_laws.py"]
    files += ["test_core.py", "test_properties.py", "test_groups.py"]
    return files, f"[{name}- or [{name}] or {name}s or test_{name}_ or registry or as_it_prints"


def dies(name: str, text: str) -> bool:
    """Whether the file's own tests fail, run in this process over its copy of the package with this text in it."""
    import jax  # noqa: PLC0415 - for workers, not for their parent
    import pytest  # noqa: PLC0415

    folder = os.environ["MUTANTS_FOLDER"]
    target = Path(folder, "jaxopt_lite", FILES[name])
    original = target.read_text()
    target.write_text(text)
    for module, loaded in list(sys.modules.items()):
        if str(getattr(loaded, "__file__", None)).startswith((folder, str(TESTS))) and "main__" not in module:
            del sys.modules[module]
    jax.clear_caches()
    jax.config.update("jax_enable_x64", False)
    options = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "--assert=plain", f"--rootdir={TESTS.parent}"]
    signal.alarm(LONGEST)  # ends this process: a compiled loop that goes on for good hears of nothing else
    try:
        files, chosen = tests_of(name)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            codes = (pytest.main([*options, "-k", chosen, str(TESTS / file)]) for file in files)
            return any(code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} for code in codes)
    finally:
        signal.alarm(0)
        target.write_text(original)


def start_worker() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    shutil.copytree(PACKAGE, folder / "jaxopt_lite", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE.parent / "README.md", folder)
    os.environ |= {
        "MUTANTS_FOLDER": str(folder),
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Most defects leave most programs as they were: those need not be compiled again.
        "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(FILES), metavar="NAME", help=", ".join(FILES))
    parser.add_argument("--some", type=int, metavar="N", help="only so many defects of each file")
    options = parser.parse_args()
    chosen = options.names
    if unknown := set(chosen) - FILES.keys():
        parser.error(f"there is no file {sorted(unknown)[0]!r}; there are {', '.join(FILES)}")

    jobs = []
    for name in chosen:
        source = (PACKAGE / FILES[name]).read_text()
        planted = [(name, what, text) for what, text in mutants(name, source)]
        if options.some is not None:
            planted = random.Random(0).sample(planted, min(options.some, len(planted)))
        # Sound before and after: whatever one run leaves behind in the process must not kill the next.
        jobs += [(name, SOUND, source), *planted, (name, SOUND, source), (name, SOUND, source)]

    planted, died, explained, survived = Counter(), Counter(), Counter(), Counter()
    with multiprocessing.get_context("spawn").Pool(2, start_worker, maxtasksperchild=50) as pool:
        trials = [pool.apply_async(dies, (name, text)) for name, _, text in jobs]
        for count, ((name, what, _), trial) in enumerate(zip(jobs, trials, strict=True), start=1):
            try:
                dead = trial.get(LONGEST + 60)
            except multiprocessing.TimeoutError:
                dead = True  # and so is the process that it was tried in
            print(f"{count}/{len(jobs)}", end="\r", file=sys.stderr)
            if what == SOUND:
                if dead:
                    sys.exit(f"{name}: its tests fail without a defect")
                continue
            planted[name] += 1
            (died if dead else explained if what in EQUIVALENT else survived)[name] += 1
            if not dead and what not in EQUIVALENT:
                print(f"[{count}/{len(jobs)}] survives: {what}", flush=True)
    for name in chosen:
        print(f"{name:>12}: {planted[name]:4} planted, {died[name]:4} died, {explained[name]:3} explained", flush=True)
    total = [counter.total() for counter in (planted, died, explained, survived)]
    print("{} defects planted: {} died, {} explained, {} survived".format(*total))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
