"""The house rules: what is public, how long a file may be, what imports what, and what an import costs."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import jax
import jax.numpy as jnp
import pages

import jaxopt_lite
from jaxopt_lite import optimizers, registry

ROOT = Path(__file__).parents[1]
PACKAGE = Path(jaxopt_lite.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
OPTIMIZER_FILES, TRANSFORM_FILES, WRAPPER_FILES = (
    sorted((PACKAGE / folder).glob("[!_]*.py")) for folder in ("optimizers", "transforms", "wrappers")
)


# From the bottom: each imports from itself and from those before it.
FLOORS = ["types", "tree", "core", "ops"]
# What a user may import from, beside the package itself.
PUBLIC = {
    "core": {"Optimizer", "Transform", "by_name", "optimizer", "registry", "transform"},
    "datasets": {"load_digits"},
    "landscapes": {"LANDSCAPES", "Landscape", "gif", "page", "png", "trajectories"},
    "race": {"Result", "load", "race"},
    "testing": {"check", "laws"},
    "types": {"Scalar", "ScalarOrSchedule", "Tree"},
}


def imports(path):
    """Name the modules of the package that a file imports, within functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    whole = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    found = {m for m in whole if m.split(".")[0] == "jaxopt_lite"}
    for n in nodes:
        if isinstance(n, ast.ImportFrom) and n.module.split(".")[0] == "jaxopt_lite":
            inside = importlib.import_module(n.module)
            of_names = {name: f"{n.module}.{name}" for name in (alias.name for alias in n.names)}
            found |= {
                of if of in MODULES and inspect.ismodule(getattr(inside, name, inspect)) else n.module
                for name, of in of_names.items()
            }
    return found


def module(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def code_lines(path):
    """The lines that hold code: no blank lines, comments or docstrings."""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    prose = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    lines = {n for t in tokens if t.type not in prose | {tokenize.ENDMARKER} for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
        if isinstance(node, ast.ImportFrom):  # one line of code, into however many the formatter breaks it
            lines -= set(range(node.lineno + 1, node.end_lineno + 1))
    return len(lines)


def at(path):
    return str(path.relative_to(PACKAGE.parent))


def test_no_file_is_longer_than_250_lines():
    assert [at(path) for path in FILES if len(path.read_text().splitlines()) > 250] == []


class TestOptimizerFiles:
    def test_have_at_most_70_lines_of_code(self):
        assert [at(path) for path in OPTIMIZER_FILES if code_lines(path) > 70] == []

    def test_import_from_core_ops_and_types_alone(self):
        allowed = {"jaxopt_lite.core", "jaxopt_lite.ops", "jaxopt_lite.types"}
        others = {
            at(path): {m for m in imports(path) if ".".join(m.split(".")[:2]) not in allowed}
            for path in OPTIMIZER_FILES
        }
        assert {path: modules for path, modules in others.items() if modules} == {}

    def test_have_the_same_blocks_in_the_same_order(self):
        assert [at(path) for path in OPTIMIZER_FILES if not has_the_blocks(path)] == []


class TestFloors:
    def test_each_imports_from_those_below_alone(self):
        above = {}
        for k, floor in enumerate(FLOORS):
            allowed = {f"jaxopt_lite.{name}" for name in FLOORS[: k + 1]}
            for name in (n for n in MODULES if n.split(".")[1:2] == [floor]):
                others = {m for m in imports(MODULES[name]) if ".".join(m.split(".")[:2]) not in allowed}
                above |= {name: others} if others else {}
        assert above == {}

    def test_no_module_imports_itself_by_way_of_others(self):
        """The package itself is left out, because whatever is imported from it has been imported before."""
        graph = {name: imports(path) - {"jaxopt_lite"} for name, path in MODULES.items() if name != "jaxopt_lite"}
        while free := [name for name, needs in graph.items() if not needs & graph.keys() - {name}]:
            for name in free:
                del graph[name]
        assert graph == {}


def has_the_blocks(path):
    """Whether a file ends in a state and a factory, which has ``init`` and ``update``, and a ``rule`` somewhere."""
    *_, state, factory = (n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef | ast.FunctionDef))
    return (
        state.name.lower() == f"{factory.name}state".replace("_", "")
        and factory.name == path.stem
        and [node.name for node in factory.body if isinstance(node, ast.FunctionDef)] == ["init", "update"]
        and any(isinstance(node, ast.FunctionDef) and node.name == "rule" for node in ast.walk(factory))
    )


def test_no_transform_or_wrapper_has_more_than_40_lines_of_code():
    assert [at(path) for path in TRANSFORM_FILES + WRAPPER_FILES if code_lines(path) > 40] == []


def in_order(doc, parts):
    """Whether a docstring has all the parts, in this order."""
    found = [doc.find(part) for part in parts]
    return -1 not in found and found == sorted(found)


def parts_of_docstring(factory):
    """The parts that every factory's docstring has."""
    arguments = [f"    {name}: " for name in inspect.signature(factory).parameters if name != "parts"]
    return [*(["Args:"] if arguments else []), *arguments, "Example:", "State: ", "Source: "]


def test_docstrings_tell_all():
    factories = {name: entry.factory for name, entry in registry.items()}
    others = {path.stem: getattr(jaxopt_lite, path.stem) for path in TRANSFORM_FILES + WRAPPER_FILES}
    parts = {name: [" ← ", "Use it ", *parts_of_docstring(factory)] for name, factory in factories.items()}
    parts |= {name: parts_of_docstring(factory) for name, factory in others.items()}
    assert [name for name, f in (factories | others).items() if not in_order(inspect.getdoc(f), parts[name])] == []


def test_docstrings_compare_the_rate_to_adams_and_count_the_bytes_of_a_matrix():
    kept, told = {}, {}
    for name, entry in registry.items():
        doc = inspect.getdoc(entry.factory)
        assert "Adam's" in doc[doc.find("Use it ") : doc.find("Args:")], name
        state = jax.eval_shape(entry.factory().init, jax.ShapeDtypeStruct((1000, 1000), jnp.float32))
        kept[name] = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) // 1_000_000
        found = re.search(r"(\d+) bytes per float32 parameter", doc)
        told[name] = int(found[1]) if found else 0
    assert kept == told


