"""The command line: ``python -m jaxopt_lite``."""

import sys

from jaxopt_lite.cli import main

sys.exit(main())
