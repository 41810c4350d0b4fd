"""A norm is a sum on every device and a sum of those: no array is put together for it, however it is cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from mesh import MESH

from jaxopt_lite import chain, clip_by_global_norm, dog, sgd

CLIPPED = chain(clip_by_global_norm(1.0), sgd(0.1))


@pytest.mark.parametrize("axis_type", [AxisType.Auto, AxisType.Explicit])
@pytest.mark.parametrize("spec", [P(None, "data"), P("data"), P("model", "data")])
def test_a_norm_gathers_nothing(axis_type, spec):
    typed = Mesh(MESH.devices, MESH.axis_names, axis_types=(axis_type, axis_type))
    x = jax.device_put(jnp.ones((64, 64)), NamedSharding(typed, spec))
    compiled = jax.jit(lambda g: CLIPPED.update(g, CLIPPED.init(g))[0]).lower(x).compile()
    assert "all-gather" not in compiled.as_text()
    np.testing.assert_allclose(compiled(x), -0.1 / 64, rtol=1e-6)


@pytest.mark.parametrize("opt", [CLIPPED, dog()], ids=lambda opt: opt.name)
def test_inside_shard_map_it_is_that_of_the_shard(opt):
    def local(x):
        params = {"cut": x, "uncut": jnp.ones(3)}
        return opt.update(params, opt.init(params), params)[0]["cut"]

    cut = jax.jit(jax.shard_map(local, mesh=MESH, in_specs=P("data"), out_specs=P("data")))(jnp.ones(8))
    np.testing.assert_allclose(cut[:2], local(jnp.ones(2)), rtol=1e-6)
