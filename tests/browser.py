"""A real browser without a window, for the tests of pages."""

import shutil
from contextlib import contextmanager

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def browser(page, *, width=1200, height=900, dark=False):
    """The page opened in headless Chromium: a selenium driver, with which to click and to take screenshots.

    On leaving, whatever the page has complained of on its console fails the test. Skips where there is no Chromium.
    """
    selenium = pytest.importorskip("selenium.webdriver")
    chromium, driver = next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium and chromedriver on this machine")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "no-first-run",
        f"window-size={width},{height}",
        *(["force-dark-mode"] if dark else []),
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = selenium.Chrome(options, selenium.ChromeService(driver))
    try:
        # Narrower windows than Chromium allows of itself are a phone's.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        window.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
        )
        window.get(page.resolve().as_uri())
        yield window
        assert [entry["message"] for entry in window.get_log("browser")] == []
    finally:
        window.quit()
