"""A new optimizer: copy this file, put in your rule, and run it. Needs the extra ``test``.

The rule here is Signum (Bernstein et al., 2018, arXiv:1802.04434): every parameter moves by lr, against the sign of its
average gradient.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxopt_lite import apply_updates, at, each, next_step, optimizer, zero_steps, zeros_like
from jaxopt_lite.testing import check


# What the optimizer remembers, by name: the step counter, which schedules count by, and one tree for each moment.
class MySignumState(NamedTuple):
    iter: jax.Array
    m: dict


# The hyperparameters. Numbers are constants; arrays among them can be swept with vmap and changed without recompiling.
@optimizer
def my_signum(lr=0.001, beta=0.9):
    def init(params):
        return MySignumState(iter=zero_steps(params), m=zeros_like(params))

    def update(grads, state, params=None):
        # Above the rule: numbers, computed once. `at` reads a schedule where lr is one.
        lr_t = at(lr, state.iter)

        # The rule: for one array, in the paper's letters, in float32 or better. What comes in by position goes out in
        # the same order; the first is the gradient, and in its place goes what is to be added to the parameter.
        def rule(g, m):
            m = beta * m + (1 - beta) * g
            return -lr_t * jnp.sign(m), m

        updates, m = each(rule, grads, state.m)
        return updates, MySignumState(next_step(state.iter), m)

    return init, update


def main():
    check(my_signum())  # jit, scan, vmap, donation, odd trees, half precision, zero and huge gradients, pickling, …
    print(f"{my_signum()} keeps every law")

    opt = my_signum(lr=0.01)
    params = {"w": jnp.asarray([1.0, -2.0])}
    state = opt.init(params)
    loss = lambda params: jnp.sum(params["w"] ** 2)  # noqa: E731
    for step in range(201):
        if step % 50 == 0:
            print(f"step {step:3}  loss {loss(params):.4f}")
        updates, state = opt.update(jax.grad(loss)(params), state)
        params = apply_updates(params, updates)


if __name__ == "__main__":
    main()
