"""List what the same rules are called elsewhere: tests run each row both ways, tools/pages.py prints it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

# The modules in which optimizers for torch are, and the packages that they come from.
TORCH = {
    "torch": "torch",
    "pytorch_optimizer": "pytorch_optimizer",
    "optimi": "torch-optimi",
    "adam_atan2_pytorch": "adam-atan2-pytorch",
    "adam_mini": "adam-mini",
    "lion_pytorch": "lion-pytorch",
    "madgrad": "madgrad",
    "schedulefree": "schedulefree",
    "prodigyopt": "prodigyopt",
    "dadaptation": "dadaptation",
    "dog": "dog-optimizer",
    "muon": "muon-optimizer",
    "kron_torch": "kron-torch",
}
FOR_MATRICES = {"muon", "normuon", "scion", "shampoo", "soap", "kl_soap", "psgd_kron"}
GOLDEN = Path(__file__).parent / "golden" / "torch.npz"
STEPS = (1, 2, 3, 10, 50)
VALUES = np.linspace(3.0, 0.1, 50)  # the loss at each of the steps, for those who ask
CURVATURES = np.linspace(0.5, 4.0, 50)  # and its second derivative, by every parameter


class Row(NamedTuple):
    """An optimizer of a peer's, ours, and what there is to say.

    ``same``: whether they go the same way. ``rtol``: how closely; some peers keep numbers in float32 whatever happens.
    """

    theirs: str
    ours: str
    note: str = ""
    same: bool = True
    rtol: float = 1e-10


IN_FLOAT32 = 1e-6


def differs(theirs: str, ours: str, note: str) -> Row:
    return Row(theirs, ours, note, same=False)


# polar_express: the margin 1.02 put into the first coefficients
POLAR = (
    "[(8.15655 / 1.02, -22.4833 / 1.02**3, 15.8788 / 1.02**5), (4.04293, -2.80892, 0.500018), "
    "(3.89167, -2.77248, 0.506065), (3.28575, -2.36813, 0.46449), (2.34654, -1.70978, 0.423236)]"
)

ROWS = {
    "sgd": [
        Row("optax.sgd(0.1)", "sgd(0.1)"),
        Row("torch.optim.SGD(params, lr=0.1)", "sgd(0.1)"),
    ],
    "momentum": [
        Row(
            "torch.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.2)",
            "chain(l2_decay(0.2), momentum(0.1))",
        ),
        Row("optax.sgd(0.1, momentum=0.9)", "momentum(0.1)", "while lr is constant"),
        Row("torch.optim.SGD(params, lr=0.1, momentum=0.9)", "momentum(0.1)", "while lr is constant"),
        differs(
            "optax.sgd(schedule, momentum=0.9)",
            "momentum(schedule)",
            "lr stands outside the velocity there: `heavy_ball`",
        ),
    ],
    "nesterov": [
        Row(
            "torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2)",
            "chain(l2_decay(0.2), nesterov(0.1))",
        ),
        Row("optax.sgd(0.1, momentum=0.9, nesterov=True)", "nesterov(0.1)", "while lr is constant"),
        Row("torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True)", "nesterov(0.1)", "while lr is constant"),
    ],
    "heavy_ball": [
        Row(
            "optax.sgd(schedule, momentum=0.9)",
            "heavy_ball(schedule)",
        ),
        Row(
            "optax.sgd(schedule, momentum=0.9, nesterov=True)",
            "heavy_ball(schedule, nesterov=True)",
        ),
        Row(
            "torch.optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.2)",
            "heavy_ball(0.1, dampening=0.2)",
        ),
    ],
    "adagrad": [
        differs("optax.adagrad(0.1)", "adagrad(0.1)", "h starts at 0.1 there, eps stands inside the root"),
        Row("torch.optim.Adagrad(params, lr=0.1)", "adagrad(0.1, eps=1e-10)"),
        Row("torch.optim.Adagrad(params, lr=0.1, eps=1e-7)", "adagrad(0.1)"),
        Row("torch.optim.Adagrad(params, lr=0.1, initial_accumulator_value=0.2)", "adagrad(0.1, eps=1e-10, h0=0.2)"),
        Row(
            "torch.optim.Adagrad(params, lr=0.1, weight_decay=0.2)",
            "chain(l2_decay(0.2), adagrad(0.1, eps=1e-10))",
        ),
    ],
    "rmsprop": [
        differs("optax.rmsprop(0.01)", "rmsprop(0.01, decay_rate=0.9, eps=1e-8)", "eps stands inside the root there"),
        Row("optax.rmsprop(0.01, eps_in_sqrt=False)", "rmsprop(0.01, decay_rate=0.9, eps=1e-8)"),
        Row(
            "torch.optim.RMSprop(params, lr=0.01, weight_decay=0.2)",
            "chain(l2_decay(0.2), rmsprop(0.01, eps=1e-8))",
        ),
        Row("torch.optim.RMSprop(params, lr=0.01)", "rmsprop(0.01, eps=1e-8)"),
        Row(
            "torch.optim.RMSprop(params, lr=0.01, momentum=0.9, centered=True)",
            "rmsprop(0.01, eps=1e-8, momentum=0.9, centered=True)",
        ),
    ],
    "adam": [
        differs("optax.adam(0.1)", "adam(0.1)", "eps is 1e-8 there, on the root after its correction: `adam_standard`"),
        differs(
            "torch.optim.Adam(params, lr=0.1)",
            "adam(0.1)",
            "eps is 1e-8 there, on the root after its correction: `adam_standard`",
        ),
        Row("optax.adam(0.1, eps=0.0)", "adam(0.1, eps=0.0)"),
    ],
    "adam_standard": [
        Row("optax.adam(0.1)", "adam_standard(0.1)"),
        Row("torch.optim.Adam(params, lr=0.1)", "adam_standard(0.1)"),
    ],
    "adamw": [
        Row("optax.adamw(0.1)", "adamw(0.1, weight_decay=1e-4)", "weight_decay is 1e-4 by default there"),
        Row("torch.optim.Adam(params, lr=0.1, weight_decay=0.2)", 'adamw(0.1, weight_decay=0.2, decay="l2")'),
        Row("torch.optim.AdamW(params, lr=0.1)", "adamw(0.1)"),
        Row(
            "optimi.AdamW(params, lr=0.1, weight_decay=0.001, decouple_lr=True)",
            'adamw(0.1, beta2=0.99, eps=1e-6, weight_decay=0.001, decay="independent")',
            "its beta2 is 0.99, its eps 1e-6",
        ),
    ],
    "nadam": [
        Row("torch.optim.NAdam(params, lr=0.1)", "nadam(0.1)", rtol=IN_FLOAT32),
        Row(
            "torch.optim.NAdam(params, lr=0.1, weight_decay=0.2, decoupled_weight_decay=True)",
            "chain(nadam(0.1), weight_decay(0.2, 0.1))",
            rtol=IN_FLOAT32,
        ),
        differs("optax.nadam(0.1)", "nadam(0.1)", "its momentum does not warm up: `nadamw`"),
    ],
    "nadamw": [
        Row("optax.nadam(0.1)", "nadamw(0.1, weight_decay=0.0)"),
        Row("optax.nadamw(0.1)", "nadamw(0.1, weight_decay=1e-4)", "weight_decay is 1e-4 by default there"),
    ],
    "radam": [
        Row("torch.optim.RAdam(params, lr=0.1)", "radam(0.1)"),
        Row("torch.optim.RAdam(params, lr=0.1, weight_decay=0.2)", "chain(l2_decay(0.2), radam(0.1))"),
        differs("optax.radam(0.1)", "radam(0.1)", "eps is added to the corrected root there"),
    ],
    "adamax": [
        Row("optax.adamax(0.1)", "adamax(0.1)"),
        Row("torch.optim.Adamax(params, lr=0.1, weight_decay=0.2)", "chain(l2_decay(0.2), adamax(0.1))"),
        Row("torch.optim.Adamax(params, lr=0.1)", "adamax(0.1)"),
    ],
    "amsgrad": [
        Row("torch.optim.Adam(params, lr=0.1, amsgrad=True)", "amsgrad(0.1)"),
        differs("optax.amsgrad(0.1)", "amsgrad(0.1)", "the largest v is taken after its correction there"),
    ],
    "adabelief": [Row("optax.adabelief(0.1)", "adabelief(0.1)")],
    "yogi": [
        differs("optax.yogi(0.1)", "yogi(0.1)", "m starts at 1e-6 there, and not at 0"),
        differs("pytorch_optimizer.Yogi(params, lr=0.1)", "yogi(0.1)", "m starts at 1e-6 there, and not at 0"),
    ],
    "adan": [
        differs("optax.adan(0.1)", "adan(0.1)", "1 - beta2 stands there where beta2 belongs; a second eps"),
        Row("pytorch_optimizer.Adan(params, lr=0.1, weight_decay=0.2)", "adan(0.1, weight_decay=0.2)"),
    ],
    "adopt": [
        Row("optax.contrib.adopt(0.1)", "adopt(0.1)"),
        differs("pytorch_optimizer.ADOPT(params, lr=0.1)", "adopt(0.1)", "its cut-off counts this step too"),
    ],
    "ademamix": [
        Row("optax.contrib.ademamix(0.1, weight_decay=0.2)", "ademamix(0.1, weight_decay=0.2)"),
        Row(
            "pytorch_optimizer.AdEMAMix(params, lr=0.1, t_alpha_beta3=30)",
            "ademamix(0.1, warmup_steps=30)",
        ),
    ],
    "mars": [
        Row(
            "pytorch_optimizer.MARS(params, lr=0.1, optimize_1d=True, eps=0.0)",
            "mars(0.1, eps=0.0)",
            "eps is added to the root before its correction there",
        ),
        Row(
            "pytorch_optimizer.MARS(params, lr=0.1, lr_1d=0.2, eps=0.0)",
            'partition({"2d": mars(0.1, eps=0.0), "1d": adamw(0.2, beta2=0.95, eps=0.0, weight_decay=0.1)}, '
            '{"2d": "mlp", "1d": "norm"})',
            "it leaves vectors to AdamW by default",
        ),
    ],
    "laprop": [
        Row(
            "pytorch_optimizer.LaProp(params, lr=0.1)",
            "laprop(0.1)",
            "while lr is constant; 1e-15 is added inside the root there",
            rtol=IN_FLOAT32,
        )
    ],
    "stable_adamw": [
        Row("optimi.StableAdamW(params, lr=0.1, weight_decay=0.2, eps=1e-8)", "stable_adamw(0.1, weight_decay=0.2)"),
        Row("pytorch_optimizer.StableAdamW(params, lr=0.1)", "stable_adamw(0.1)"),
    ],
    "adam_atan2": [
        Row(
            "adam_atan2_pytorch.AdamAtan2(params, lr=0.1)",
            "adam_atan2(0.127, beta2=0.99, weight_decay=0.0)",
            "it multiplies by 1.27; its beta2 is 0.99",
        ),
        Row(
            "adam_atan2_pytorch.AdamAtan2(params, lr=0.1, betas=(0.9, 0.999), weight_decay=0.2, a=1.0)",
            "adam_atan2(0.1, weight_decay=0.2)",
        ),
    ],
    "adadelta": [
        Row("optax.adadelta(1.0)", "adadelta(1.0)"),
        differs("optax.adadelta()", "adadelta()", "it climbs: without a rate the sign is not turned there"),
        Row("torch.optim.Adadelta(params, lr=1.0)", "adadelta(1.0)"),
    ],
    "madgrad": [
        Row("optax.contrib.madgrad(0.1)", "madgrad(0.1 + 1e-6)", "eps is added to lr there", rtol=IN_FLOAT32),
        Row("madgrad.MADGRAD(params, lr=0.1)", "madgrad(0.1 + 1e-6)", "eps is added to lr there"),
    ],
    "asgd": [
        Row("torch.optim.ASGD(params, lr=0.1, lambd=0.1, t0=5)", "asgd(0.1, lambd=0.1, begin=5)", rtol=IN_FLOAT32)
    ],
    "lion": [
        Row("optax.lion(0.1)", "lion(0.1, weight_decay=1e-3)", "weight_decay is 1e-3 by default there"),
        Row("lion_pytorch.Lion(params, lr=0.1, weight_decay=0.2)", "lion(0.1, weight_decay=0.2)"),
    ],
    "signum": [
        Row("optax.signum(0.1)", "signum(0.1)"),
        Row("pytorch_optimizer.SignSGD(params, lr=0.1)", "signum(0.1)"),
    ],
    "rprop": [
        Row("torch.optim.Rprop(params, lr=0.1)", "rprop(0.1, min_scale=1e-5, max_scale=500)", "its bounds are lengths"),
        differs(
            "optax.rprop(0.1)", "rprop(0.1, min_scale=1e-5, max_scale=500)", "every step is taken one step late there"
        ),
    ],
    "lars": [
        Row("optax.lars(1.0)", "lars(1.0)"),
        differs("optax.lars(1.0, weight_decay=0.2)", "lars(1.0, weight_decay=0.2)", "‖g + λ p‖ stands in ℓ there"),
        Row(
            "pytorch_optimizer.LARS(params, lr=1.0, weight_decay=0.2)",
            'partition({"2d": lars(weight_decay=0.2), "1d": momentum(1.0)}, {"2d": "mlp", "1d": "norm"})',
            "it leaves vectors out; while lr is constant",
        ),
    ],
    "lamb": [
        Row("optax.lamb(0.1, weight_decay=0.2)", "lamb(0.1, weight_decay=0.2)", "weight_decay is 0 by default there"),
        differs("pytorch_optimizer.Lamb(params, lr=0.1)", "lamb(0.1, weight_decay=0.0)", "it corrects no bias"),
    ],
    "novograd": [
        Row(
            "optax.novograd(0.1, b1=0.95, b2=0.98, eps=1e-8, weight_decay=0.2)",
            "novograd(0.1, weight_decay=0.2)",
            "b1 is 0.9, b2 0.25, eps 1e-6 by default there",
        ),
        Row("pytorch_optimizer.NovoGrad(params, lr=0.1)", "novograd(0.1)"),
    ],
    "adafactor": [
        Row(
            "optax.adafactor(0.1, min_dim_size_to_factor=1)",
            "adafactor(0.1)",
            "axes shorter than 128 are not factored there by default; no 1 / √iter",
            rtol=IN_FLOAT32,
        ),
        Row("torch.optim.Adafactor(params, lr=0.1)", "adafactor(0.1)", "where V is above its eps²"),
    ],
    "sm3": [
        differs("optax.sm3(0.1)", "sm3(0.1)", "1e-8 is added inside the root there"),
        Row("pytorch_optimizer.SM3(params, lr=0.1, momentum=0.9)", "sm3(0.1)", "momentum is 0 by default there"),
    ],
    "adam_mini": [
        Row(
            "adam_mini.Adam_mini(named_parameters, lr=0.1, verbose=False)",
            "adam_mini(0.1, out_axis=0)",
            "it tells units by names; biases follow Adam there",
        ),
    ],
    "schedule_free_sgd": [
        Row(
            "optax.contrib.schedule_free_sgd(0.1, b1=0.7, weight_decay=0.2)",
            "schedule_free_sgd(0.1, beta1=0.7, weight_decay=0.2)",
        ),
        Row("schedulefree.SGDScheduleFree(params)", "schedule_free_sgd(1.0)"),
        Row(
            "schedulefree.SGDScheduleFree(params, lr=0.1, weight_decay=0.2, warmup_steps=12, r=1.5)",
            "schedule_free_sgd(lambda t: 0.1 * jnp.minimum(1, (t + 1.0) / 12), weight_decay=0.2, power=1.5)",
        ),
        differs(
            "optax.contrib.schedule_free_sgd(0.1, warmup_steps=12)",
            "schedule_free_sgd(lambda t: 0.1 * jnp.minimum(1, t / 12))",
            "the weights are one step ahead of the rate there",
        ),
    ],
    "schedule_free_adamw": [
        Row("optax.contrib.schedule_free_adamw()", "schedule_free_adamw()"),
        Row("schedulefree.AdamWScheduleFree(params)", "schedule_free_adamw()"),
        Row(
            "schedulefree.AdamWScheduleFree(params, lr=0.1, betas=(0.7, 0.95), weight_decay=0.2, warmup_steps=12, "
            "r=1.5)",
            "schedule_free_adamw("
            "lambda t: 0.1 * jnp.minimum(1, (t + 1.0) / 12), beta1=0.7, beta2=0.95, weight_decay=0.2, power=1.5)",
        ),
    ],
    "prodigy": [
        Row("prodigyopt.Prodigy(params, eps=1e-30)", "prodigy(eps=1e-30)"),
        Row(
            "prodigyopt.Prodigy(params, lr=0.7, betas=(0.8, 0.95), eps=1e-30, weight_decay=0.2, d0=0.1, d_coef=2.0)",
            "prodigy(0.7, beta1=0.8, beta2=0.95, eps=1e-30, weight_decay=0.2, d0=0.1, d_coef=2.0)",
        ),
        Row("prodigyopt.Prodigy(params)", "prodigy()", "eps is multiplied by the next d there", rtol=IN_FLOAT32),
        differs("optax.contrib.prodigy(estim_lr0=0.1)", "prodigy(d0=0.1)", "it corrects the bias"),
    ],
    "dadapt_adam": [
        Row("dadaptation.DAdaptAdam(params, d0=0.01)", "dadapt_adam(d0=0.01)"),
        Row(
            "dadaptation.DAdaptAdam(params, lr=2.0, betas=(0.8, 0.999), weight_decay=0.2, d0=0.01, decouple=True)",
            "dadapt_adam(2.0, beta1=0.8, weight_decay=0.2, d0=0.01)",
            "decay is not decoupled by default there",
        ),
        differs("optax.contrib.dadapt_adamw(estim_lr0=0.1)", "dadapt_adam(d0=0.1)", "it corrects the bias"),
    ],
    "dog": [
        Row("optax.contrib.dog()", "dog()"),
        Row("dog.DoG(params)", "dog()"),
        Row("dog.DoG(params, lr=0.7, reps_rel=0.1)", "dog(0.7, reps_rel=0.1)"),
    ],
    "dowg": [
        differs("optax.contrib.dowg()", "dowg()", "r is 0.01 at first there"),
        Row("optax.contrib.dowg()", "dowg(reps_rel=0.01 / 4.714102192360246)", "the number is 1 + ‖start‖"),
    ],
    "polyak_sgd": [
        Row("optax.polyak_sgd()", "polyak_sgd()"),
        Row("optax.polyak_sgd(0.05, f_min=0.05, eps=0.1)", "polyak_sgd(max_lr=0.05, f_min=0.05, eps=0.1)"),
        Row(
            "pytorch_optimizer.AliG(params, max_lr=0.3)",
            "polyak_sgd(max_lr=0.3, eps=1e-6)",
            "eps is 1e-6 there",
            rtol=IN_FLOAT32,
        ),
        differs(
            "optax.polyak_sgd(0.05, scaling=0.5)",
            "polyak_sgd(0.5, max_lr=0.05)",
            "the scaling stands in ‖g‖² too there",
        ),
    ],
    "muon": [
        Row(
            "torch.optim.Muon(params, lr=0.1)",
            "muon(0.1, weight_decay=0.1, out_axis=-2)",
            "weight_decay is 0.1 by default there; it iterates in bfloat16",
        ),
        Row(
            "torch.optim.Muon(params, lr=0.1, momentum=0.8, nesterov=False, weight_decay=0.2, ns_steps=7, "
            'adjust_lr_fn="match_rms_adamw")',
            'muon(0.1, momentum=0.8, nesterov=False, weight_decay=0.2, steps=7, scale="match_rms_adamw", out_axis=-2)',
            "it iterates in bfloat16",
        ),
        Row(
            "muon.SingleDeviceMuon(params, lr=0.1, weight_decay=0.2)",
            "muon(0.1, weight_decay=0.2, out_axis=-2)",
            "1e-7 is added to the length there; it iterates in bfloat16",
            rtol=IN_FLOAT32,
        ),
        Row(
            'pytorch_optimizer.Muon([{"params": params, "use_muon": True}], lr=0.1, weight_decay=0.2)',
            "muon(0.1, weight_decay=0.2, out_axis=-2)",
            "it iterates in bfloat16",
        ),
        Row(
            f'pytorch_optimizer.Muon([{{"params": params, "use_muon": True}}], lr=0.1, ns_coeffs={POLAR})',
            'muon(0.1, method="polar_express", out_axis=-2)',
            '"polar_express_safer" has other fifth coefficients and no margin there',
        ),
        Row("optax.contrib.muon(0.1, nesterov=False, eps=0.0)", "muon(0.1, nesterov=False)"),
        Row(
            "optax.contrib.muon(0.1, nesterov=False, eps=0.0, weight_decay=0.2, consistent_rms=0.2)",
            'muon(0.1, nesterov=False, weight_decay=0.2, scale="match_rms_adamw")',
        ),
        Row(
            "optax.contrib.muon(0.1, nesterov=False, eps=0.0, ns_coeffs=(1.5, -0.5, 0.0), ns_steps=7)",
            "muon(0.1, nesterov=False, coefficients=(1.5, -0.5, 0.0), steps=7)",
        ),
        Row(
            'optax.contrib.muon(0.1, nesterov=False, eps=0.0, ns_coeffs="dion", preconditioning="aol")',
            "muon(0.1, nesterov=False, coefficients=((4.0848, -6.8946, 2.927), (3.9505, -6.3029, 2.6377), "
            '(3.7418, -5.5913, 2.3037), (2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012)), preconditioning="aol")',
            "as many steps as triples there",
        ),
        Row(
            'optax.contrib.muon(0.1, nesterov=False, eps=0.0, preconditioning="schatten")',
            'muon(0.1, nesterov=False, preconditioning="schatten")',
        ),
        Row(
            "optax.contrib.muon(0.1, nesterov=False, eps=0.0, muon_weight_dimension_numbers="
            "optax.contrib.MuonDimensionNumbers(reduction_axis=1, output_axis=0))",
            "muon(0.1, nesterov=False, in_axis=1, out_axis=0)",
            "one of two axes or more is a tuple",
        ),
        differs(
            "optax.contrib.muon(0.1)",
            "muon(0.1)",
            "the momentum is corrected as in `nadamw` before g is mixed in there",
        ),
    ],
    "normuon": [
        Row(
            'pytorch_optimizer.NorMuon([{"params": params, "use_muon": True}], lr=0.1)',
            "normuon(0.1, eps=1e-10, out_axis=-2)",
            "its eps is 1e-10 and is added to ‖Ô‖ too; it iterates in bfloat16",
        ),
        Row(
            'pytorch_optimizer.NorMuon([{"params": params, "use_muon": True}], lr=0.1, momentum=0.8, beta2=0.99, '
            "weight_decay=0.2, nesterov=False, use_adjusted_lr=True)",
            "normuon(0.1, momentum=0.8, beta2=0.99, eps=1e-10, weight_decay=0.2, nesterov=False, "
            'scale="match_rms_adamw", out_axis=-2)',
            "its eps is 1e-10 and is added to ‖Ô‖ too; it iterates in bfloat16",
        ),
        differs(
            'pytorch_optimizer.NorMuon([{"params": params, "use_muon": True}], lr=0.1, update_scale="match_rms")',
            'normuon(0.1, eps=1e-10, scale="match_rms_adamw", out_axis=-2)',
            "the paper's own scale: every step has RMS 0.2 there",
        ),
    ],
    "scion": [
        Row(
            "pytorch_optimizer.SCION(params, lr=0.1, constraint=True, scale=50.0)",
            "scion(0.1, out_axis=-2)",
            "its momentum is 1 - ours; constraint is False by default there; it iterates in bfloat16",
        ),
        Row(
            "pytorch_optimizer.SCION(params, lr=0.1, momentum=0.3, scale=2.0)",
            "scion(0.1, momentum=0.7, radius=2.0, constrained=False, out_axis=-2)",
            "its momentum is 1 - ours; it iterates in bfloat16",
        ),
        Row(
            "pytorch_optimizer.SCION(params, lr=0.1, constraint=True, scale=3.0, norm_type=4)",
            'scion(0.1, radius=3.0, norm="sign_fan_in", out_axis=-2)',
            "its momentum is 1 - ours",
        ),
        Row(
            "pytorch_optimizer.SCION(params, lr=0.1, constraint=True, scale=3.0, norm_type=4, "
            'norm_kwargs={"normalize": False})',
            'scion(0.1, radius=3.0, norm="sign", out_axis=-2)',
            "its momentum is 1 - ours",
        ),
    ],
    "soap": [
        Row(
            "pytorch_optimizer.SOAP(params, lr=0.1, weight_decay=0.0)",
            "soap(0.1, weight_decay=0.0, out_axis=-2)",
            "its QR is in float32",
        ),
        Row(
            "pytorch_optimizer.SOAP(params, lr=0.1, betas=(0.9, 0.99), shampoo_beta=0.8, eps=1e-3, weight_decay=0.0, "
            "precondition_frequency=3, max_precondition_dim=3)",
            "soap(0.1, beta1=0.9, beta2=0.99, shampoo_beta=0.8, eps=1e-3, weight_decay=0.0, every=3, longest=3, "
            "out_axis=-2)",
            "its QR is in float32; shampoo_beta is beta2 by default there",
        ),
        differs(
            "pytorch_optimizer.SOAP(params, lr=0.1, weight_decay=0.2)",
            "soap(0.1, weight_decay=0.2, out_axis=-2)",
            "it decays what the step has led to: (1 - lr λ)(p - step)",
        ),
    ],
    "shampoo": [
        differs(
            "pytorch_optimizer.Shampoo(params, lr=0.1)",
            "shampoo(0.1, beta1=0.0, weight_decay=0.0, every=1, out_axis=-2)",
            "L and R are sums there, as in the paper, and no length is taken from Adam",
        ),
    ],
    "psgd_kron": [
        Row(
            "kron_torch.Kron(params, lr=0.1, weight_decay=0.2, precond_dtype=torch.float64, "
            "preconditioner_update_probability=1.0)",
            "psgd_kron(0.1, weight_decay=0.2, out_axis=-2)",
            "with the same random numbers",
        ),
    ],
    "sophia": [
        Row(
            "pytorch_optimizer.SophiaH(params, lr=0.1)",
            "sophia(0.1, beta1=0.96, gamma=1.0, clipping=0.01, weight_decay=0.0)",
            "p is the clipping there, and gamma is 1",
        ),
        Row(
            "pytorch_optimizer.SophiaH(params, lr=0.1, betas=(0.8, 0.9), weight_decay=0.2, p=0.05)",
            "sophia(0.1 * 0.05, beta1=0.8, beta2=0.9, gamma=0.05, weight_decay=0.2 / 0.05, eps=5e-14)",
            "p is gamma times the clipping there, its lr is lr / gamma",
        ),
    ],
}


def problem(matrices: bool = False) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A matrix in torch's layout and a vector; and fifty gradients for each, small and large ones among them."""
    rng = np.random.default_rng(0)
    start = {"mlp": rng.standard_normal((3, 4)), "norm": rng.standard_normal(5)}
    size = 10.0 ** rng.uniform(-2, 1, (50, 1))
    along = {name: (rng.standard_normal((50, p.size)) * size).reshape(50, *p.shape) for name, p in start.items()}
    return ({"mlp": start["mlp"]}, {"mlp": along["mlp"]}) if matrices else (start, along)


def is_optaxs(theirs: str) -> bool:
    return theirs.startswith("optax.")
