"""A race in a notebook, which a real kernel executes: the table, the pictures and the page show themselves."""

import nbformat
import pytest
from nbclient import NotebookClient

TASK = """
import jax.numpy as jnp
from jaxopt_lite.race import race

def loss(params):
    return jnp.sum((params["x"] - 1) ** 2)

result = race(loss, {"x": jnp.zeros(2)}, None, ["sgd", "adam"], [0.01, 0.1], steps=48)
"""


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell, and all that was written to the standard error."""
    cells = [
        TASK,
        "result",
        "result.plot()",
        "result.plot_lr()",
        "result.report()",
        "result.table()",
        "print(repr(result))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


pytestmark = pytest.mark.slow


def data(outputs):
    (output,) = outputs
    return output["data"]


def test_the_live_table_ends_in_the_verdict_without_a_warning(outputs):
    shown = data(outputs[0])["text/html"]
    assert "<th>best lr</th>" in shown
    assert "sgd wins at a learning rate of 0.1" in shown
    assert not any(output.get("name") == "stderr" for cell in outputs for output in cell)


def test_a_result_shows_its_table_and_both_pictures(outputs):
    shown = data(outputs[1])["text/html"]
    assert "<td>sgd</td>" in shown
    assert shown.count('<img src="data:image/png;base64,') == 2


def test_pictures_draw_themselves(outputs):
    assert data(outputs[2])["image/png"]
    assert data(outputs[3])["image/png"]


def test_a_page_without_a_path_is_shown(outputs):
    assert data(outputs[4])["text/html"].startswith('<iframe srcdoc="&lt;!doctype html&gt;')


def test_the_table_keeps_its_lines(outputs):
    assert data(outputs[5])["text/plain"].splitlines()[-1] == "opt = jaxopt_lite.sgd(lr=0.1)"
    assert outputs[6][0]["text"].startswith("a race of 2 optimizers: sgd wins at a learning rate of 0.1: ")
