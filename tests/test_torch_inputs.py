"""torch's own optimizer inputs, run both ways where torch is installed: each goes the same way, or is in the table."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import peers
import pytest
import torch_inputs

from jaxopt_lite import apply_updates

STEPS = 20


@pytest.fixture(scope="module")
def database():
    """Return torch's inputs by the name of the optimizer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own affairs
        common = pytest.importorskip("torch.testing._internal.common_optimizers", exc_type=ImportError)
        return {info.optim_cls.__name__: (info.optim_cls, info.optim_inputs_func("cpu")) for info in common.optim_db}


def where_torch_goes(optimizer, given, problem):
    torch = pytest.importorskip("torch")
    start, gradients = problem
    params = {name: torch.nn.Parameter(torch.tensor(p)) for name, p in start.items()}
    opt = optimizer(list(params.values()), **given)
    for step in range(STEPS):
        for name, p in params.items():
            p.grad = torch.tensor(gradients[name][step])
        opt.step()
    return np.concatenate([p.detach().numpy().ravel() for p in params.values()])


def where_ours_goes(opt, problem):
    start, gradients = problem
    params = jax.tree.map(jnp.asarray, start)
    state = opt.init(params)
    for step in range(STEPS):
        updates, state = opt.update({name: jnp.asarray(g[step]) for name, g in gradients.items()}, state, params)
        params = apply_updates(params, updates)
    return np.concatenate([p.ravel() for p in params.values()])


def in_double(torch, monkeypatch):
    """Let torch's Muon iterate in double precision, and not in bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.double().clone())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", torch_inputs.RULES)
def test_torchs_inputs_go_the_same_way_or_are_in_the_table(x64, monkeypatch, database, name):
    optimizer, inputs = database[name]
    if name == "Muon":
        in_double(pytest.importorskip("torch"), monkeypatch)
    problem = peers.problem(matrices=name == "Muon")
    failed = {}
    for given in inputs:
        ours = where_ours_goes(torch_inputs.in_ours(optimizer, given.kwargs), problem)
        theirs, close = where_torch_goes(optimizer, given.kwargs, problem), torch_inputs.rtol(name, given.kwargs)
        if not np.allclose(ours, theirs, rtol=close, atol=close):
            failed[name, given.desc] = torch_inputs.FAILS.get((name, given.desc), "It goes another way.")
    assert failed == {key: reason for key, reason in torch_inputs.FAILS.items() if key[0] == name}


@pytest.mark.slow
def test_the_table_counts_torchs_inputs(database):
    assert {name: len(inputs) for name, (_, inputs) in database.items()} == torch_inputs.INPUTS


def test_each_of_torchs_optimizers_is_in_the_table():
    assert torch_inputs.RULES.keys() | torch_inputs.NOT_COMPARABLE.keys() == torch_inputs.INPUTS.keys()
    assert {name for name, _ in torch_inputs.FAILS} <= torch_inputs.RULES.keys()
