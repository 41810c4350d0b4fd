"""The floor of an update, for benchmarks/update.py: the book's loops in C, in place, over one buffer, on all cores.

Built when it is asked for, with the machine's own compiler; where there is none, there is no floor.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SOURCE = """
#include <math.h>
#define STEP(NAME, BODY) void NAME(long n, float *p, const float *g, float *m, float *v, const float *c) { \\
    _Pragma("omp parallel for simd schedule(static)") for (long i = 0; i < n; i++) { BODY } }
#define ADAMW(g) m[i] += .1f * (g - m[i]); v[i] += .001f * (g * g - v[i]); \\
    p[i] -= .001f * (m[i] / c[0] / (sqrtf(v[i] / c[1]) + 1e-8f) + .01f * p[i]);

STEP(sgd, p[i] -= .01f * g[i];)
STEP(momentum, m[i] = .9f * m[i] - .01f * g[i]; p[i] += m[i];)
STEP(heavy_ball, m[i] = .9f * m[i] + g[i]; p[i] -= .01f * m[i];)
STEP(adagrad, m[i] += g[i] * g[i]; p[i] -= .01f * g[i] / (sqrtf(m[i]) + 1e-7f);)
STEP(adam, m[i] += .1f * (g[i] - m[i]); v[i] += .001f * (g[i] * g[i] - v[i]);
     p[i] -= .001f * c[2] * m[i] / (sqrtf(v[i]) + 1e-7f);)
STEP(adamw, ADAMW(g[i]))
void clip_adamw(long n, float *p, const float *g, float *m, float *v, const float *c) {
    float squares = 0;
    _Pragma("omp parallel for simd schedule(static) reduction(+:squares)")
    for (long i = 0; i < n; i++) squares += g[i] * g[i];
    const float scale = fminf(1, 1 / sqrtf(squares));
    _Pragma("omp parallel for simd schedule(static)")
    for (long i = 0; i < n; i++) { const float s = scale * g[i]; ADAMW(s) }
}
"""


def build():
    """The compiled loops, or None where there is no compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp())
    source, library = folder / "floor.c", folder / "floor.so"
    source.write_text(SOURCE)
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)
    return ctypes.CDLL(str(library))


class Floor:
    """A step of one rule, over arrays of its own."""

    def __init__(self, library, rule, params, grads):
        self.step = getattr(library, rule.replace(" + ", "_"))
        self.p, self.g = (np.concatenate([x.ravel() for x in arrays]).astype(np.float32) for arrays in (params, grads))
        self.m, self.v, self.count = np.zeros_like(self.p), np.zeros_like(self.p), 0

    def refresh(self):
        """Puts the arrays somewhere else."""
        self.p, self.g, self.m, self.v = (x.copy() for x in (self.p, self.g, self.m, self.v))

    def run(self, steps):
        """So many steps."""
        for _ in range(steps):
            self.count += 1
            c1, c2 = 1 - 0.9**self.count, 1 - 0.999**self.count
            numbers = np.asarray([c1, c2, c2**0.5 / c1], np.float32)
            arrays = [ctypes.c_void_p(x.ctypes.data) for x in (self.p, self.g, self.m, self.v, numbers)]
            self.step(ctypes.c_long(self.p.size), *arrays)

    def params(self):
        """The parameters, one after another."""
        return self.p
