"""Headless Chromium: a new empty profile for every browser, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_BROWSERS_OWN = ("chrome:", "chrome-untrusted:")


class Page:
    """A page in a browser of its own.

    Attributes:
        driver: selenium's.
    """

    def __init__(self, driver: Any):
        self.driver = driver

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script; `return` included by the caller."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        """The first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def find_all(self, selector: str) -> list[Any]:
        """All elements of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> Any:
        """Waits for a condition and gives its value."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.02).until(lambda _: condition())

    def pixels(self, selector: str = ".player-frames canvas") -> list[str]:
        """What the canvases show, as data addresses."""
        script = "return [...document.querySelectorAll(arguments[0])].map((c) => c.toDataURL())"
        return self.run(script, selector)

    def color(self, selector: str, what: str = "color") -> str:
        """A computed colour."""
        script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        return self.run(script, selector, what)

    def requests(self) -> list[str]:
        """Every address that the page asked for since the last call."""
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            # a new profile opens the browser's own first page, which is not ours
            if not message["params"].get("documentURL", "").startswith(_BROWSERS_OWN):
                asked.append(message["params"]["request"]["url"])
        return asked

    def assert_quiet(self) -> None:
        """No line on the console, and nothing asked for but files and data."""
        console = [(e["level"], e["message"]) for e in self.driver.get_log("browser")]
        assert console == []
        asked = self.requests()
        assert asked, "the log of requests is empty: even the page itself is not in it"
        assert [a for a in asked if not a.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`browser(path, width=1280, dark=False)`: opens a file in a new browser."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(programs):
        pytest.skip("chromium and chromedriver (Debian's chromium-driver) are not installed")
    from selenium.webdriver.chrome.service import Service

    with contextlib.ExitStack() as open_ones:

        def start(path: Path, width: int = 1280, dark: bool = False) -> Page:
            options = selenium.ChromeOptions()
            options.binary_location = programs[0]
            profile = tmp_path / f"profile-{len(list(tmp_path.glob('profile-*')))}"
            for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900"):
                options.add_argument(flag)
            if width < 500:  # a desktop window cannot be so narrow
                metrics = {"width": width, "height": 800, "pixelRatio": 2.0}
                options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
            options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
            driver = selenium.Chrome(options, Service(programs[1], log_output=os.devnull))
            open_ones.callback(driver.quit)
            preference = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
            driver.get(path.resolve().as_uri())
            return Page(driver)

        yield start
