"""Run optax's own tests on our optimizers, and record what they do in tests/optax_suite/outcomes.toml.

``python tools/record_optax_suite.py [GROUP …]``. A failure whose reason nobody has written yet is recorded with a
reason that begins with UNKNOWN: write one there.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
import conftest  # noqa: F401 - programs compile as they do under pytest
from optax_suite import outcomes, sources


def record(groups: list[str]) -> None:
    table = outcomes.read() if outcomes.TABLE.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        optax = sources.unpacked(os.environ.get("OPTAX_SOURCES", folder))
        for group in groups:
            found = sources.outcomes(outcomes.MODULES[group], folder, optax)
            table[group] = outcomes.summary(found, table.get(group, {}))
            outcomes.write({name: table[name] for name in outcomes.MODULES if name in table})


if __name__ == "__main__":
    record(sys.argv[1:] or list(outcomes.MODULES))
