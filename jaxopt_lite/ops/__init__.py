"""What rules are written with. An author of a rule needs this, ``core`` and ``types``.

What few rules need has modules of its own here: ``matrices``, ``orthogonal``, ``preconditioners``, ``linesearch`` and
``random``.
"""

from jaxopt_lite.core.scheduled import at
from jaxopt_lite.ops.decay import Decay, decays
from jaxopt_lite.ops.each import each, step_if, when
from jaxopt_lite.ops.norms import direction, dot, length, norm, norm1, shortened, trust_ratio
from jaxopt_lite.ops.numerics import abs2, bias_correction, log, mean, plus, saturate, sign, sqrt
from jaxopt_lite.tree.dtypes import cast, stored
from jaxopt_lite.tree.structure import copy, difference, moved
from jaxopt_lite.tree.zeros import next_step, number_beside, zero_steps, zeros_beside, zeros_like, zeros_over

__all__ = [
    "Decay",
    "abs2",
    "at",
    "bias_correction",
    "cast",
    "copy",
    "decays",
    "difference",
    "direction",
    "dot",
    "each",
    "length",
    "log",
    "mean",
    "moved",
    "next_step",
    "norm",
    "norm1",
    "number_beside",
    "plus",
    "saturate",
    "shortened",
    "sign",
    "sqrt",
    "step_if",
    "stored",
    "trust_ratio",
    "when",
    "zero_steps",
    "zeros_beside",
    "zeros_like",
    "zeros_over",
]
