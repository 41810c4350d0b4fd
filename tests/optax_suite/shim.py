"""Put our optimizers, schedules and transforms in the place of optax's, for optax's own tests."""

import importlib
import inspect
import pkgutil
import sys

import jax
import optax

from jaxopt_lite import Transform, from_optax, to_optax, transform_from_optax


class CannotBeSaid(Exception):  # noqa: N818 - it is no error of ours
    """Raised where optax has an argument that ours lack. The message is the reason in the table of failures."""


# The names of optax's functions that ours stood in for, since the last ``clear()``. A test that adds none of them does
# not test us.
called: list[str] = []

# These modules of optax call what a test hands to them. All others of optax's modules keep optax's own functions,
# because a test of fromage must not count as one of our chain.
CALL_FOR_TESTS = {"optax.schedules._inject"}


def is_optaxs_own_call(frame):
    """Return whether optax itself calls, and not one of its tests."""
    caller = frame.f_globals["__name__"]
    return caller.startswith("optax.") and not caller.endswith("_test") and caller not in CALL_FOR_TESTS


def stand_in(name, theirs, ours):
    """Return a function with the signature of ``theirs`` that calls ``ours`` with all arguments by name."""
    signature = inspect.signature(theirs)

    def function(*args, **kwargs):
        if is_optaxs_own_call(sys._getframe(1)):
            return theirs(*args, **kwargs)
        called.append(name)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return ours(**bound.arguments)

    function.__signature__ = signature  # inject_hyperparams and some tests look at it
    function.__name__ = name
    return function


def install(replacements):
    """Replace optax's functions, in each module of optax that has them, by ``{theirs: ours}``."""
    for module in pkgutil.walk_packages(optax.__path__, "optax."):
        if not module.name.endswith("_test") and "experimental" not in module.name:
            importlib.import_module(module.name)
    stand_ins = {id(theirs): stand_in(name, theirs, ours) for name, theirs, ours in replacements}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "optax":
            for attribute, value in list(vars(module).items()):
                if id(value) in stand_ins:
                    setattr(module, attribute, stand_ins[id(value)])


def defaults_of(theirs):
    """Return the defaults of a function of optax's, by name."""
    return {name: p.default for name, p in inspect.signature(theirs).parameters.items()}


def refuse(theirs, defaults, **arguments):
    """Raise for the first argument that ours lack, unless it is optax's default.

    An array passes, because inject_hyperparams hands over each default as one.
    """
    for name, value in arguments.items():
        if not isinstance(value, jax.Array) and value is not defaults[name] and value != defaults[name]:
            raise CannotBeSaid(f"Ours lack the argument {name} of {theirs}.")


def as_optaxs(opt, view=None, stateless=False, keywords=None):
    """Return ours as optax's type.

    Args:
        opt: our optimizer or transform.
        view: a named tuple with optax's names for the fields of our state, in our order.
        stateless: accept any state, as what keeps no state does there.
        keywords: a function from optax's keywords of ``update`` to ours.
    """
    if not (view or stateless or keywords):
        return to_optax(opt)

    def init(params):
        state = opt.init(params)
        return view(*state) if view else state

    def update(updates, state, params=None, **extra):
        if stateless:
            state = ()
        if view:
            state = type(jax.eval_shape(opt.init, updates if params is None else params))(*state)
        extra = keywords(extra) if keywords else extra
        updates, state = opt.update(updates, state, params, **extra)
        return updates, view(*state) if view else state

    update.ours = opt
    return optax.GradientTransformationExtraArgs(init, update)


def to_ours(tx):
    """Return the optimizer of ours that stands in for ``tx``, else None."""
    ours = getattr(tx.update, "ours", None) or getattr(tx.update, "__self__", None)
    return ours if isinstance(ours, Transform) else None


def as_optimizer(tx):
    """Return an optimizer of ours: the one that stands in for ``tx``, else one around optax's."""
    ours = to_ours(tx)
    return from_optax(tx) if ours is None or ours.type_label == "a transform" else ours


def as_part(tx):
    """Return a part of a chain of ours: what stands in for ``tx``, else a transform around optax's."""
    return to_ours(tx) or transform_from_optax(tx)


USUAL = {
    "learning_rate": "lr",
    "b1": "beta1",
    "b2": "beta2",
    "b3": "beta3",
    "eps": "eps",
    "weight_decay": "weight_decay",
    "momentum": "momentum",
}


def same(factory, theirs, **renamed):
    """Return a function of optax's arguments that builds ours with the arguments it has, and refuses the others."""
    parameters = inspect.signature(factory).parameters
    names = {their: our for their, our in (USUAL | renamed).items() if our in parameters}
    defaults = defaults_of(theirs)

    def ours(**arguments):
        refuse(theirs.__name__, defaults, **{n: a for n, a in arguments.items() if n not in names})
        # Without a learning rate optax's does not turn the sign; ours have a default.
        known = {names[n]: a for n, a in arguments.items() if n in names and not (names[n] == "lr" and a is None)}
        return as_optaxs(factory(**known))

    return ours
