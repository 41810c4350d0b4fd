"""Optimizers and transforms as values, and the decorators that make factories of them."""

from jaxopt_lite.core.declarations import by_name, optimizer, registry, transform
from jaxopt_lite.core.protocol import Optimizer, Transform

__all__ = [
    "Optimizer",
    "Transform",
    "by_name",
    "optimizer",
    "registry",
    "transform",
]
