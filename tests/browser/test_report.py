"""The report in a real Chromium: it draws, answers, prints, asks for nothing, and is fit for everybody."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeps.analysis.explain import Explanation
from sweeps.record import SweepRecord
from sweeps.report.charts.all import charts_of
from sweeps.report.html import report_html
from tests.browser.chromium import Seen, axe, keep_screenshot
from tests.made_search import search

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHARTS = [
    "history",
    "finalists",
    "residuals",
    "importance",
    "parallel",
    "slices",
    "contour",
    "rank",
    "curves",
    "edf",
    "failures",
    "timeline",
]
EVIL = (
    '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}\u2028`${1}`',
    "</script><!--<b>$x_{</title>",
)
INK = """(name) => {
    const canvas = document.querySelector(`[data-chart=${name}] canvas`);
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer;
    const seen = new Uint32Array(pixels);
    return seen.reduce((n, p) => n + (p !== seen[0]), 0);
}"""
"""How many pixels of a chart differ from its first one."""


def written(folder: Path, record: SweepRecord) -> str:
    """Write a page; give its address."""
    found = Explanation(record)
    path = folder / "report.html"
    path.write_text(report_html(found, charts_of(found)), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a sweep of 300 trials with branches, failures and pruning."""
    return written(tmp_path_factory.mktemp("report"), search(300))


def inks(page: "Page") -> dict[str, int]:
    """How much is drawn on the first panel of each chart."""
    names = page.eval_on_selector_all(".plot", "all => all.map(plot => plot.dataset.chart)")
    return {name: int(page.evaluate(INK, name)) for name in dict.fromkeys(names)}


def test_every_chart_is_drawn_and_nothing_is_asked_for(page: "Page", seen: Seen, address: str) -> None:
    page.goto(address)
    drawn = inks(page)
    assert list(drawn) == CHARTS
    assert min(drawn.values()) > 500, drawn
    assert seen.errors == seen.network == []
    keep_screenshot(page, "report-300", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_no_serious_accessibility_finding(page: "Page", address: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert axe(page) == []


def test_headings_are_in_order_and_every_chart_has_words_and_a_table(page: "Page", address: str) -> None:
    page.goto(address)
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    labels = page.eval_on_selector_all(".plot", "all => all.map(p => p.getAttribute('aria-label'))")
    assert min(map(len, labels)) > 60
    assert page.locator("section:has(.plot) table tbody tr").count() > len(CHARTS)


def test_the_legend_hides_marks_and_the_pointer_tells_the_trial(page: "Page", address: str) -> None:
    page.goto(address)
    plot = page.locator("[data-chart=history]")
    plot.scroll_into_view_if_needed()
    before = page.evaluate(INK, "history")
    plot.click(position={"x": 40, "y": 11})
    page.wait_for_function(f"before => ({INK})('history') < 0.8 * before", arg=before)
    bars = page.locator("[data-chart=importance]")
    bars.scroll_into_view_if_needed()
    before, box = page.evaluate(INK, "importance"), bars.bounding_box()
    assert box is not None
    bars.hover(position={"x": box["width"] / 4, "y": 72})
    page.wait_for_function(f"before => ({INK})('importance') !== before", arg=before)


def test_dark_is_dark_and_changes_while_it_is_shown(page: "Page", address: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(address)
    corner = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(corner) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(corner) == "rgb(20, 23, 27)"
    assert min(inks(page).values()) > 500
    keep_screenshot(page, "report-dark")


def test_a_phone_shows_it_without_scrolling_aside(page: "Page", seen: Seen, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert min(inks(page).values()) > 500
    assert axe(page) == seen.errors == []
    keep_screenshot(page, "report-phone", full_page=True)


def test_it_prints_every_chart_in_light_colours(
    page: "Page", seen: Seen, address: str, tmp_path: Path
) -> None:
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(address)
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert pdf.count(b"/Subtype /Image") >= len(CHARTS)
    assert seen.errors == []


@pytest.mark.parametrize("evil", EVIL)
def test_foreign_text_stays_text(page: "Page", seen: Seen, tmp_path: Path, evil: str) -> None:
    made = search(40)
    trials = [_tainted(t, evil) for t in made.trials]
    ranges = [replace(r, label=r.label if r.label == "model" else r.label + evil) for r in made.ranges]
    settings = {**made.settings, "space": evil, evil: evil}
    record = replace(made, name=evil, experiment=evil, trials=trials, ranges=ranges, settings=settings)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(written(tmp_path, record))
    assert page.locator("h1").inner_text().strip() == evil.strip()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    assert min(inks(page).values()) > 200
    assert seen.errors == seen.network == []


def _tainted(finished: Any, evil: str) -> Any:
    proposal, outcome = finished.trial.proposal, finished.outcome
    point = {k if k == "model" else k + evil: v for k, v in proposal.point.items()}
    params = {**proposal.params, f"name{evil}": evil}
    error = f"Traceback\nValueError: {evil}" if outcome.error else None
    trial = replace(finished.trial, proposal=replace(proposal, point=point, params=params))
    return replace(finished, trial=trial, outcome=replace(outcome, error=error))


def test_a_script_that_gets_in_is_not_run(page: "Page", seen: Seen, address: str, tmp_path: Path) -> None:
    """The policy of the page stops what escaping might have missed."""
    source = Path(address.removeprefix("file://")).read_text("utf-8")
    (tmp_path / "broken.html").write_text(
        source.replace("<h1>", "<script>document.title = 'taken'</script><h1>")
    )
    page.goto((tmp_path / "broken.html").as_uri())
    assert page.title() != "taken"
    assert "Content Security Policy" in " ".join(seen.console_errors)


@pytest.mark.parametrize("trials", [0, 3])
def test_a_short_sweep_has_a_page_too(page: "Page", seen: Seen, tmp_path: Path, trials: int) -> None:
    page.goto(written(tmp_path, search(trials)))
    assert "cannot be said" in page.locator("#findings").inner_text()
    assert seen.errors == axe(page) == []
