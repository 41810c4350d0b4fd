"""The house rules: what is public, how long a file may be, what imports what, and what an import costs."""

import ast
import inspect
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import jaxopt_lite
from jaxopt_lite import optimizers, registry

PACKAGE = Path(jaxopt_lite.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
OPTIMIZER_FILES, TRANSFORM_FILES, WRAPPER_FILES = (
    sorted((PACKAGE / folder).glob("[!_]*.py")) for folder in ("optimizers", "transforms", "wrappers")
)


FOUNDATION = {"core", "numerics", "rules", "trees", "norms", "schedules", "matrices", "factors", "noise", "linesearch"}


def code_lines(path):
    """The lines that hold code: no blank lines, comments or docstrings."""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    prose = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    lines = {n for t in tokens if t.type not in prose | {tokenize.ENDMARKER} for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_is_longer_than_250_lines(path):
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", OPTIMIZER_FILES, ids=lambda path: path.stem)
class TestOptimizerFile:
    def test_has_at_most_70_lines_of_code(self, path):
        assert code_lines(path) <= 70

    def test_imports_from_the_foundation_only(self, path):
        modules = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        ours = {module for module in modules if module.startswith("jaxopt_lite")}
        assert ours <= {f"jaxopt_lite.{name}" for name in FOUNDATION}

    def test_has_the_same_blocks_in_the_same_order(self, path):
        *_, state, factory = (
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef | ast.FunctionDef)
        )
        assert state.name.lower() == f"{factory.name}state".replace("_", "")
        assert factory.name == path.stem
        assert [node.name for node in factory.body if isinstance(node, ast.FunctionDef)] == ["init", "update"]
        assert any(isinstance(node, ast.FunctionDef) and node.name == "rule" for node in ast.walk(factory))


@pytest.mark.parametrize("path", WRAPPER_FILES, ids=lambda path: path.stem)
def test_no_wrapper_is_longer_than_60_lines(path):
    assert len(path.read_text().splitlines()) <= 60


@pytest.mark.parametrize("path", TRANSFORM_FILES, ids=lambda path: path.stem)
def test_no_transform_has_more_than_40_lines_of_code(path):
    assert code_lines(path) <= 40


def parts_of_docstring(factory):
    """Where the parts that every docstring has begin, in the order that they should have."""
    doc = inspect.getdoc(factory)
    arguments = [f"    {name}: " for name in inspect.signature(factory).parameters if name != "parts"]
    return [doc.find(part) for part in [*(["Args:"] if arguments else []), *arguments, "State: ", "Source: "]]


@pytest.mark.parametrize("name", registry)
def test_docstrings_tell_all(name):
    doc = inspect.getdoc(registry[name].factory)
    parts = [doc.find(" ← "), doc.find("Use it "), *parts_of_docstring(registry[name].factory)]
    assert -1 not in parts
    assert parts == sorted(parts)


@pytest.mark.parametrize("name", registry)
def test_docstrings_compare_the_rate_to_adams_and_count_the_bytes_of_a_matrix(name):
    doc = inspect.getdoc(registry[name].factory)
    assert "Adam's" in doc[doc.find("Use it ") : doc.find("Args:")]
    state = jax.eval_shape(registry[name].factory().init, jax.ShapeDtypeStruct((1000, 1000), jnp.float32))
    kept = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    told = re.search(r"(\d+) bytes per float32 parameter", doc)
    assert kept // 1_000_000 == (int(told[1]) if told else 0)


@pytest.mark.parametrize("path", TRANSFORM_FILES + WRAPPER_FILES, ids=lambda path: path.stem)
def test_docstrings_of_transforms_and_wrappers_tell_all(path):
    parts = parts_of_docstring(getattr(jaxopt_lite, path.stem))
    assert -1 not in parts
    assert parts == sorted(parts)


@pytest.mark.parametrize("path", TRANSFORM_FILES + WRAPPER_FILES, ids=lambda path: path.stem)
def test_the_readme_links_every_transform_and_wrapper(path):
    readme = (PACKAGE.parent / "README.md").read_text()
    assert path.stem in {"chain", "freeze"} or f"({path.relative_to(PACKAGE.parent)})" in readme


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


def test_an_import_needs_jax_alone_and_starts_no_backend():
    script = """
import sys
before = set(sys.modules)
import jax
allowed = {name.partition(".")[0] for name in sys.modules}
import jaxopt_lite
from jax._src import xla_bridge
new = {name.partition(".")[0] for name in sys.modules} - allowed - set(sys.stdlib_module_names)
assert new == {"jaxopt_lite"}, new
assert not xla_bridge.backends_are_initialized()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)


def test_the_readme_lists_every_optimizer_as_it_prints():
    readme = (PACKAGE.parent / "README.md").read_text()
    for name, entry in registry.items():
        assert f"[`{entry.factory()}`](jaxopt_lite/optimizers/{name}.py)" in readme
