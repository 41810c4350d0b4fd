"""Wrappers: each takes an optimizer, or several, and gives one back."""

from jaxopt_lite.wrappers.accumulate import AccumulateState, accumulate
from jaxopt_lite.wrappers.average import AverageState, average
from jaxopt_lite.wrappers.freeze import freeze
from jaxopt_lite.wrappers.lookahead import LookaheadState, lookahead
from jaxopt_lite.wrappers.maximize import MaximizeState, maximize
from jaxopt_lite.wrappers.partition import partition
from jaxopt_lite.wrappers.sam import SAMState, sam
from jaxopt_lite.wrappers.skip_nonfinite import SkipNonfiniteState, skip_nonfinite
from jaxopt_lite.wrappers.skip_spikes import SkipSpikesState, skip_spikes

__all__ = [
    "AccumulateState",
    "AverageState",
    "LookaheadState",
    "MaximizeState",
    "SAMState",
    "SkipNonfiniteState",
    "SkipSpikesState",
    "accumulate",
    "average",
    "freeze",
    "lookahead",
    "maximize",
    "partition",
    "sam",
    "skip_nonfinite",
    "skip_spikes",
]
