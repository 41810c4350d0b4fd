"""The direction alone."""

from typing import Literal

from jaxopt_lite.core import transform
from jaxopt_lite.ops import each, norm, safe_divide
from jaxopt_lite.tree.packed import reject_packed


@transform(needs=("tree",))
def normalize(over: Literal["tree", "leaf"] = "tree"):
    """Scale the gradient to length 1; a gradient of length 0 stays 0.

        g ← g / ‖g‖

    Use it where gradients say which way, and lr alone should say how far.

    Args:
        over: take the norm of all leaves together ("tree"), or of each ("leaf").

    Example:
        >>> opt = chain(normalize(), sgd(1.0))
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.zeros(2)))
        >>> print(updates)
        [-0.6 -0.8]

    State: none.
    Source: normalized gradient descent, Nesterov (1984); as optax's ``normalize_by_update_norm``.
    """
    if over not in ("tree", "leaf"):
        raise ValueError(f"normalize: over must be 'tree' or 'leaf', not {over!r}")

    def init(params):
        return ()

    def update(grads, state, params=None):
        length = norm(grads)

        def rule(g):
            return safe_divide(g, norm(g) if over == "leaf" else length)

        return each(rule, grads), state

    return (reject_packed("normalize", init) if over == "leaf" else init), update
