"""Choose what runs in the quick part of the tests; the slow part runs the rest."""

import pytest

# One rule for each combination of needs and form of state. Laws of the machinery do not depend on more of a rule.
REPRESENTATIVES = [
    "adafactor",
    "adam",
    "adam_mini",
    "adamw",
    "dog",
    "lamb",
    "lbfgs",
    "muon",
    "nadam",
    "polyak_sgd",
    "psgd_kron",
    "rmsprop",
    "schedule_free_sgd",
    "sgd",
    "sm3",
    "soap",
    "sophia",
]


def some_slow(cases, quick):
    """Mark as slow the cases that are not among the quick ones.

    Args:
        cases: the names of a test's cases, or tuples of its arguments.
        quick: those of them that run in the quick part.
    """
    cases, quick = list(cases), list(quick)
    assert all(case in cases for case in quick), f"not among the cases: {[case for case in quick if case not in cases]}"
    return [case if case in quick else _slow(case) for case in cases]


def _slow(case):
    return pytest.param(*(case if isinstance(case, tuple) else [case]), marks=pytest.mark.slow)
