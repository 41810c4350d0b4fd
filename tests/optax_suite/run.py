# ruff: noqa: N802 - unittest calls these methods by names of its own
"""Run a test module of optax on our optimizers: ``python -m optax_suite.run MODULE FILE.json``."""

import importlib
import json
import re
import sys
import unittest
import warnings
from pathlib import Path

from optax_suite import optimizers, schedules, shim, transforms


class Outcomes(unittest.TestResult):
    """Keeps for each test what happened, why, and which of ours it called."""

    def __init__(self):
        super().__init__()
        self.tests = []

    def startTest(self, test):
        super().startTest(test)
        shim.called.clear()
        self.happened, self.why = "passed", ""

    def stopTest(self, test):
        method = getattr(test, test._testMethodName)
        name = f"{type(test).__name__}.{test._testMethodName}"
        given = getattr(method, "__x_params_repr__", "")
        self.tests.append([name, given, self.happened, self.why, sorted(set(shim.called))])

    def failed(self, error):
        if self.happened != "failed":  # the first of a test's failures is the reason
            self.happened, self.why = "failed", f"{error[0].__name__}: {error[1]}"

    def addFailure(self, test, err):
        self.failed(err)

    def addError(self, test, err):
        self.failed(err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.failed(err)

    def addSkip(self, test, reason):
        if self.happened == "passed":
            self.happened, self.why = "skipped", reason


def main(module, file):
    warnings.simplefilter("ignore")
    shim.install(optimizers.REPLACEMENTS + schedules.REPLACEMENTS + transforms.REPLACEMENTS)
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module)).run(outcomes)
    # Addresses of functions change from run to run.
    text = re.sub(r" at 0x[0-9a-f]+", "", json.dumps(outcomes.tests, indent=0))
    Path(file).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
