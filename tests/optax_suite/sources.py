"""Download optax's source distribution, and run one of its test modules."""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from optax_suite.outcomes import VERSION

TESTS = Path(__file__).parents[1]


def unpacked(folder):
    """Return the folder of the source distribution within ``folder``, downloaded where it is not there."""
    sources = Path(folder) / f"optax-{VERSION}"
    if not sources.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            options = ["--no-deps", "--no-binary", "optax", "-q", "-d", work]
            subprocess.run([sys.executable, "-m", "pip", "download", f"optax=={VERSION}", *options], check=True)
            with tarfile.open(Path(work) / f"optax-{VERSION}.tar.gz") as archive:
                archive.extractall(work, filter="data")
            try:  # two workers may come here at once
                (Path(work) / sources.name).rename(sources)
            except OSError:
                assert sources.exists()
    return sources


def outcomes(module, folder, sources=None):
    """Run a test module in a process of its own, and return the text that `optax_suite.run` writes."""
    path = [str(TESTS.parent), str(TESTS)] + ([str(sources)] if sources else [])
    file = Path(folder) / f"{module}.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-m", "optax_suite.run", module, str(file)], env=environment, check=True)
    return file.read_text()
