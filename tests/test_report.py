"""The page of a race, in a real browser."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from browser import browser

from jaxopt_lite.race import race, report, table

HOSTILE = "</script><b id='broken'>\"quoted\" & 'more'"
OPTIMIZERS, RATES = ("sgd", "momentum", "adagrad", "adam"), [1e-4, 1e-3, 0.01, 0.1, 100.0]
SVG = "http://www.w3.org/2000/svg"


@pytest.fixture(scope="module")
def result():
    """A curved valley, in which some lanes diverge, some are taken out, and some get far."""

    def loss(w):
        return jnp.square(1 - w[0]) + 100 * jnp.square(w[1] - jnp.square(w[0]))

    return race(loss, lambda key: jax.random.normal(key, (2,)), None, OPTIMIZERS, RATES, seeds=2, steps=240, show=None)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("race") / "race.html"


@pytest.fixture(scope="module")
def shared(result, path):
    """One window for most tests, since a browser takes long to start."""
    result.report(path)
    with browser(path) as window:
        yield window


@pytest.fixture
def look(result, path, shared):
    """Opens the page of the race, or of another result like it."""

    def look(changed=result):
        changed.report(path)
        shared.get(path.as_uri())
        return shared

    return look


def renamed(result, name):
    """The result, with another name, and another call, for its winner."""
    winner = result.rows[0].name
    lanes = (lane._replace(name=name, call=f"{name}(1)") if lane.name == winner else lane for lane in result.lanes)
    return dataclasses.replace(result, lanes=tuple(lanes))


def find(window, selector):
    return window.find_elements("css selector", selector)


def texts(window, selector):
    return [element.text for element in find(window, selector)]


def point_at(window, element, kind="Moved", **more):
    """Moves the mouse to the middle of a mark, or of a curve's length, or presses or releases it there."""
    x, y = window.execute_script(
        """const [element] = arguments, curve = element.matches(".lane");
        element.scrollIntoView({block: "center"});
        const r = (curve ? element.ownerSVGElement : element).getBoundingClientRect();
        const at = curve ? element.getPointAtLength(element.getTotalLength() / 2) : {x: r.width / 2, y: r.height / 2};
        return [r.x + at.x, r.y + at.y]""",
        element,
    )
    window.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": f"mouse{kind}", "x": x, "y": y, **more})


def click(window, element):
    for kind in ("Pressed", "Released"):
        point_at(window, element, kind, button="left", clickCount=1)


def test_the_page_holds_what_the_race_says(look, result):
    window = look()
    assert texts(window, "h1") == ["A race of 4 optimizers"]
    assert texts(window, "#line") == [result.line]
    assert texts(window, "#summary") == [table.summary(result)]
    assert texts(window, "thead th[scope=col]") == ["place", *table.titles(result)[1:]]
    rows = [[cell.text for cell in row.find_elements("css selector", "td, th")] for row in find(window, "tbody tr")]
    assert rows == [list(table.cells(result, row)) for row in result.rows]
    assert texts(window, "tbody th[scope=row]") == [row.name for row in result.rows]


def test_draws_every_lane(look, result):
    window = look()
    curves = find(window, "#curves .lane")
    assert sorted(int(curve.get_attribute("data-lane")) for curve in curves) == sorted(r.lane for r in result.rows)
    assert all(curve.size["width"] > 300 and curve.size["height"] > 20 for curve in curves)
    marks = find(window, "#rates [data-lane]")
    assert len(marks) == len(result.lanes)
    out = ~result.diverged & (result.reached < result.reached.max())
    beyond = len(find(window, "#rates .beyond"))
    assert result.diverged.any()
    assert out.any()
    assert len(find(window, "#rates .cross")) == result.diverged.sum()
    assert len(find(window, "#rates .score")) == (~result.diverged).sum() - beyond
    hollow = [
        mark for mark in find(window, "#rates .score, #rates .beyond") if "--paper" in mark.get_attribute("style")
    ]
    assert len(hollow) == out.sum()
    assert len(find(window, "#rates .spread")) == (~result.diverged & ~out).sum()


def test_pointing_tells_the_numbers(look, result):
    row = result.rows[0]
    window = look()
    assert not find(window, "#rates .tip")[0].is_displayed()
    point_at(window, find(window, f"#rates [data-lane='{row.lane}']")[0])
    name, rate, score = find(window, "#rates .tip")[0].text.split("\n")
    assert (name, rate) == (row.name, f"learning rate: {row.lr:g}")
    assert score.startswith("score: ")
    assert float(score.split()[1]) == pytest.approx(row.score, rel=1e-3)
    point_at(window, find(window, f"#curves [data-lane='{row.lane}']")[0])
    name, rate, step, value = find(window, "#curves .tip")[0].text.split("\n")
    steps, values = result.curves[name][float(rate.split()[-1])]
    at = int(np.flatnonzero(steps == int(step.split()[-1]))[0])
    assert float(value.split()[-1]) == pytest.approx(values[at], rel=1e-3)


