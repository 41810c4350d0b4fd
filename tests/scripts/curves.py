"""Save the training losses of the book's network under each of the book's optimizers: ``python curves.py FILE``."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from rich.console import Console

sys.path.append(str(Path(__file__).parents[2] / "examples"))
from two_layer_mlp import BOOK, train

import jaxopt_lite
from jaxopt_lite.datasets import load_digits

args = SimpleNamespace(seed=1, hidden=50, steps=1000, batch_size=100)
opts = [jaxopt_lite.registry[name].factory(lr=lr) for name, lr in BOOK.items()]
np.savez(sys.argv[1], **{opt.name: train(opt, load_digits("digits"), args, Console())[1] for opt in opts})
