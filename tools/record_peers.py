"""Run the optimizers for torch that tests/peers.py names, and record where they go in tests/golden/torch.npz.

``python tools/record_peers.py`` runs those that are not recorded yet, ``python tools/record_peers.py all`` all. The
packages of ``peers.TORCH`` that they come from must be installed. The tests need none of them.
"""

import importlib
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from peers import CURVATURES, FOR_MATRICES, GOLDEN, ROWS, STEPS, TORCH, VALUES, is_optaxs, problem
from reference.psgd_kron import waves


def widen(torch: Any) -> None:
    """Leaves in double precision what methods for matrices would take to bfloat16 or float32."""
    to, narrow = torch.Tensor.to, {torch.bfloat16, torch.float32}

    def kept(self, *args, **kwargs):
        args = tuple(torch.float64 if isinstance(x, torch.dtype) and x in narrow else x for x in args)
        kwargs = {name: torch.float64 if name == "dtype" and x in narrow else x for name, x in kwargs.items()}
        return to(self, *args, **kwargs)

    torch.Tensor.to = kept
    torch.Tensor.bfloat16 = lambda self: self.double().clone()  # Muon divides it in place


def run_torch(theirs: str, matrices: bool) -> np.ndarray:
    """Where an optimizer for torch goes: the parameters after each of ``STEPS``, side by side."""
    torch = importlib.import_module("torch")
    start, gradients = problem(matrices)
    if matrices:
        widen(torch)
    named = {name: torch.nn.Parameter(torch.tensor(p)) for name, p in start.items()}
    modules = {name: importlib.import_module(name) for name in TORCH if name in theirs}
    opt = eval(theirs, modules | {"params": list(named.values()), "named_parameters": named.items()})
    if hasattr(opt, "train"):
        opt.train()
    visited = []
    for step in range(50):
        torch.randn_like = lambda x, *_, step=step, **__: torch.tensor(waves(step, x.shape))
        for name, p in named.items():
            p.grad = torch.tensor(gradients[name][step])
        known = {}
        if "SophiaH" in theirs and step % 10 == 0:
            known["hessian"] = [torch.full_like(p, CURVATURES[step]) for p in named.values()]
        if "AliG" in theirs:
            known["closure"] = lambda step=step: torch.tensor(VALUES[step])
        opt.step(**known)
        visited.append(np.concatenate([p.detach().numpy().ravel() for p in named.values()]))
    return np.stack([visited[step - 1] for step in STEPS])


def save_golden(recorded: dict[str, np.ndarray]) -> None:
    # What is for matrices comes last: from there on nothing is narrowed any more.
    rows = sorted((rule in FOR_MATRICES, row.theirs) for rule, rows in ROWS.items() for row in rows)
    rows = [(matrices, theirs) for matrices, theirs in rows if not is_optaxs(theirs)]
    new = {theirs: run_torch(theirs, matrices) for matrices, theirs in rows if theirs not in recorded}
    np.savez_compressed(GOLDEN, **{theirs: (recorded | new)[theirs] for _, theirs in rows})
    by = [f"{name} {version(package)}" for name, package in TORCH.items() if any(name in theirs for theirs in new)]
    print(f"{len(new)} trajectories, by", ", ".join(by))


if __name__ == "__main__":
    save_golden({} if "all" in sys.argv else dict(np.load(GOLDEN)))
