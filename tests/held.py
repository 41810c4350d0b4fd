"""Optimizers that hold on to a table, in each way that Python has: what a run leaves behind when it is over."""

import functools
import gc
import json
import weakref

import jax
import jax.numpy as jnp
import numpy as np

from jaxopt_lite import adam, chain, clip, lr_multiplier, muon, partition, schedules, sgd


class Table:
    """Rates by step, as an object that also gives labels and factors."""

    def __init__(self):
        self.rates = np.ones(1000, np.float32)

    def at(self, iter):
        return jnp.where(iter < len(self.rates), 0.1, 0.2)

    def __call__(self, iter):
        return self.at(iter)

    def label(self, path, leaf):
        return "all"

    def factor(self, path, leaf):
        return 0.5


def by_default(table):
    def rate(iter, table=table):
        return table.at(iter)

    return rate


def by_keyword_default(table):
    def rate(iter, *, table=table):
        return table.at(iter)

    return rate


def by_attribute(table):
    def rate(iter):
        return 0.1

    rate.table = table
    return rate


HOLDING = {
    "a closure": lambda table: sgd(lambda iter: 2 * table.at(iter)),
    "a bound method": lambda table: sgd(table.at),
    "a default argument": lambda table: sgd(by_default(table)),
    "a default argument by name": lambda table: sgd(by_keyword_default(table)),
    "an attribute": lambda table: sgd(by_attribute(table)),
    "a partial": lambda table: sgd(functools.partial(Table.at, table)),
    "jax's partial": lambda table: sgd(jax.tree_util.Partial(functools.partial(Table.at, table))),
    "an object that is called": sgd,
    "another schedule": lambda table: chain(clip(1.0), adam(2.0 * schedules.warmup(3, table.at))),
    "an optimizer inside": lambda table: muon(others=sgd(table.at)),
    "a label": lambda table: partition({"all": sgd()}, table.label),
    "a factor": lambda table: chain(sgd(), lr_multiplier(table.factor)),
}


def left_after(runs, form):
    """How many tables of runs that are over are still there."""
    jax.clear_caches()
    params, tables = {"w": jnp.ones((2, 2))}, []
    for _ in range(runs):
        table = Table()
        tables.append(weakref.ref(table))
        opt = HOLDING[form](table)
        opt.update(params, opt.init(params), params)
        del table, opt
    gc.collect()
    return sum(table() is not None for table in tables)


if __name__ == "__main__":
    print(json.dumps({form: left_after(30, form) for form in HOLDING}))
