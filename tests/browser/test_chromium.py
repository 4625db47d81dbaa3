"""The harness itself: it sees what a page does wrong."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.chromium import SCREENSHOTS, Seen, axe, keep_screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Page

BAD = """<!doctype html><html lang="en"><title>bad</title><main><h1>bad</h1>
<img src="http://127.0.0.1:9/missing.png"><script>console.error("said");
throw new Error("thrown")</script></main>"""
GOOD = '<!doctype html><html lang="en"><title>good</title><main><h1>good</h1></main>'


def test_errors_requests_and_findings_are_seen(page: "Page", seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(BAD)
    page.goto((tmp_path / "bad.html").as_uri())
    assert "said" in seen.console_errors
    assert seen.page_errors == ["thrown"]
    assert seen.network == ["http://127.0.0.1:9/missing.png"]
    assert [finding.split()[0] for finding in axe(page)] == ["image-alt"]


def test_a_good_page_has_none_and_its_picture_is_kept(page: "Page", seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text(GOOD)
    page.goto((tmp_path / "good.html").as_uri())
    assert seen.errors == seen.network == axe(page) == axe(page, within="main") == []
    assert keep_screenshot(page, "a good page").read_bytes().startswith(b"\x89PNG")
    assert (SCREENSHOTS / "a-good-page.png").exists()
