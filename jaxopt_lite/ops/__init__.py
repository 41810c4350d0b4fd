"""Functions for writing rules. An author of a rule needs this module, ``core`` and ``types``.

Functions for few rules have modules of their own here: ``matrices``, ``orthogonal``, ``preconditioners``,
``linesearch`` and ``random``.
"""

from jaxopt_lite.core.scheduled import at
from jaxopt_lite.ops.decay import Decay, decay_functions
from jaxopt_lite.ops.each import each, step_if, when
from jaxopt_lite.ops.norms import clip_to_norm, dot, length, norm, norm1, safe_divide, trust_ratio
from jaxopt_lite.ops.numerics import abs2, bias_correction, log, mean, saturate, saturating_add, sign, sqrt
from jaxopt_lite.tree.dtypes import cast, cast_like
from jaxopt_lite.tree.structure import add_updates, copy, difference
from jaxopt_lite.tree.zeros import next_step, reduced_zeros, replicated_scalar, replicated_zeros, zero_steps, zeros_like

__all__ = [
    "Decay",
    "abs2",
    "add_updates",
    "at",
    "bias_correction",
    "cast",
    "cast_like",
    "clip_to_norm",
    "copy",
    "decay_functions",
    "difference",
    "dot",
    "each",
    "length",
    "log",
    "mean",
    "next_step",
    "norm",
    "norm1",
    "reduced_zeros",
    "replicated_scalar",
    "replicated_zeros",
    "safe_divide",
    "saturate",
    "saturating_add",
    "sign",
    "sqrt",
    "step_if",
    "trust_ratio",
    "when",
    "zero_steps",
    "zeros_like",
]
