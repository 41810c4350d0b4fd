"""Race as the task in a file says, and say so once it is going: ``python race_that_speaks.py TASK``."""

import runpy
import signal
import sys

from jaxopt_lite.race import race

signal.signal(signal.SIGINT, signal.default_int_handler)  # which whoever runs the tests may have left ignored
task = runpy.run_path(sys.argv[1])
said = []


def speak(result):
    if not said:
        said.append(print("going"))


race(task["loss"], task["params"], steps=task["steps"], on_chunk=speak, show="plain")
