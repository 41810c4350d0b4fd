"""Wrappers: each takes an optimizer and gives one back."""

from jaxopt_lite.wrappers.skip_nonfinite import SkipNonfiniteState, skip_nonfinite

__all__ = ["SkipNonfiniteState", "skip_nonfinite"]
