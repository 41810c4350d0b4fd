"""``python -m jaxopt_lite``, as people and programs call it."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxopt_lite
from jaxopt_lite import adam
from jaxopt_lite.cli import main, summary
from jaxopt_lite.core.declarations import by_name
from jaxopt_lite.landscapes import LANDSCAPES, trajectories

TASK = """
import jax
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(60, 3)).astype(np.float32)
data = (x, (x @ np.array([1.0, -2.0, 0.5])).astype(np.float32))


def params(key):
    return {"w": jax.random.normal(key, (3,))}


def loss(params, batch):
    x, t = batch
    return ((x @ params["w"] - t) ** 2).mean()


steps, lrs, batch_size = 48, (1e-3, 1.0, 4), 10
"""


@pytest.fixture
def task(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_task.py").write_text(TASK)
    return tmp_path


def command(*arguments, cwd, **kwargs):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "jaxopt_lite", *arguments],
        cwd=cwd,
        text=True,
        timeout=300,
        check=False,
        **{"capture_output": True} | kwargs,
    )


def test_a_task_of_ones_own_in_a_pipe(task):
    done = command("race", "my_task.py", cwd=task)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "compiling 4 optimizers in one program"
    assert re.match(r"step \d+ of 48, 16 of 16 lanes, .* leads with ", lines[1])
    assert lines[-1].startswith("opt = jaxopt_lite.")
    assert eval(lines[-1].removeprefix("opt = ")).arguments["lr"] in {0.001, 0.01, 0.1, 1.0}
    assert "\x1b" not in done.stdout


def test_a_terminal_shows_a_live_table(task):
    ours, theirs = pty.openpty()
    env = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-m", "jaxopt_lite", "race", "my_task.py"], cwd=task, stdout=theirs, stderr=theirs, env=env
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        assert process.wait(timeout=100) == 0
    os.close(ours)
    text = seen.decode()
    assert "\x1b[1A" in text  # it went up, to draw the table anew
    assert "optimizer" in text
    assert "opt = jaxopt_lite." in text


def test_for_programs_the_result_is_all_that_is_printed(task, capsys):
    done = command("race", "my_task.py", "--json", "-", "--seeds", "2", "--optimizers", "sgd", "adamw", cwd=task)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [row["name"] for row in result["rows"]] in (["sgd", "adamw"], ["adamw", "sgd"])
    assert result["best"].startswith("jaxopt_lite.")
    assert len(result["lanes"]) == 8
    assert len(result["lanes"][0]["scores"]) == 2


def test_writes_what_it_is_asked_for(task, capsys):
    files = {"--csv": "a.csv", "--html": "a.html", "--png": "a.png", "--png-lr": "b.png", "--save": "a.npz"}
    assert main(["race", "my_task.py", "--json", "a.json", *(x for pair in files.items() for x in pair)]) == 0
    for name in (*files.values(), "a.json"):
        assert (task / name).stat().st_size > 500, name
    opt, *wrote = capsys.readouterr().out.rstrip().splitlines()[-7:]
    assert opt.startswith("opt = jaxopt_lite.")
    assert {line.removeprefix("wrote ") for line in wrote} == {*files.values(), "a.json"}


@pytest.mark.parametrize("name", ["my_package.tasks:line", "my_package.tasks:as_dict", "my_package.tasks"])
def test_a_task_in_a_package(task, monkeypatch, capsys, name):
    (task / "my_package").mkdir()
    more = "\n\ndef line():\n    return dict(loss=loss, params=params, data=data, steps=12)\n\n\nas_dict = line()\n"
    (task / "my_package" / "tasks.py").write_text(TASK + more)
    monkeypatch.syspath_prepend(task)
    assert main(["race", name, "--rates", "0.1", "--optimizers", "sgd", "--prune", "none"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("opt = jaxopt_lite.sgd(lr=0.1)")
    for module in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[module]


def test_a_task_may_import_its_neighbours_and_hold_dataclasses(task, capsys):
    (task / "folder").mkdir()
    (task / "folder" / "neighbour.py").write_text("rate = 0.1\n")
    more = "import dataclasses\nimport neighbour\n\n\n@dataclasses.dataclass\nclass Net:\n    width: int = 3\n"
    (task / "folder" / "a_task.py").write_text("from __future__ import annotations\n" + more + TASK)
    assert main(["race", "folder/a_task.py", "--optimizers", "sgd", "--rates", "0.1"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("opt = jaxopt_lite.sgd(lr=0.1)")


def test_an_error_in_a_loss_is_shown_as_it_is(task):
    (task / "broken.py").write_text(TASK + "\n\ndef loss(params, batch):\n    raise ValueError('mine')\n")
    with pytest.raises(ValueError, match="mine"):
        main(["race", "broken.py"])


WRONG = [
    ("race nope", "race: there is no task 'nope'; there are digits, mnist, a file.py, package.module:name"),
    ("race nope.py", "race: there is no file nope.py"),
    ("race json:nope", "race: there is no nope in json"),
    ("race json:decoder", "race: json:decoder must be a dict of race's arguments, or a function that returns one"),
    ("race empty.py", "race: there is no loss in empty.py; a task has loss and params, and may have data"),
    ("race my_task.py --optimizers sdg", "race: there is no optimizer 'sdg'; did you mean sgd"),
    ("race my_task.py --lrs 0 1 3", "race: lrs must be positive and rise, from 0.0 to 1.0 they do not"),
    ("race my_task.py --rates -1", "race: lrs must be positive numbers, not [-1.0]"),
    ("race my_task.py --rates 1 --lrs 1 2 3", "race: --lrs is a grid and --rates are rates; one of them"),
    ("race my_task.py --data .", "race: --data is for mnist, and the task is my_task.py"),
    ("race my_task.py --seeds 0", "race: steps and seeds must be at least 1, not 48 and 0"),
    ("race my_task.py --html no/race.html", "cannot write no/race.html: no is no folder to write in"),
    ("race my_task.py --csv .", "cannot write .: it is a folder"),
    ("race mnist --data /nowhere", "/nowhere is no folder"),
    ("path nope", "path: there is no landscape 'nope'; there are rosenbrock, beale, himmelblau, rastrigin, book"),
    ("path book --optimizers sgd adam --lr 1 2 3", "path: 2 optimizers, and 3 learning rates; give one, or one for "),
    ("path book --steps 0", "path: steps must be at least 1, not 0"),
    ("path book --start 100 0", "book: the start must be in the view, "),
    ("show adma", "there is no 'adma'; did you mean adam"),
    ("race my_task.py --png x.xyz", "cannot write x.xyz: its name must end in .png or .svg or .pdf"),
    ("path book --png foo.jpg", "cannot write foo.jpg: its name must end in .png"),
    ("race my_task.py --optimizers adam(beta=", "race: 'adam(beta=' is no call of an optimizer: "),
    ("race my_task.py --optimizers nope.py:mine", "race: there is no file nope.py"),
    ("path book --optimizers adam adam --lr 0.1", "path: adam at 0.1 is there twice; give one of them another --lr"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), WRONG)
def test_wrong_input_is_one_sentence_and_code_2(task, capsys, arguments, sentence):
    (task / "empty.py").write_text("")
    assert main(arguments.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"python -m jaxopt_lite: {sentence}")
    assert error.count("\n") == 1


@pytest.mark.slow
def test_path_prints_where_it_ends_and_draws(task):
    files = ["--png", "a.png", "--gif", "a.gif", "--html", "a.html"]
    as_users_compile = os.environ | {"XLA_FLAGS": ""}  # of which the last digit is
    done = command("path", "book", "--steps", "29", *files, cwd=task, env=as_users_compile)
    assert done.returncode == 0, done.stderr
    ends = dict(re.findall(r"(\w+) ends at (\(.*?\))", done.stdout))
    assert ends["momentum"] == "(0.814112, 0.272878)"  # as in examples/paths.py
    for name in files[1::2]:
        assert (task / name).stat().st_size > 10_000


def test_list_has_every_optimizer_by_family(capsys):
    assert main(["list"]) == 0
    families, found = {}, ""
    for line in capsys.readouterr().out.splitlines():
        found = line.rstrip(":") if not line.startswith(" ") else found
        if line.startswith(" "):
            families[line.split()[0]] = found
    assert families == {name: entry.family for name, entry in jaxopt_lite.registry.items()}
    assert main(["list", "--json"]) == 0
    assert {entry["name"] for entry in json.loads(capsys.readouterr().out)} == set(jaxopt_lite.registry)


@pytest.mark.parametrize("name", ["clip", "average", "cosine", "schedules.warmup"])
def test_show_knows_transforms_wrappers_and_schedules(capsys, name):
    assert main(["show", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"jaxopt_lite.{name}(")
    assert ">>> " in out


def test_optimizers_are_calls_or_stand_in_a_file(task, capsys):
    (task / "my_rule.py").write_text("from jaxopt_lite import sgd\n\nmine = sgd(0.1)\n")
    chosen = ["adam(beta1=0.5)", "chain(clip(1.0), sgd())", "my_rule.py:mine"]
    assert main(["race", "my_task.py", "--optimizers", *chosen, "--json", "a.json"]) == 0
    out = capsys.readouterr().out
    assert {lane["name"] for lane in json.loads((task / "a.json").read_text())["lanes"]} == set(chosen)
    assert out.rstrip().endswith("wrote a.json")


def test_a_variable_of_a_task_that_is_nearly_an_argument_is_named(task, capsys):
    (task / "near.py").write_text(TASK + "\nstep = 30\n")
    assert main(["race", "near.py", "--optimizers", "sgd", "--rates", "0.1"]) == 0
    assert "steps" in TASK
    (task / "near.py").write_text(TASK.replace("steps, lrs", "step, lrs"))
    assert main(["race", "near.py", "--optimizers", "sgd", "--rates", "0.1", "--steps", "24"]) == 0
    assert "race: near.py has step, which is ignored; did you mean steps?" in capsys.readouterr().err


def test_path_takes_one_rule_at_two_rates(capsys):
    assert main(["path", "book", "--optimizers", "adam", "adam", "--lr", "0.1", "0.5", "--steps", "3"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first.split(" ends")[0].strip(), second.split(" ends")[0].strip()) == ("adam at 0.1", "adam at 0.5")


def test_show_has_equations_state_defaults_and_source(capsys):
    assert main(["show", "adam"]) == 0
    out = capsys.readouterr().out
    for part in (
        "jaxopt_lite.adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-07)",
        "m ← ",
        "State: ",
        "Source: ",
        "beta1: ",
    ):
        assert part in out


def test_what_needs_no_backend_starts_none(tmp_path):
    script = Path(__file__).with_name("scripts") / "commands_without_backend.py"
    subprocess.run([sys.executable, script], check=True, timeout=100, capture_output=True)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ([], {"sgd": 0.95, "adam": 0.3}),
        (["--lr", "0.5"], {"sgd": 0.5, "adam": 0.5}),
        (["--lr", "0.5", "0.2"], {"sgd": 0.5, "adam": 0.2}),
    ],
)
def test_path_takes_the_landscapes_rates_or_one_or_one_for_each(capsys, given, rates):
    assert main(["path", "book", "--optimizers", "sgd", "adam", "--steps", "3", "--start", "-6", "1", *given]) == 0
    lines = capsys.readouterr().out.splitlines()
    book = LANDSCAPES["book"]
    for line, (name, lr) in zip(lines, rates.items(), strict=True):
        x, y = trajectories(by_name(name).factory(lr=lr), book, [(-6.0, 1.0)], 3)[0][-1]
        assert line == f"{name:>12} ends at ({float(x):.6g}, {float(y):.6g}), f = {float(book.formula(x, y)):.6g}"


def test_lrs_are_a_grid(task):
    assert main(["race", "my_task.py", "--lrs", "0.01", "1", "3", "--optimizers", "sgd", "--json", "a.json"]) == 0
    lanes = json.loads((task / "a.json").read_text())["lanes"]
    assert [lane["lr"] for lane in lanes] == pytest.approx([0.01, 0.1, 1.0])


def test_a_summary_is_the_first_line_of_a_docstring():
    assert summary(adam) == "Adam, with the epsilon of the book."
    assert summary(lambda: None) == ""
