"""What the same rules are called elsewhere: the tests run each row both ways, and docs/coming_from.md is printed.

``python tests/peers.py`` prints the page. ``python tests/peers.py golden`` runs the peers that are written for torch
and saves where they went; it needs the packages of ``TORCH``, which the tests do not.
"""

import importlib
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

TORCH = {
    "torch": "torch",
    "pytorch_optimizer": "pytorch_optimizer",
    "optimi": "torch-optimi",
    "adam_atan2_pytorch": "adam-atan2-pytorch",
    "adam_mini": "adam-mini",
    "lion_pytorch": "lion-pytorch",
    "madgrad": "madgrad",
}
GOLDEN = Path(__file__).parent / "golden" / "torch.npz"
STEPS = (1, 2, 3, 10, 50)


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


ROWS = {
    "sgd": [
        Row("optax.sgd(0.1)", "sgd(0.1)"),
        Row("torch.optim.SGD(params, lr=0.1)", "sgd(0.1)"),
    ],
    "momentum": [
        Row("optax.sgd(0.1, momentum=0.9)", "momentum(0.1)", "while lr is constant"),
        Row("torch.optim.SGD(params, lr=0.1, momentum=0.9)", "momentum(0.1)", "while lr is constant"),
        differs(
            "optax.sgd(schedule, momentum=0.9)",
            "momentum(schedule)",
            "lr stands outside the velocity there: `heavy_ball`",
        ),
    ],
    "nesterov": [
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
    ],
    "rmsprop": [
        differs("optax.rmsprop(0.01)", "rmsprop(0.01, decay_rate=0.9, eps=1e-8)", "eps stands inside the root there"),
        Row("optax.rmsprop(0.01, eps_in_sqrt=False)", "rmsprop(0.01, decay_rate=0.9, eps=1e-8)"),
        Row("torch.optim.RMSprop(params, lr=0.01)", "rmsprop(0.01, eps=1e-8)"),
        Row(
            "torch.optim.RMSprop(params, lr=0.01, momentum=0.9, centered=True)",
            "rmsprop(0.01, eps=1e-8, momentum=0.9, centered=True)",
        ),
    ],
    "adam": [
        differs("optax.adam(0.1)", "adam(0.1)", "eps is 1e-8 there, on the root after its correction: `adamw`"),
        differs(
            "torch.optim.Adam(params, lr=0.1)",
            "adam(0.1)",
            "eps is 1e-8 there, on the root after its correction: `adamw`",
        ),
        Row("optax.adam(0.1, eps=0.0)", "adam(0.1, eps=0.0)"),
    ],
    "adamw": [
        Row("optax.adam(0.1)", "adamw(0.1, weight_decay=0.0)"),
        Row("optax.adamw(0.1)", "adamw(0.1, weight_decay=1e-4)", "weight_decay is 1e-4 by default there"),
        Row("torch.optim.Adam(params, lr=0.1)", "adamw(0.1, weight_decay=0.0)"),
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
        differs("optax.radam(0.1)", "radam(0.1)", "eps is added to the corrected root there"),
    ],
    "adamax": [
        Row("optax.adamax(0.1)", "adamax(0.1)"),
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
}


def problem() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A matrix in torch's layout and a vector; and fifty gradients for each, small and large ones among them."""
    rng = np.random.default_rng(0)
    start = {"mlp": rng.standard_normal((3, 4)), "norm": rng.standard_normal(5)}
    size = 10.0 ** rng.uniform(-2, 1, (50, 1))
    return start, {name: (rng.standard_normal((50, p.size)) * size).reshape(50, *p.shape) for name, p in start.items()}


def run_torch(theirs: str) -> np.ndarray:
    """Where an optimizer for torch goes: the parameters after each of ``STEPS``, side by side."""
    torch = importlib.import_module("torch")
    start, gradients = problem()
    named = {name: torch.nn.Parameter(torch.tensor(p)) for name, p in start.items()}
    modules = {name: importlib.import_module(name) for name in TORCH}
    opt = eval(theirs, modules | {"params": list(named.values()), "named_parameters": named.items()})
    visited = []
    for step in range(50):
        for name, p in named.items():
            p.grad = torch.tensor(gradients[name][step])
        opt.step()
        visited.append(np.concatenate([p.detach().numpy().ravel() for p in named.values()]))
    return np.stack([visited[step - 1] for step in STEPS])


def is_optaxs(theirs: str) -> bool:
    return theirs.startswith("optax.")


def save_golden() -> None:
    rows = [row.theirs for rows in ROWS.values() for row in rows if not is_optaxs(row.theirs)]
    np.savez_compressed(GOLDEN, **{theirs: run_torch(theirs) for theirs in rows})
    print(f"{len(rows)} trajectories, by", ", ".join(f"{name} {version(name)}" for name in TORCH.values()))


def page() -> str:
    lines = [
        "# Coming from optax or torch",
        "",
        "What an optimizer is called elsewhere, and what goes the same way here. The tests run each row both ways, for",
        "fifty steps in double precision: optax itself, and what optimizers for torch did once",
        f"({', '.join(f'`{name}`' for name in TORCH)}). Where the third column is empty, nothing differs.",
        "",
        "| elsewhere | here | what differs |",
        "|---|---|---|",
    ]
    for rows in ROWS.values():
        for row in rows:
            lines.append(f"| `{row.theirs}` | {'' if row.same else 'not '}`{row.ours}` | {row.note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    save_golden() if sys.argv[1:] == ["golden"] else print(page(), end="")