def test_a_lane_can_be_followed(look, result):
    lane = next(i for i in np.flatnonzero(~result.diverged) if i not in {row.lane for row in result.rows})
    window = look()
    click(window, find(window, f"#rates [data-lane='{lane}']")[0])
    assert [x.get_attribute("data-lane") for x in find(window, "#curves .picked")] == [str(lane)]
    assert texts(window, "#picked code") == [result.lanes[lane].call]
    find(window, "tbody tr")[1].click()
    picked = [x.get_attribute("data-lane") for x in find(window, "#curves .picked")]
    assert picked == [str(result.rows[1].lane)]
    assert texts(window, "tr.picked th") == [result.rows[1].name]
    find(window, "#drop")[0].click()
    assert find(window, ".picked") == []
    assert not find(window, "#picked")[0].is_displayed()


def test_the_keyboard_goes_through_the_points(look, result):
    window = look()
    plot = find(window, "#rates")[0]
    plot.send_keys("\ue014")  # right
    assert find(window, "#rates .tip")[0].text.startswith(f"{result.lanes[0].name}\nlearning rate: 0.0001")
    plot.send_keys("\ue014\ue007")  # right, enter
    assert texts(window, "#picked code") == [result.lanes[1].call]
    plot.send_keys("\ue00c")  # escape
    assert not find(window, "#picked")[0].is_displayed()


def test_the_controls_change_the_drawings(look, result):
    window = look()

    def shape():
        return [curve.get_attribute("d") for curve in find(window, "#curves .lane")]

    before = shape()
    find(window, "#log")[0].click()
    assert len(shape()) == len(before)
    assert not set(before) & set(shape())
    find(window, "#log")[0].click()
    assert shape() == before
    find(window, "#legend input")[0].click()
    assert len(shape()) == len(OPTIMIZERS) - 1
    assert len(find(window, "#rates [data-lane]")) == len(result.lanes) - len(RATES)
    find(window, "#all")[0].click()
    finite = [i for i, lane in enumerate(result.lanes) if lane.name != result.rows[0].name]
    assert {int(x.get_attribute("data-lane")) for x in find(window, "#curves .lane")} <= set(finite)
    assert len(shape()) > len(OPTIMIZERS)
    find(window, "#hide")[0].click()
    assert shape() == []
    find(window, "#show")[0].click()
    assert len(find(window, "#rates [data-lane]")) == len(result.lanes)


def test_on_a_phone_it_fits_fetches_nothing_and_follows_the_colours_of_the_system(result, tmp_path):
    result.report(tmp_path / "race.html")
    text = (tmp_path / "race.html").read_text()
    assert re.findall(r"(?:src|href)\s*=\s*(?!\"data:,\")|@import|https?:", text.replace(SVG, "")) == []
    with browser(tmp_path / "race.html", width=390) as window:
        ask = window.execute_script
        assert ask("return performance.getEntriesByType('resource').length") == 0
        assert ask("return document.documentElement.scrollWidth") <= 390
        assert ask("const box = document.querySelector('.scroll'); return box.scrollWidth > box.clientWidth")
        sizes = "return [...document.querySelectorAll('body *')].map(x => parseFloat(getComputedStyle(x).fontSize))"
        assert min(ask(sizes)) >= 12
        colours = """return [[document.body, "backgroundColor"], [document.querySelector(".lane"), "stroke"]]
            .map(([element, of]) => getComputedStyle(element)[of])"""
        light = ask(colours)
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        dark = ask(colours)
    assert (light[0], dark[0]) == ("rgb(255, 254, 251)", "rgb(22, 23, 25)")
    assert light[1] != dark[1]


def test_hostile_names_stay_text(look, result):
    window = look(renamed(result, HOSTILE))
    assert find(window, "#broken") == []
    assert texts(window, "#line")[0].startswith(f"opt = {HOSTILE}(1)")
    assert texts(window, "tbody th")[0] == HOSTILE
    assert find(window, "#legend label")[0].get_attribute("title") == HOSTILE


def test_every_lane_diverged(look, result):
    losses = np.where(np.arange(result.losses.shape[-1]) < 5, result.losses, np.nan)
    dead = dataclasses.replace(result, losses=losses, values=np.full_like(result.values, np.nan))
    window = look(dead)
    assert texts(window, "#verdict") == ["Every lane diverged, so that none is best; try lower learning rates."]
    assert not find(window, "#winner")[0].is_displayed()
    assert len(find(window, "#rates .cross")) == len(result.lanes)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_one_lane_without_a_rate(look, result, mode):
    one = {name: getattr(result, name)[:1, :1] for name in ("losses", "values")}
    lanes = (result.lanes[0]._replace(lr=float("nan")),)
    window = look(dataclasses.replace(result, lanes=lanes, reached=result.reached[:1], mode=mode, **one))
    assert len(find(window, "#curves .lane")) == len(find(window, "#rates .score")) == 1
    assert "its own" in texts(window, "#rates text")
    assert find(window, "#rates .spread") == []


def test_curves_are_thinned(result):
    text = re.search(r'id="race">(.*)</script>', report.page(dataclasses.replace(result, evaluated=False)))[1]
    longest = max((lane["values"] for lane in json.loads(text)["lanes"]), key=len)
    assert len(longest) == report.POINTS
