"""The optimizers, one a file: a state, and a factory with ``init``, ``update``, and the rule for one array."""

from jaxopt_lite.optimizers.adabelief import AdaBeliefState, adabelief
from jaxopt_lite.optimizers.adadelta import AdaDeltaState, adadelta
from jaxopt_lite.optimizers.adafactor import AdafactorState, adafactor
from jaxopt_lite.optimizers.adagrad import AdaGradState, adagrad
from jaxopt_lite.optimizers.adam import AdamState, adam
from jaxopt_lite.optimizers.adam_atan2 import AdamAtan2State, adam_atan2
from jaxopt_lite.optimizers.adam_mini import AdamMiniState, adam_mini
from jaxopt_lite.optimizers.adam_standard import AdamStandardState, adam_standard
from jaxopt_lite.optimizers.adamax import AdaMaxState, adamax
from jaxopt_lite.optimizers.adamw import AdamWState, adamw
from jaxopt_lite.optimizers.adan import AdanState, adan
from jaxopt_lite.optimizers.ademamix import AdEMAMixState, ademamix
from jaxopt_lite.optimizers.adopt import ADOPTState, adopt
from jaxopt_lite.optimizers.amsgrad import AMSGradState, amsgrad
from jaxopt_lite.optimizers.asgd import ASGDState, asgd
from jaxopt_lite.optimizers.dadapt_adam import DAdaptAdamState, dadapt_adam
from jaxopt_lite.optimizers.dog import DoGState, dog
from jaxopt_lite.optimizers.dowg import DoWGState, dowg
from jaxopt_lite.optimizers.heavy_ball import HeavyBallState, heavy_ball
from jaxopt_lite.optimizers.kl_soap import KLSOAPState, kl_soap
from jaxopt_lite.optimizers.lamb import LAMBState, lamb
from jaxopt_lite.optimizers.laprop import LaPropState, laprop
from jaxopt_lite.optimizers.lars import LARSState, lars
from jaxopt_lite.optimizers.lbfgs import LBFGSState, lbfgs
from jaxopt_lite.optimizers.lion import LionState, lion
from jaxopt_lite.optimizers.madgrad import MADGRADState, madgrad
from jaxopt_lite.optimizers.mars import MARSState, mars
from jaxopt_lite.optimizers.momentum import MomentumState, momentum
from jaxopt_lite.optimizers.muon import MuonState, muon
from jaxopt_lite.optimizers.nadam import NAdamState, nadam
from jaxopt_lite.optimizers.nadamw import NAdamWState, nadamw
from jaxopt_lite.optimizers.nesterov import NesterovState, nesterov
from jaxopt_lite.optimizers.normuon import NorMuonState, normuon
from jaxopt_lite.optimizers.novograd import NovoGradState, novograd
from jaxopt_lite.optimizers.polyak_sgd import PolyakSGDState, polyak_sgd
from jaxopt_lite.optimizers.prodigy import ProdigyState, prodigy
from jaxopt_lite.optimizers.psgd_kron import PSGDKronState, psgd_kron
from jaxopt_lite.optimizers.radam import RAdamState, radam
from jaxopt_lite.optimizers.rmsprop import RMSPropState, rmsprop
from jaxopt_lite.optimizers.rprop import RpropState, rprop
from jaxopt_lite.optimizers.schedule_free_adamw import ScheduleFreeAdamWState, schedule_free_adamw
from jaxopt_lite.optimizers.schedule_free_sgd import ScheduleFreeSGDState, schedule_free_sgd
from jaxopt_lite.optimizers.scion import ScionState, scion
from jaxopt_lite.optimizers.sgd import SGDState, sgd
from jaxopt_lite.optimizers.shampoo import ShampooState, shampoo
from jaxopt_lite.optimizers.signum import SignumState, signum
from jaxopt_lite.optimizers.sm3 import SM3State, sm3
from jaxopt_lite.optimizers.soap import SOAPState, soap
from jaxopt_lite.optimizers.sophia import SophiaState, sophia
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
    "AdamStandardState",
    "AdamState",
    "AdamWState",
    "AdanState",
    "DAdaptAdamState",
    "DoGState",
    "DoWGState",
    "HeavyBallState",
    "KLSOAPState",
    "LAMBState",
    "LARSState",
    "LBFGSState",
    "LaPropState",
    "LionState",
    "MADGRADState",
    "MARSState",
    "MomentumState",
    "MuonState",
    "NAdamState",
    "NAdamWState",
    "NesterovState",
    "NorMuonState",
    "NovoGradState",
    "PSGDKronState",
    "PolyakSGDState",
    "ProdigyState",
    "RAdamState",
    "RMSPropState",
    "RpropState",
    "SGDState",
    "SM3State",
    "SOAPState",
    "ScheduleFreeAdamWState",
    "ScheduleFreeSGDState",
    "ScionState",
    "ShampooState",
    "SignumState",
    "SophiaState",
    "StableAdamWState",
    "YogiState",
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adam_atan2",
    "adam_mini",
    "adam_standard",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "asgd",
    "dadapt_adam",
    "dog",
    "dowg",
    "heavy_ball",
    "kl_soap",
    "lamb",
    "laprop",
    "lars",
    "lbfgs",
    "lion",
    "madgrad",
    "mars",
    "momentum",
    "muon",
    "nadam",
    "nadamw",
    "nesterov",
    "normuon",
    "novograd",
    "polyak_sgd",
    "prodigy",
    "psgd_kron",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "scion",
    "sgd",
    "shampoo",
    "signum",
    "sm3",
    "soap",
    "sophia",
    "stable_adamw",
    "yogi",
]
