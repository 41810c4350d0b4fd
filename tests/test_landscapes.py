"""Landscapes: the functions, the paths down them, pictures, and the page in a real browser."""

import json
import time

import jax
import numpy as np
import pytest
from browser import browser

from jaxopt_lite import adagrad, adam, apply_updates, momentum, sam, sgd
from jaxopt_lite.landscapes import LANDSCAPES, gif, page, png, trajectories

HIMMELBLAU = LANDSCAPES["himmelblau"]
OPTS = {"sgd": sgd(lr=0.01), "adam": adam(lr=0.3), "too fast": sgd(lr=1.0)}
STEPS = 20


@pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES)
def test_minima_are_the_lowest_points_and_flat(x64, landscape):
    assert set(landscape.lrs) == {"sgd", "momentum", "adagrad", "adam"}
    (x_low, x_high), (y_low, y_high) = landscape.view
    for x, y in (landscape.start, *landscape.minima):
        assert x_low < x < x_high
        assert y_low < y < y_high
    for x, y in landscape.minima:
        value, grads = jax.value_and_grad(landscape.f)({"x": x, "y": y})
        np.testing.assert_allclose([value, *grads.values()], 0, atol=1e-12)
    x, y = np.meshgrid(np.linspace(x_low, x_high, 50), np.linspace(y_low, y_high, 50))
    assert (landscape.f({"x": x, "y": y}) >= 0).all()


@pytest.mark.parametrize("opt", [adam(lr=0.1), sam(sgd(lr=0.01))], ids=lambda opt: opt.name)
def test_trajectories_are_those_of_a_plain_loop(x64, opt):
    starts = [(-0.2, -0.8), (3.0, 4.0)]
    paths = trajectories(opt, HIMMELBLAU, starts, 3)
    assert paths.shape == (2, 4, 2)
    for (x, y), path in zip(starts, paths, strict=True):
        params = {"x": x, "y": y}
        state = opt.init(params)
        for point in path:
            np.testing.assert_allclose([params["x"], params["y"]], point, rtol=1e-10)
            updates, state = opt.update(jax.grad(HIMMELBLAU.f)(params), state, params, value_fn=HIMMELBLAU.f)
            params = apply_updates(params, updates)


def test_paths_on_the_books_landscape_end_where_the_books_do(x64):
    book = LANDSCAPES["book"]
    ends = {
        opt: trajectories(opt(lr=book.lrs[opt.__name__]), book, [book.start], 29)[0, -1]
        for opt in (sgd, momentum, adagrad, adam)
    }
    np.testing.assert_allclose(ends[sgd], (-0.387175, -0.094203), atol=1e-6)
    np.testing.assert_allclose(ends[momentum], (0.814112, 0.272878), atol=1e-6)
    np.testing.assert_allclose(ends[adagrad], (-0.136185, 0), atol=1e-6)
    np.testing.assert_allclose(ends[adam], (0.020149, 0.321957), atol=1e-6)


def test_what_leaves_stays_away():
    path = trajectories(sgd(lr=1.0), HIMMELBLAU, [HIMMELBLAU.start], STEPS)[0]
    lost = np.isnan(path).all(1)
    assert not lost[0]
    assert lost[-1]
    assert (np.diff(lost.astype(int)) >= 0).all()
    assert np.isfinite(path[~lost]).all()


def test_each_path_is_lost_by_itself():
    lost, kept = trajectories(sgd(lr=1.0), HIMMELBLAU, [HIMMELBLAU.start, (3, 2)], STEPS)
    assert np.isnan(lost[-1]).all()
    assert np.isfinite(kept).all()


def test_a_start_outside_the_view_is_refused():
    assert HIMMELBLAU.starting_at(6, -6).start == (6, -6)
    with pytest.raises(ValueError, match=r"himmelblau: the start must be in the view, .*, not \(7, 0\)"):
        HIMMELBLAU.starting_at(7, 0)


def test_pictures_show_the_paths(tmp_path):
    image = pytest.importorskip("PIL.Image")
    paths = {f"$ {name}": trajectories(opt, HIMMELBLAU, [HIMMELBLAU.start], 8)[0] for name, opt in OPTS.items()}
    still = {}
    for count in (1, 3):
        png(HIMMELBLAU, dict(list(paths.items())[:count]), tmp_path / "paths.png")
        with image.open(tmp_path / "paths.png") as opened:
            still[count] = np.asarray(opened.convert("RGB")).astype(int)
    assert still[1].std() > 10
    assert (still[1] != still[3]).any(-1).mean() > 0.001

    gif(HIMMELBLAU, paths, tmp_path / "paths.gif")
    with image.open(tmp_path / "paths.gif") as moving:
        assert moving.n_frames == 9
        first = np.asarray(moving.convert("RGB")).astype(int)
        moving.seek(8)
        last = np.asarray(moving.convert("RGB")).astype(int)
    assert first.std() > 10
    assert (abs(first - last).max(-1) > 50).mean() > 0.001


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(HIMMELBLAU, OPTS, STEPS), encoding="utf-8")
    return path


