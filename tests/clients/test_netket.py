"""Find the ground state of a quantum system with netket. Its parameters are complex, in double precision."""

import jax
import pytest

from clients import assert_trains_as_with_optax, client

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("preconditioned", [False, True])
def test_trains_as_with_optax(preconditioned):
    nk = client("netket")
    jax.config.update("jax_enable_x64", True)  # netket does so on its first import
    graph = nk.graph.Chain(6)
    hilbert = nk.hilbert.Spin(0.5, graph.n_nodes)
    energy = nk.operator.Ising(hilbert, graph, h=1.0)

    def train(opt):
        sampler = nk.sampler.ExactSampler(hilbert)
        state = nk.vqs.MCState(sampler, nk.models.RBM(param_dtype=complex), n_samples=256, seed=0, sampler_seed=1)
        preconditioner = {"preconditioner": nk.optimizer.SR(diag_shift=0.1, holomorphic=True)} if preconditioned else {}
        driver = nk.driver.VMC(energy, optimizer=opt, variational_state=state, **preconditioner)
        log = nk.logging.RuntimeLog()
        driver.run(5, out=log, show_progress=False)
        return state.parameters, log.data["Energy"]["Mean"]

    assert_trains_as_with_optax(train, rtol=1e-10, atol=1e-10)
