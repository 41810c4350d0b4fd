"""Import the package: it needs jax alone, and starts no backend."""

import sys
from importlib import import_module


def packages():
    return {name.partition(".")[0] for name in sys.modules}


import_module("jax")
with_jax = packages()
import_module("jaxopt_lite")
import_module("jaxopt_lite.landscapes")
new = packages() - with_jax - set(sys.stdlib_module_names)
assert new == {"jaxopt_lite"}, new
assert not import_module("jax._src.xla_bridge").backends_are_initialized()
