"""The tool that plants defects, on the smallest file; CONTRIBUTING tells how to run it on all."""

import subprocess
import sys

import mutants
import pytest


def test_each_defect_is_another_program_and_is_told():
    source = (mutants.PACKAGE / "optimizers" / "sgd.py").read_text()
    defects = dict(mutants.mutants("sgd", source))
    assert len(defects) == 13
    assert "-lr_t / g" in defects["sgd.rule: -lr_t * g → -lr_t / g"]
    assert len({*defects.values()}) == 13


@pytest.mark.slow
def test_each_explained_defect_is_one():
    explained = {what.split(".")[0] for what in mutants.EQUIVALENT}
    names = [name for name in mutants.FILES if name in explained]
    found = {
        what for name in names for what, _ in mutants.mutants(name, (mutants.PACKAGE / mutants.FILES[name]).read_text())
    }
    assert mutants.EQUIVALENT.keys() - found == set()


@pytest.mark.slow
def test_defects_planted_in_sgd_die():
    done = subprocess.run(
        [sys.executable, mutants.__file__, "sgd"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all:   13 planted,   13 died quickly,   0 slowly,   0 explained,   0 survived" in done.stdout
