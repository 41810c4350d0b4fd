"""Transforms: what stands in a chain before a rule, and after it."""

from jaxopt_lite.transforms.adaptive_clip import adaptive_clip
from jaxopt_lite.transforms.add_noise import AddNoiseState, add_noise
from jaxopt_lite.transforms.cautious import cautious
from jaxopt_lite.transforms.centralize import centralize
from jaxopt_lite.transforms.chain import chain
from jaxopt_lite.transforms.clip import clip
from jaxopt_lite.transforms.clip_by_global_norm import clip_by_global_norm
from jaxopt_lite.transforms.clip_by_norm import clip_by_norm
from jaxopt_lite.transforms.grokfast import GrokfastState, grokfast
from jaxopt_lite.transforms.hyperball import HyperballState, hyperball
from jaxopt_lite.transforms.l2_decay import L2DecayState, l2_decay
from jaxopt_lite.transforms.lr_multiplier import LrMultiplierState, lr_multiplier
from jaxopt_lite.transforms.normalize import normalize
from jaxopt_lite.transforms.optimistic import OptimisticState, optimistic
from jaxopt_lite.transforms.reduce_on_plateau import ReduceOnPlateauState, reduce_on_plateau
from jaxopt_lite.transforms.weight_decay import WeightDecayState, weight_decay

__all__ = [
    "AddNoiseState",
    "GrokfastState",
    "HyperballState",
    "L2DecayState",
    "LrMultiplierState",
    "OptimisticState",
    "ReduceOnPlateauState",
    "WeightDecayState",
    "adaptive_clip",
    "add_noise",
    "cautious",
    "centralize",
    "chain",
    "clip",
    "clip_by_global_norm",
    "clip_by_norm",
    "grokfast",
    "hyperball",
    "l2_decay",
    "lr_multiplier",
    "normalize",
    "optimistic",
    "reduce_on_plateau",
    "weight_decay",
]
