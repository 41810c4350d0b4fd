"""Who runs in benchmarks/update.py: one object for each, with the steps of one rule over arrays of its own."""

import importlib.util
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxopt_lite import adagrad, adam, adamw, apply_updates, chain, clip_by_global_norm, heavy_ball, momentum, pack, sgd

OURS = {
    "sgd": sgd(),
    "momentum": momentum(),
    "heavy_ball": heavy_ball(),
    "adagrad": adagrad(),
    "adam": adam(),
    "adamw": adamw(),
    "clip + adamw": chain(clip_by_global_norm(1.0), adamw()),
}
OPTAX = {
    "sgd": optax.sgd(0.01),
    "momentum": optax.sgd(0.01, momentum=0.9),  # the same path, in the other form
    "heavy_ball": optax.sgd(0.01, momentum=0.9),
    "adagrad": optax.adagrad(0.01),
    "adam": optax.adam(0.001),
    "adamw": optax.adamw(0.001, weight_decay=0.01),
    "clip + adamw": optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(0.001, weight_decay=0.01)),
}
WITH_TORCH = importlib.util.find_spec("torch") is not None


class Jax:
    """An optimizer with ``init`` and ``update``, its step compiled and donated."""

    def __init__(self, opt, apply, params, grads, packed=False):
        if packed:
            (params, _), (grads, _) = pack(params, largest=None), pack(grads, largest=None)
        self.opt, self.apply, self.grads = opt, apply, grads
        self.carry = jax.tree.map(jnp.copy, params), opt.init(params)
        self.figures = self.compiled()

    def step(self, params, state, grads):
        """One step."""
        updates, state = self.opt.update(grads, state, params)
        return self.apply(params, updates), state

    def compiled(self):
        """What it takes to come to the first step, in milliseconds, and how much memory a step needs, in bytes."""
        jax.clear_caches()  # a trace of the same rule may be at hand
        times = [time.perf_counter()]
        traced = jax.jit(self.step, donate_argnums=(0, 1)).trace(*self.carry, self.grads)
        times.append(time.perf_counter())
        lowered = traced.lower()
        times.append(time.perf_counter())
        self.program = lowered.compile()
        times.append(time.perf_counter())
        bytes_before = sum(x.nbytes for x in jax.tree.leaves((self.carry, self.grads)))
        self.run(1)
        times.append(time.perf_counter())
        taken = dict(zip(["trace", "lower", "compile", "run"], 1e3 * np.diff(times), strict=True))
        memory = self.program.memory_analysis()
        parts = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
        beside = int(parts + memory.temp_size_in_bytes - bytes_before)
        return taken | {"first step": sum(taken.values()), "bytes beside": beside, "bytes": bytes_before}

    def refresh(self):
        """Puts the arrays somewhere else: where they lie makes a difference of up to a third."""
        self.carry = jax.tree.map(jnp.copy, self.carry)
        jax.block_until_ready(self.carry)

    def run(self, steps):
        """So many steps, waited for once."""
        for _ in range(steps):
            self.carry = self.program(*self.carry, self.grads)
        jax.block_until_ready(self.carry)

    def run_eagerly(self, steps):
        """The same, outside of jit; the parameters stay."""
        for _ in range(steps):
            updates, _ = self.opt.update(self.grads, self.carry[1], self.carry[0])
            jax.block_until_ready(self.apply(self.carry[0], updates))

    def params(self):
        """The parameters, one after another."""
        return np.concatenate([np.ravel(x) for x in jax.tree.leaves(self.carry[0])])


class Torch:
    """An optimizer of torch's."""

    def __init__(self, rule, how, params, grads):
        import torch  # noqa: PLC0415 - where there is one

        on_gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
        self.wait = torch.cuda.synchronize if on_gpu else lambda: None
        self.arrays = [torch.nn.Parameter(torch.tensor(x, device="cuda" if on_gpu else "cpu")) for x in params]
        for p, g in zip(self.arrays, grads, strict=True):
            p.grad = torch.tensor(g, device=p.device)
        make, options = {
            "sgd": (torch.optim.SGD, {"lr": 0.01}),
            "momentum": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
            "heavy_ball": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
            "adagrad": (torch.optim.Adagrad, {"lr": 0.01}),
            "adam": (torch.optim.Adam, {"lr": 0.001}),
            "adamw": (torch.optim.AdamW, {"lr": 0.001}),
            "clip + adamw": (torch.optim.AdamW, {"lr": 0.001}),
        }[rule]
        self.opt = make(self.arrays, **options, **{how: True})
        self.clip = torch.nn.utils.clip_grad_norm_ if rule == "clip + adamw" else None

    def refresh(self):
        """The arrays stay where they are: torch has no handle for all of them."""

    def run(self, steps):
        """So many steps. A gradient that has been clipped is short already, and is gone through none the less."""
        for _ in range(steps):
            if self.clip:
                self.clip(self.arrays, 1.0, foreach=True)
            self.opt.step()
        self.wait()


class Book:
    """The loops of Deep Learning from Scratch, chapter 6, in NumPy."""

    def __init__(self, rule, params, grads):
        self.rule, self.count = rule, 0
        self.p, self.g = [x.copy() for x in params], grads
        self.m, self.v = ([np.zeros_like(x) for x in params] for _ in range(2))

    def refresh(self):
        """Puts the arrays somewhere else."""
        self.p, self.m, self.v = ([x.copy() for x in arrays] for arrays in (self.p, self.m, self.v))

    def run(self, steps):
        """So many steps."""
        for _ in range(steps):
            self.count += 1
            c1, c2 = 1 - 0.9**self.count, 1 - 0.999**self.count
            scale = 1.0
            if self.rule == "clip + adamw":
                scale = min(1.0, 1 / float(np.sqrt(sum(np.sum(g * g) for g in self.g))))
            for p, g, m, v in zip(self.p, self.g, self.m, self.v, strict=True):
                match self.rule:
                    case "sgd":
                        p -= 0.01 * g
                    case "momentum":
                        m *= 0.9
                        m -= 0.01 * g
                        p += m
                    case "heavy_ball":
                        m *= 0.9
                        m += g
                        p -= 0.01 * m
                    case "adagrad":
                        m += g * g
                        p -= 0.01 * g / (np.sqrt(m) + 1e-7)
                    case "adam":
                        m += 0.1 * (g - m)
                        v += 0.001 * (g * g - v)
                        p -= 0.001 * c2**0.5 / c1 * m / (np.sqrt(v) + 1e-7)
                    case _:
                        m += 0.1 * (scale * g - m)
                        v += 0.001 * ((scale * g) ** 2 - v)
                        p -= 0.001 * (m / c1 / (np.sqrt(v / c2) + 1e-8) + 0.01 * p)

    def params(self):
        """The parameters, one after another."""
        return np.concatenate([x.ravel() for x in self.p])


def contenders(rule, params, grads, floor):
    """All that can be run here, by name; ours are first."""
    trees = [{f"leaf{i:04}": jnp.asarray(x) for i, x in enumerate(arrays)} for arrays in (params, grads)]
    found = {
        "ours": Jax(OURS[rule], apply_updates, *trees),
        "ours, packed": Jax(OURS[rule], apply_updates, *trees, packed=True),
        "optax": Jax(OPTAX[rule], optax.apply_updates, *trees),
    }
    if WITH_TORCH:
        found |= {f"torch, {how}": Torch(rule, how, params, grads) for how in ("fused", "foreach")}
    found["the book's"] = Book(rule, params, grads)
    if floor:
        found["floor"] = floor(rule, params, grads)
    return found
