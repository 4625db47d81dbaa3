"""A real Chromium for tests, and what it saw: console, errors, requests, findings of axe-core."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.missing import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
"""Where the test run keeps them; git ignores the folder."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",  # Chromium refuses to start as root with it
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm of a container is too small
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]

PATIENCE = 60_000
"""Milliseconds for anything to appear; a loaded machine takes its time."""


@dataclass
class Seen:
    """What a page did since it was made."""

    console_errors: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """The URLs, with ``file:``, ``data:`` and ``blob:``."""

    @property
    def errors(self) -> list[str]:
        return self.console_errors + self.page_errors

    @property
    def network(self) -> list[str]:
        """The requests that left the page's own file."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:", "about:"))]


def chromium_path() -> str:
    """Give the Chromium of this machine; skips where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or missing("Chromium is not installed")


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Run a headless Chromium; skips where it or its driver is missing."""
    reason = "Playwright is not installed (pip install '.[test]')"
    api = pytest.importorskip("playwright.sync_api", reason=reason)
    program = chromium_path()
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def watch(page: "Page") -> Seen:
    """Take note of everything a page does."""
    seen = Seen()
    page.on("console", lambda m: seen.console_errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.page_errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    return seen


def keep_screenshot(page: "Page", name: str, **options: Any) -> Path:
    """Keep a picture of a page, ``screenshots/<name>.png``."""
    SCREENSHOTS.mkdir(exist_ok=True)
    path = SCREENSHOTS / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
    page.screenshot(path=path, timeout=PATIENCE, **options)
    return path


def axe(page: "Page", within: str | None = None) -> list[str]:
    """Give the serious and critical findings of axe-core: rule, help, and the elements.

    Args:
        page: what to look at.
        within: a CSS selector; else the whole page.
    """
    reason = "axe-core is not installed (pip install '.[test]')"
    checker = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe()
    found = checker.run(page, context=within).response["violations"]
    return [_finding(v) for v in found if v["impact"] in ("serious", "critical")]


def _finding(violation: dict[str, Any]) -> str:
    elements = "\n".join(
        f"    {' '.join(map(str, n['target']))}  {n['html'][:160]}" for n in violation["nodes"]
    )
    return f"{violation['id']} ({violation['impact']}): {violation['help']}\n{elements}"
