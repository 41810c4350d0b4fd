"""One after the other."""

import itertools
from typing import Any

from jaxopt_lite.core import Optimizer, Transform, transform
from jaxopt_lite.tree.structure import format_leaf


@transform
def chain(*parts: Transform) -> Any:
    """Chain transforms and an optimizer: each gets the output of the one before it.

    Args:
        *parts: transforms, and at most one optimizer; a chain among them counts as its parts. With an optimizer the
            chain is one, to be used as any other; of transforms alone it is a transform.

    Raises:
        TypeError: a part is something else, or there are two optimizers.
        ValueError: a transform that works on updates stands before the optimizer, or two draw the same noise.

    Keywords that ``update`` is given reach the parts that ask for them; ``grad`` is the gradient that the chain was
    given, unless the caller gives another.

    Example:
        >>> opt = chain(clip_by_global_norm(1.0), sgd(1.0))
        >>> updates, state = opt.update(jnp.array([3.0, 4.0]), opt.init(jnp.zeros(2)))
        >>> print(updates)
        [-0.6 -0.8]

    State: a tuple of the states of the parts: the first moment of W1 in ``chain(clip_by_global_norm(1.0), adam())`` is
    ``state[1].m["W1"]``.
    Source: as optax's ``chain``, whose states nest where ours are flat.
    """
    nested = [getattr(part, "factory", None) is chain for part in parts]
    if any(nested):
        flat = [part.children if is_chain else (part,) for part, is_chain in zip(parts, nested, strict=True)]
        return chain(*itertools.chain.from_iterable(flat))  # type: ignore[arg-type]
    rule = None
    for part in reversed(parts):
        if not isinstance(part, Transform):
            hint = "; transform_from_optax(…) makes a transform of one of optax's" if hasattr(part, "update") else ""
            raise TypeError(f"chain: a part must be an optimizer or a transform, not {format_leaf(part)}{hint}")
        if rule and isinstance(part, Optimizer):
            raise TypeError(
                f"chain: {part.name} and {rule.name} are two optimizers, and the second would climb: use one; "
                "what gives gradients in optax comes in by transform_from_optax"
            )
        if rule and part.entry.after_rule:
            instead = "; l2_decay decays through the gradient" if part.name == "weight_decay" else ""
            raise ValueError(f"chain: {part.name} works on updates, and stands before {rule.name}{instead}")
        rule = part if isinstance(part, Optimizer) else rule
    drawing = [part for part in parts if isinstance(part.arguments.get("seed"), int)]
    for one, two in itertools.combinations(drawing, 2):
        if (one.factory, one.arguments["seed"]) == (two.factory, two.arguments["seed"]):
            raise ValueError(f"chain: {one} and {two} draw the same noise: give one another seed")

    def init(params):
        return tuple(part.unchecked.init(params) for part in parts)

    def update(grads, state, params=None, **extra):
        extra, updates, new = {"grad": grads} | extra, grads, []
        for part, old in zip(parts, state, strict=True):
            updates, kept = part.unchecked.update(updates, old, params, **extra)
            new.append(kept)
        return updates, tuple(new)

    return init, update
