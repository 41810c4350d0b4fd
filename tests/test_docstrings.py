"""Each public function has an example, which runs, a first line that begins with a verb, and short sentences."""

import doctest
import importlib
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import prose
import pytest

import jaxopt_lite
from jaxopt_lite import Optimizer, schedules

MODULES = ["", ".schedules", ".race", ".landscapes", ".testing", ".datasets"]
NAMES = {"jax": jax, "jnp": jnp, "np": np, "jaxopt_lite": jaxopt_lite, "schedules": schedules}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public():
    """Every function that a user calls, by the name that it is called by."""
    found = {}
    for module in MODULES:
        names = vars(importlib.import_module(f"jaxopt_lite{module}"))
        for name in names.get("__all__", ["load_digits"]):
            if inspect.isroutine(names[name]):
                found[f"{module}.{name}".strip(".")] = names[name]
    methods = {f"Optimizer.{name}": getattr(Optimizer, name) for name in ("init", "update", "replace")}
    return found | methods


FUNCTIONS = public()


def namespace(function):
    """What stands in an example without an import: the package's names, and those beside the function."""
    beside = importlib.import_module(f"{function.__module__.rpartition('.')[0] or 'jaxopt_lite'}")
    names = {name: vars(beside)[name] for name in getattr(beside, "__all__", [])}
    ours = {name: getattr(jaxopt_lite, name) for name in jaxopt_lite.__all__}
    return names | ours | {function.__name__: function} | NAMES


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = FUNCTIONS[name]
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(function), namespace(function), name, None, None)
    assert example.examples, f"{name} has no example"
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    assert said == []


def test_docstrings_begin_with_verbs_and_have_short_sentences():
    found = {}
    for path in sorted(prose.PACKAGE.rglob("*.py")):
        source = path.read_text()
        if lines := [text for _, text in [*prose.nouns_first(source), *prose.long_sentences(source)]]:
            found[str(path.relative_to(prose.PACKAGE))] = lines
    assert found == {}


def test_long_sentences_and_nouns_are_found():
    words = " ".join(["word"] * 21)
    source = f'def f():\n    """What it gives.\n\n    {words}.\n\n        {words}\n    """\n    # {words}\n'
    assert [text for _, text in prose.nouns_first(source)] == ["What it gives."]
    assert [prose.length(text) for _, text in prose.long_sentences(source)] == [21, 21]
