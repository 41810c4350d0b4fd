"""A buffer is in one place, or the same everywhere: what is spread over devices is not packed."""

import jax
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from mesh import MESH, on_one, spread

from jaxopt_lite import pack


def test_replicated_leaves_make_a_replicated_buffer():
    packed, _ = pack(jax.device_put(on_one(), NamedSharding(MESH, P())))
    assert packed.arrays["float32"].sharding == NamedSharding(MESH, P())


def test_a_large_leaf_may_be_spread():
    params = spread()
    assert pack({"W": params["W"], "s": params["s"]}, largest=1)[0].arrays["W"] is params["W"]


def test_what_is_spread_or_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"^pack: 'W' is spread over 8 devices, and a buffer is whole$"):
        pack(spread())
    on_two = {name: jax.device_put(1.0, jax.devices()[i]) for i, name in enumerate("ab")}
    with pytest.raises(ValueError, match=r"^pack: 'a' and 'b' are on different devices, and a buffer is on the same$"):
        pack(on_two)
