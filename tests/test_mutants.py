"""The script that plants defects, on the smallest file; CONTRIBUTING tells how to run it on all."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_defects_planted_in_sgd_die():
    script = Path(__file__).with_name("mutants.py")
    done = subprocess.run([sys.executable, script, "sgd"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 defects planted: 14 died, 0 explained, 0 survived" in done.stdout
