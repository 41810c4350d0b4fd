"""The rules, one idea a file: docstring, state, factory; in it ``init``, ``update``, and the rule for one array."""

from jaxopt_lite.optimizers.adabelief import AdaBeliefState, adabelief
from jaxopt_lite.optimizers.adadelta import AdaDeltaState, adadelta
from jaxopt_lite.optimizers.adafactor import AdafactorState, adafactor
from jaxopt_lite.optimizers.adagrad import AdaGradState, adagrad
from jaxopt_lite.optimizers.adam import AdamState, adam
from jaxopt_lite.optimizers.adam_atan2 import AdamAtan2State, adam_atan2
from jaxopt_lite.optimizers.adam_mini import AdamMiniState, adam_mini
from jaxopt_lite.optimizers.adamax import AdaMaxState, adamax
from jaxopt_lite.optimizers.adamw import AdamWState, adamw
from jaxopt_lite.optimizers.adan import AdanState, adan
from jaxopt_lite.optimizers.ademamix import AdEMAMixState, ademamix
from jaxopt_lite.optimizers.adopt import ADOPTState, adopt
from jaxopt_lite.optimizers.amsgrad import AMSGradState, amsgrad
from jaxopt_lite.optimizers.asgd import ASGDState, asgd
from jaxopt_lite.optimizers.heavy_ball import HeavyBallState, heavy_ball
from jaxopt_lite.optimizers.lamb import LAMBState, lamb
from jaxopt_lite.optimizers.laprop import LaPropState, laprop
from jaxopt_lite.optimizers.lars import LARSState, lars
from jaxopt_lite.optimizers.lion import LionState, lion
from jaxopt_lite.optimizers.madgrad import MADGRADState, madgrad
from jaxopt_lite.optimizers.mars import MARSState, mars
from jaxopt_lite.optimizers.momentum import MomentumState, momentum
from jaxopt_lite.optimizers.nadam import NAdamState, nadam
from jaxopt_lite.optimizers.nadamw import NAdamWState, nadamw
from jaxopt_lite.optimizers.nesterov import NesterovState, nesterov
from jaxopt_lite.optimizers.novograd import NovoGradState, novograd
from jaxopt_lite.optimizers.radam import RAdamState, radam
from jaxopt_lite.optimizers.rmsprop import RMSPropState, rmsprop
from jaxopt_lite.optimizers.rprop import RpropState, rprop
from jaxopt_lite.optimizers.sgd import SGDState, sgd
from jaxopt_lite.optimizers.signum import SignumState, signum
from jaxopt_lite.optimizers.sm3 import SM3State, sm3
from jaxopt_lite.optimizers.stable_adamw import StableAdamWState, stable_adamw
from jaxopt_lite.optimizers.yogi import YogiState, yogi

__all__ = [
    "ADOPTState",
    "AMSGradState",
    "ASGDState",
    "AdEMAMixState",
    "AdaBeliefState",
    "AdaDeltaState",
    "AdaGradState",
    "AdaMaxState",
    "AdafactorState",
    "AdamAtan2State",
    "AdamMiniState",
    "AdamState",
    "AdamWState",
    "AdanState",
    "HeavyBallState",
    "LAMBState",
    "LARSState",
    "LaPropState",
    "LionState",
    "MADGRADState",
    "MARSState",
    "MomentumState",
    "NAdamState",
    "NAdamWState",
    "NesterovState",
    "NovoGradState",
    "RAdamState",
    "RMSPropState",
    "RpropState",
    "SGDState",
    "SM3State",
    "SignumState",
    "StableAdamWState",
    "YogiState",
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adam_atan2",
    "adam_mini",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "asgd",
    "heavy_ball",
    "lamb",
    "laprop",
    "lars",
    "lion",
    "madgrad",
    "mars",
    "momentum",
    "nadam",
    "nadamw",
    "nesterov",
    "novograd",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "signum",
    "sm3",
    "stable_adamw",
    "yogi",
]