def state(window):
    return {key: json.loads(value) for key, value in window.find_element("id", "paths").get_property("dataset").items()}


def picture(window, canvas="paths"):
    return window.execute_script(f"return document.getElementById({canvas!r}).toDataURL()")


def click(window, x, y):
    from selenium.webdriver import ActionChains  # noqa: PLC0415 - an extra

    canvas = window.find_element("id", "paths")
    left, top = window.execute_script("return toScreen(arguments[0])", [x, y])
    # Selenium counts from the middle.
    left, top = round(left - canvas.size["width"] / 2), round(top - canvas.size["height"] / 2)
    ActionChains(window).move_to_element_with_offset(canvas, left, top).click().perform()


def wait(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_page_shows_the_librarys_paths_from_wherever_one_clicks(written):
    with browser(written) as window:
        assert window.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert state(window)["start"] == list(HIMMELBLAU.start)
        before = None
        for x, y in ((3.1, 4.2), (-4.0, -1.0)):
            click(window, x, y)
            now = state(window)
            assert abs(now["start"][0] - x) < 0.25
            assert abs(now["start"][1] - y) < 0.25
            for opt, end in zip(OPTS.values(), now["ends"], strict=True):
                point = trajectories(opt, HIMMELBLAU, [now["start"]], STEPS)[0, -1]
                if end is None:
                    assert np.isnan(point).all()
                else:
                    np.testing.assert_allclose(end, point, atol=1.5 * 12 / 65534)
            assert [end is None for end in now["ends"]] == [False, False, True]
            window.find_element("id", "slider").send_keys("\ue010")  # End
            assert state(window)["step"] == STEPS
            assert picture(window) != before
            before = picture(window)
        cells = [cell.text for cell in window.find_elements("css selector", "tbody td:last-child")]
        expected = trajectories(OPTS["sgd"], HIMMELBLAU, [now["start"]], STEPS)[0, -1]
        assert float(cells[0]) == pytest.approx(HIMMELBLAU.f(dict(zip("xy", expected, strict=True))), rel=0.01)
        assert cells[2] == "diverged"


@pytest.mark.slow
def test_the_page_plays_hides_and_takes_keys(written):
    with browser(written) as window:
        canvas, play = window.find_element("id", "paths"), window.find_element("id", "play")
        wait(lambda: not state(window)["playing"])
        assert state(window)["step"] == STEPS
        whole = picture(window)
        window.find_element("css selector", "tbody input").click()
        assert state(window)["shown"] == 2
        assert picture(window) != whole
        play.click()
        assert play.text == "Pause"
        wait(lambda: 0 < state(window)["step"] < STEPS)
        play.click()
        assert not state(window)["playing"]
        x, y = state(window)["start"]
        canvas.send_keys("\ue014\ue013")  # arrows to the right and up
        right, up = state(window)["start"]
        assert 0 < right - x < 1
        assert 0 < up - y < 1
        canvas.send_keys(" ")
        assert not state(window)["playing"]
        click(window, 3, 2)
        assert "(3" in window.find_element("id", "pointer").text or "(2.9" in window.find_element("id", "pointer").text


@pytest.mark.slow
def test_the_page_on_a_phone_in_the_dark_without_motion(written):
    pictures = {}
    for dark in (False, True):
        with browser(written, width=390, height=844, dark=dark) as window:
            width = window.execute_script("return document.documentElement.scrollWidth")
            assert width == 390
            pictures[dark] = picture(window, "relief")
            colours = "const {data} = relief.getContext('2d').getImageData(60, 60, 200, 200); return new Set(data).size"
            assert window.execute_script(colours) > 20
            if dark:
                reduced = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
                window.execute_cdp_cmd("Emulation.setEmulatedMedia", reduced)
                window.refresh()
                assert state(window)["step"] == STEPS
                click(window, 1, 1)
                assert state(window)["step"] == STEPS
    assert pictures[False] != pictures[True]


def test_a_hostile_name_is_text(tmp_path):
    name = "</script><img src=x onerror=alert(1)>{{data}}"
    path = tmp_path / "page.html"
    path.write_text(page(HIMMELBLAU._replace(name=name, equation=name), {name: sgd()}, 2), encoding="utf-8")
    with browser(path, width=390) as window:
        assert window.find_element("tag name", "h1").text == name
        assert name in window.find_element("tag name", "tbody").text
        assert not window.find_elements("tag name", "img")
        assert window.execute_script("return document.documentElement.scrollWidth") == 390


def test_a_page_is_small_however_many_steps_and_optimizers():
    for count, steps in ((4, 60), (7, 1000)):
        text = page(HIMMELBLAU, {str(i): sgd(lr=0.001 * (i + 1)) for i in range(count)}, steps)
        assert len(text) < 1_500_000
        data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
        assert (data["steps"][0], data["steps"][-1]) == (0, steps)
        assert len(data["steps"]) <= 100
        assert data["columns"][data["start"][0]] == pytest.approx(HIMMELBLAU.start[0])
