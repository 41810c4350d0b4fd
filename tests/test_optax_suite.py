"""optax's own tests, run on our optimizers: the committed table says which fail, and why."""

import json
import subprocess

import jax
import pytest
from optax_suite import outcomes, sources


@pytest.fixture(scope="session")
def optax_sources():
    if not jax.__version__.startswith(f"{outcomes.JAX}."):
        pytest.skip(f"the outcomes were recorded with jax {outcomes.JAX}")
    folder = sources.TESTS.parent / ".pytest_cache" / "d" / "optax"  # beside the programs that are kept
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return sources.unpacked(folder)
    except subprocess.CalledProcessError:
        pytest.skip("pip cannot download the source distribution of optax")


@pytest.mark.slow
@pytest.mark.parametrize("group", outcomes.MODULES)
def test_optaxs_tests_fare_as_the_table_says(group, optax_sources, tmp_path):
    found = sources.outcomes(outcomes.MODULES[group], tmp_path, optax_sources)
    expected = {"failed": {}, "not_comparable": {}} | outcomes.read()[group]
    assert outcomes.summary(found, expected) == expected


def test_the_shim_tells_ours_from_what_cannot_be_said_and_from_optaxs(tmp_path):
    found = {name.split(".")[1]: rest for name, *rest in json.loads(sources.outcomes("optax_suite.example", tmp_path))}
    assert found == {
        "test_sgd": ["", "passed", "", ["sgd"]],
        "test_sgd_in_half_precision": [
            "",
            "failed",
            "CannotBeSaid: Ours lack the argument accumulator_dtype of sgd.",
            ["sgd"],
        ],
        "test_global_norm": ["", "passed", "", []],
    }


def test_each_failure_in_the_table_has_a_reason_in_one_short_sentence():
    table = outcomes.read()
    assert table.keys() == outcomes.MODULES.keys()
    reasons = [
        reason for group in table.values() for kind in ("failed", "not_comparable") for reason in group.get(kind, {})
    ]
    assert [reason for reason in reasons if not reason.endswith(".") or len(reason.split()) > 25] == []
