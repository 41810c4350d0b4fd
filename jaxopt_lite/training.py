"""The step of a training loop in one line, and tools for a second gradient within a step."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxopt_lite.core import checks
from jaxopt_lite.core.arguments import checked
from jaxopt_lite.core.protocol import Optimizer, apply_updates
from jaxopt_lite.ops.norms import norm, safe_divide
from jaxopt_lite.tree.dtypes import to_compute_dtype
from jaxopt_lite.tree.structure import format_leaf, params_with_gradient
from jaxopt_lite.types import Scalar, Tree


def train_step(loss: Callable[..., Any], opt: Optimizer, *, has_aux: bool = False) -> Callable[..., Any]:
    """Return the compiled step of a training loop: value and gradient, update, new parameters.

        step = train_step(loss, adam())
        params, state, value = step(params, state, batch)

    It is the loop of the README, with nothing hidden. A rule that reads ``value``, ``grad`` or ``value_fn`` gets them
    (a rule with a ``key`` needs the explicit loop). Gradients of complex parameters are conjugated. ``params`` and
    ``state`` are donated, so that a step takes no memory beside them and the gradients. The arrays that you pass in are
    gone after the call: copy those that you still need.

    Args:
        loss: a function ``loss(params, *args, **kwargs)`` that returns a scalar, or, with ``has_aux``, a pair of a
            scalar and a tree of arrays.
        opt: the optimizer. Arrays among its arguments are constants of the step, so a changing rate needs a schedule.
        has_aux: True if ``loss`` returns a pair.

    Returns:
        A function ``(params, state, *args, **kwargs) -> (params, state, value)``, compiled by ``jax.jit``. ``value`` is
        the output of ``loss`` at the parameters before the step: the pair with ``has_aux``.

    Raises:
        TypeError: ``opt`` is no optimizer, or ``loss`` no function.
        ValueError: at a step, if ``params`` and ``state`` have one array at two places.

    Example:
        >>> opt = sgd(lr=0.1)
        >>> step = train_step(lambda p, target: (p - target) ** 2, opt)
        >>> params = jnp.array(1.0)
        >>> params, state, value = step(params, opt.init(params), 3.0)
        >>> print(f"{params:.1f} {value:.1f}")
        1.4 4.0
    """
    checked(train_step, {"opt": opt})
    if not callable(loss):
        raise TypeError(f"train_step: loss must be a function of the parameters, not {format_leaf(loss)}")

    def step(params: Tree, state: Any, *args: Any, **kwargs: Any) -> tuple[Tree, Any, Any]:
        return take_step(lambda params: loss(params, *args, **kwargs), opt, params, state, has_aux=has_aux)

    compiled = jax.jit(step, donate_argnums=(0, 1))

    @functools.wraps(step)
    def checked_step(params: Tree, state: Any, *args: Any, **kwargs: Any) -> tuple[Tree, Any, Any]:
        try:
            after: tuple[Tree, Any, Any] = compiled(params, state, *args, **kwargs)
        except RuntimeError:
            _check_apart(params=params, state=state)
            raise
        return after

    vars(checked_step).update(
        {name: getattr(compiled, name) for name in ("lower", "trace", "eval_shape", "_cache_size")}
    )
    return checked_step


def _check_apart(**trees: Tree) -> None:
    """Raise if one array is at two places, because it cannot be donated twice. It takes time: only after a failure."""
    seen: dict[int, str] = {}
    for name, tree in trees.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            here = name + jax.tree_util.keystr(path)
            if isinstance(leaf, jax.Array) and (there := seen.setdefault(id(leaf), here)) != here:
                raise ValueError(
                    f"train_step: {there} and {here} are one array, whose memory is given to the step once: "
                    "jnp.copy one of them"
                ) from None


def take_step(
    loss: Callable[[Tree], Any], opt: Optimizer, params: Tree, state: Any, *, has_aux: bool = False
) -> tuple[Tree, Any, Any]:
    """Take one step with all inputs of rules: return new parameters, new state, and the last output of ``loss``."""
    found, conjugates = jax.value_and_grad(loss, has_aux=has_aux)(params)
    grads = jax.tree.map(jnp.conj, conjugates)
    value, value_fn = (found[0], lambda params: loss(params)[0]) if has_aux else (found, loss)
    updates, state = opt.update(grads, state, params, value=value, grad=grads, value_fn=value_fn)
    return apply_updates(params, updates), state, found


def perturbed_params(params: Tree, grads: Tree, rho: Scalar = 0.05) -> Tree:
    """Return p + rho g / ‖g‖, the worst place nearby, for the gradient of `sam`; or ``params`` if g is 0.

    Use it to take this gradient yourself: with a state of the model, over devices, or of several batches.

        _, grads = jax.value_and_grad(loss, has_aux=True)(params, stats, batch)
        there = perturbed_params(params, grads)
        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(there, stats, batch)
        updates, state = adam().update(grads, state, params)

    Args:
        params: a tree of arrays.
        grads: the gradients at ``params``, of the same structure and shapes; conjugated for complex parameters.
        rho: the distance to the place, in the unit of the parameters.

    Returns:
        A tree like ``params``, in the dtypes of ``params``. The norm is that of all leaves together.

    Raises:
        TypeError: a leaf is not an array of floats, or a gradient is complex and its parameter real.
        ValueError: the trees differ in structure or shape; or ``rho`` is negative, or an array of several numbers.

    Example:
        >>> there = perturbed_params({"x": 1.0, "y": 1.0}, {"x": 3.0, "y": 4.0}, rho=0.5)
        >>> print(f"{there['x']:.2f} {there['y']:.2f}")
        1.30 1.40

    Source: Foret et al. (2021), arXiv:2010.01412.
    """
    call, stepped = "perturbed_params", params_with_gradient(grads, params)
    checked(perturbed_params, {"rho": rho})
    checks.check_numbers(call, rho=rho)
    checks.check_arrays(call, params=stepped, gradients=grads)
    checks.check_apply(call, "gradients", grads, stepped)
    with jax.numpy_dtype_promotion("standard"):
        length = norm(grads)
        away = jax.tree.map(lambda g: rho * safe_divide(to_compute_dtype(g), length), grads)
    return apply_updates(params, away)


def pmean_fn(value_fn: Callable[[Tree], jax.Array], axis_name: str | tuple[str, ...]) -> Callable[[Tree], jax.Array]:
    """Return ``value_fn`` averaged over devices, in value and in gradient.

    `sam`, `lbfgs` and `sophia` take gradients of ``value_fn`` themselves. If each device has its own batch, these
    gradients must be means over the devices, like the gradients for ``update``:

        def step(params, state, batch):
            value_fn = pmean_fn(lambda p: loss(p, batch), "data")
            value, grads = jax.value_and_grad(value_fn)(params)
            updates, state = opt.update(grads, state, params, value=value, grad=grads, value_fn=value_fn)
            return apply_updates(params, updates), state, value

        step = jax.pmap(step, axis_name="data")    # or jax.shard_map, with the parameters replicated

    ``jax.jit`` needs none of this, because its batch is one array, on any number of devices.

    Args:
        value_fn: a function of the parameters alone that returns one number, on each device for its own batch.
        axis_name: the axis, or the axes, of ``jax.pmap``, ``jax.shard_map`` or ``jax.vmap`` to average over.

    Returns:
        A function of the parameters. Its value and its derivatives of any order are the same on all devices, if the
        parameters are.

    Raises:
        TypeError: ``value_fn`` is no function.
        NameError: at a call, if there is no axis of that name.

    Example:
        >>> def grad(target):
        ...     return jax.grad(pmean_fn(lambda p: (p - target) ** 2, "data"))(0.0)
        >>> print(jax.vmap(grad, axis_name="data")(jnp.array([1.0, 3.0])))
        [-4. -4.]
    """
    if not callable(value_fn):
        raise TypeError(f"pmean_fn: value_fn must be a function of the parameters, not {format_leaf(value_fn)}")

    @jax.custom_vjp
    def shared(params: Tree) -> Tree:
        return params

    # pmap and an unchecked shard_map give each device the gradient of its own value. A checked shard_map gives the mean
    # already; the mean of equal means changes nothing.
    shared.defvjp(lambda params: (params, None), lambda _, grads: (jax.lax.pmean(grads, axis_name),))

    def averaged(params: Tree) -> jax.Array:
        mean: jax.Array = jax.lax.pmean(value_fn(shared(params)), axis_name)
        return mean

    return averaged
