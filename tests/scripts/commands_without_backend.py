"""Run the commands that compute nothing: none starts a backend."""

import contextlib

from jax._src import xla_bridge

from jaxopt_lite.cli import main

for arguments in (["--help"], ["race", "--help"], ["path", "--help"], ["list"], ["show", "adam"]):
    with contextlib.suppress(SystemExit):
        assert main(arguments) == 0
    assert not xla_bridge.backends_are_initialized(), arguments
