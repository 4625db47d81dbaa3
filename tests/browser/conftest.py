"""Fixtures for tests in a real Chromium.

``browser`` is one Chromium per test file (while it runs, other tests of its process cannot use asyncio),
``page`` a fresh page per test, ``seen`` what that page did. After a test its page is kept as
``screenshots/<test>.png``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import PATIENCE, Seen, chromium, keep_screenshot, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium; skips where it is missing."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest) -> Iterator["Page"]:
    """An empty page, 1440 by 900 pixels, with cookies and storage of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    yield page
    keep_screenshot(page, request.node.name)
    context.close()


@pytest.fixture
def seen(page: "Page") -> Seen:
    """What the page of this test does: console errors, page errors, requests.

    Ask for it (with ``page``) before the page goes anywhere.
    """
    return watch(page)