def test_the_readme_links_every_transform_and_wrapper():
    readme = (ROOT / "README.md").read_text()
    linked = {path.stem for path in TRANSFORM_FILES + WRAPPER_FILES if f"({at(path)})" in readme}
    assert {path.stem for path in TRANSFORM_FILES + WRAPPER_FILES} - linked <= {"chain", "freeze"}


def test_every_optimizer_is_public():
    for name, entry in registry.items():
        assert getattr(jaxopt_lite, name) is entry.factory
        assert name in jaxopt_lite.__all__
    assert {name for name in optimizers.__all__ if not name.endswith("State")} == set(registry)


def test_all_is_what_is_public():
    public = {n for n, v in vars(jaxopt_lite).items() if not n.startswith("_") and not inspect.ismodule(v)}
    assert public == set(jaxopt_lite.__all__) - {
        n for n in jaxopt_lite.__all__ if inspect.ismodule(getattr(jaxopt_lite, n))
    }
    for name in jaxopt_lite.__all__:
        assert getattr(jaxopt_lite, name).__doc__


def test_public_modules_hold_the_names_that_they_held():
    for name, names in PUBLIC.items():
        public = importlib.import_module(f"jaxopt_lite.{name}")
        assert names <= vars(public).keys(), name
    readme = (ROOT / "README.md").read_text()
    assert [name for name in [*PUBLIC, "ops", "schedules"] if f"`jaxopt_lite.{name}`" not in readme] == []


def test_an_import_needs_jax_alone_and_starts_no_backend():
    script = ROOT / "tests" / "scripts" / "import_alone.py"
    subprocess.run([sys.executable, script], check=True, timeout=100)


def test_a_group_of_rules_is_of_one_family_in_the_readme_and_in_all():
    table = (ROOT / "README.md").read_text().partition("\n## The optimizers\n")[2]
    readme = re.findall(r"optimizers/(\w+)\.py|^\| \*\*(.+?)\*\*", table, re.MULTILINE)
    names = re.findall(r'^    (?:"(\w+)",|# (.*))$', inspect.getsource(jaxopt_lite), re.MULTILINE)
    for listed, book in ((readme, "The book's"), (names, "the optimizers: the book's")):
        groups, heading = {}, ""
        for name, text in listed:
            heading = text or heading
            if name in registry:
                groups.setdefault(heading, set()).add(registry[name].family)
        assert groups.pop(book) == {"first-order", "adaptive"}
        assert {heading: families for heading, families in groups.items() if len(families) > 1} == {}
        assert set().union(*groups.values()) == {entry.family for entry in registry.values()}


def test_the_readme_lists_every_optimizer_as_it_prints():
    readme = (ROOT / "README.md").read_text()
    for name, entry in registry.items():
        assert f"[`{entry.factory()}`](jaxopt_lite/optimizers/{name}.py)" in readme


def test_pages_say_what_their_tables_say():
    docs = ROOT / "docs"
    assert [name for name, page in pages.PAGES.items() if (docs / name).read_text() != page()] == []
