"""Say optax's transforms and wrappers in ours."""

import collections

import jax
import jax.numpy as jnp
import optax
from optax import contrib, transforms
from optax._src import combine, wrappers
from optax._src import lookahead as _lookahead
from optax.transforms import _accumulation, _masking
from optax.tree_utils import _state_utils

import jaxopt_lite as ours
from jaxopt_lite import optimizer
from optax_suite.shim import CannotBeSaid, as_optaxs, as_optimizer, as_part, defaults_of, refuse


def adaptive_grad_clip(clipping, eps, axis):
    refuse("adaptive_grad_clip", defaults_of(transforms.adaptive_grad_clip), axis=axis)
    return as_optaxs(ours.adaptive_clip(clipping, eps), stateless=True)


def chain(args=()):
    return as_optaxs(ours.chain(*map(as_part, args)))


def by_tree(build):
    """Return an optimizer that ``build`` makes once it sees the tree, as optax's masks and labels may be functions."""

    def init(params):
        return build(params).init(params)

    def update(updates, state, params=None, **extra):
        return build(updates).update(updates, state, params, **extra)

    return optax.GradientTransformationExtraArgs(init, update)


def partition(transforms, param_labels, mask_compatible_extra_args):
    refuse("partition", {"mask_compatible_extra_args": False}, mask_compatible_extra_args=mask_compatible_extra_args)
    groups = {str(name): as_optimizer(tx) for name, tx in transforms.items()}

    def build(tree):
        labels = param_labels(tree) if _masking._mask_callable(param_labels) else param_labels
        return ours.partition(groups, jax.tree.map(str, labels))

    return by_tree(build)


@optimizer
def as_it_stands():
    """Build an optimizer whose updates are the gradients, which is what optax's masks leave out."""
    return lambda params: (), lambda grads, state, params=None: (grads, state)


def masked(inner, mask, mask_compatible_extra_args=False):
    refuse("masked", {"mask_compatible_extra_args": False}, mask_compatible_extra_args=mask_compatible_extra_args)
    groups = {"in": as_optimizer(inner), "out": as_it_stands()}

    def build(tree):
        if isinstance(tree, _state_utils._ParamsPlaceholder):
            raise CannotBeSaid("tree.map_params asks for the state of a tree without leaves, which has no groups.")
        names = jax.tree.map(lambda m: "in" if m else "out", mask(tree) if _masking._mask_callable(mask) else mask)
        used = set(jax.tree.leaves(names))
        return ours.partition({name: opt for name, opt in groups.items() if name in used}, names)

    return by_tree(build)


class MultiSteps:
    """Stand in for optax's class of this name with ``accumulate``."""

    State = collections.namedtuple("State", "inner_opt_state, gradient_step, acc_grads, mini_step, weight, skipped")

    def __init__(self, opt, every_k_schedule, use_grad_mean, should_skip_update_fn, accumulator_dtype):
        if not use_grad_mean:
            raise CannotBeSaid("accumulate takes the mean, never the sum.")
        if should_skip_update_fn not in (None, transforms.skip_not_finite):
            raise CannotBeSaid("accumulate skips gradients that are not finite, and no others.")
        refuse("MultiSteps", {"accumulator_dtype": jnp.float32}, accumulator_dtype=accumulator_dtype)
        self.init, self.update = as_optaxs(ours.accumulate(as_optimizer(opt), every_k_schedule), view=self.State)

    def has_updated(self, state):
        return (state.mini_step == 0) & (state.gradient_step > 0)

    def gradient_transformation(self):
        return optax.GradientTransformation(self.init, self.update)


def multi_steps(**arguments):
    return MultiSteps(**arguments)


class Finite(collections.namedtuple("Finite", ["inner_state", "total_notfinite", "notfinite_count"])):
    """The state of ``skip_nonfinite`` under optax's names."""

    last_finite = property(lambda self: self.notfinite_count == 0)


def apply_if_finite(inner, max_consecutive_errors):
    return as_optaxs(ours.skip_nonfinite(as_optimizer(inner), max_consecutive_errors), view=Finite)


def lookahead(fast_optimizer, sync_period, slow_step_size, reset_state):
    if reset_state:
        raise CannotBeSaid("Our lookahead never sets the optimizer's state back.")
    opt = ours.lookahead(as_optimizer(fast_optimizer), sync_period, slow_step_size)
    view = collections.namedtuple("State", ["fast_state", "iter", "slow"])

    def init(params):
        return view(*opt.init(getattr(params, "fast", params)))

    def update(updates, state, params):
        """Step both copies, because optax keeps the slow one in the parameters, and ours in the state."""
        before = type(jax.eval_shape(opt.init, params.fast))(*state)
        updates, state = opt.update(updates, before, params.fast)
        slow = jax.tree.map(lambda new, old: new - old, state.slow, before.slow)
        return _lookahead.LookaheadParams(updates, slow), view(*state)

    return optax.GradientTransformation(init, update)


def reduce_on_plateau(factor, patience, rtol, atol, cooldown, accumulation_size, min_scale):
    if patience < 1:
        raise CannotBeSaid("The patience of ours is one less than optax's, and at least 0.")
    opt = ours.reduce_on_plateau(factor, patience - 1, min_scale, rtol, atol, cooldown, accumulation_size)

    def as_theirs(state):
        waited, left = jnp.maximum(state.waited, 0), jnp.maximum(-state.waited, 0)
        return contrib.ReduceLROnPlateauState(*state[:2], waited, left, count=state.gathered, avg_value=state.mean)

    def init(params):
        return as_theirs(opt.init(params))

    def update(updates, state, params=None, **extra):
        before = jax.eval_shape(opt.init, updates)
        waited = state.plateau_count - state.cooldown_count
        before = type(before)(*state[:2], waited, mean=state.avg_value, gathered=state.count)
        updates, state = opt.update(updates, before, params, **extra)
        return updates, as_theirs(state)

    update.ours = opt
    return optax.GradientTransformationExtraArgs(init, update)


def add_decayed_weights(weight_decay, mask):
    refuse("add_decayed_weights", {"mask": None}, mask=mask)
    return as_optaxs(ours.l2_decay(weight_decay))


def stateless(factory):
    return lambda **arguments: as_optaxs(factory(*arguments.values()), stateless=True)


REPLACEMENTS = [
    ("clip", transforms.clip, stateless(ours.clip)),
    ("clip_by_global_norm", transforms.clip_by_global_norm, stateless(ours.clip_by_global_norm)),
    ("adaptive_grad_clip", transforms.adaptive_grad_clip, adaptive_grad_clip),
    ("add_decayed_weights", transforms.add_decayed_weights, add_decayed_weights),
    ("normalize", contrib.normalize, lambda: as_optaxs(ours.normalize())),
    ("chain", combine.chain, chain),
    ("partition", combine.partition, partition),
    ("masked", wrappers.masked, masked),
    ("MultiSteps", _accumulation.MultiSteps, multi_steps),
    ("apply_if_finite", transforms.apply_if_finite, apply_if_finite),
    ("lookahead", _lookahead.lookahead, lookahead),
    ("reduce_on_plateau", contrib.reduce_on_plateau, reduce_on_plateau),
]
