"""The report in a real Chromium: it draws, answers, prints, asks for nothing, and is fit for everybody."""

import re
import zlib
from collections import Counter
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
"""How many pixels of a chart's first panel differ from its first one."""
MARKS = """() => [...document.querySelectorAll('.plot')].map((box) => {
    const chart = echarts.getInstanceByDom(box), zr = chart.getZr(), canvas = box.querySelector('canvas');
    const pixels = () => new Uint32Array(
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const part = (el) => el && (el.__ecComponentInfo || part(el.parent));
    const kinds = ['series', 'markLine'];
    const marks = zr.storage.getDisplayList(true).filter(
        (el) => !el.invisible && kinds.includes((part(el) || {}).mainType));
    const show = (shown) => { marks.forEach((el) => el.attr('invisible', !shown)); zr.refreshImmediately(); };
    const before = pixels();
    show(false);
    const without = pixels();
    show(true);
    const drawn = new Set(marks.map(part).filter((one) => one.mainType === 'series').map((one) => one.index));
    const missing = chart.getOption().series.filter((one, i) => one.data.length && !drawn.has(i));
    return {name: `${box.dataset.chart} ${box.dataset.panel}`, missing: missing.map((one) => one.name),
            pixels: before.reduce((n, p, i) => n + (p !== without[i]), 0)};
})"""
"""What each panel shows of its data: the pixels that change when the marks of its series are hidden, and the
names of series without any mark. Axes, legends and tools are no marks."""
TEXTS = """(name) => echarts.getInstanceByDom(document.querySelector(`[data-chart=${name}]`)).getZr()
    .storage.getDisplayList(true).map((el) => el.style && el.style.text).filter((text) => text)"""
"""The texts that are drawn on a chart's first panel."""
HIGHEST = """() => {
    const {data} = JSON.parse(document.getElementById('data').textContent).charts.history[0].series[0];
    const [x, y, trial] = data.reduce((one, other) => (other[1] > one[1] ? other : one));
    const chart = echarts.getInstanceByDom(document.querySelector('[data-chart=history]'));
    return [...chart.convertToPixel({seriesIndex: 0}, [x, y]), trial];
}"""
"""Where the trial with the highest rmse stands on the history, and its number."""
NEAR = """(colour) => [...document.querySelectorAll('.plot canvas')].map((canvas) => {
    const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const near = (i) => colour.every((value, part) => Math.abs(all[i + part] - value) < 4);
    let found = 0;
    for (let i = 0; i < all.length; i += 4) found += all[i + 3] > 250 && near(i);
    return found;
})"""
"""How many pixels of each panel have a colour."""
SOFT = {"dark": (169, 177, 187), "print": (68, 68, 68)}
"""The colour of axes and their figures, from ``report.css``."""
MARKED = {
    "dark": [(86, 180, 233), (240, 163, 94), (240, 139, 189)],
    "print": [(0, 114, 178), (179, 71, 0), (163, 25, 91)],
}
"""Colours of marks, which nothing else has: main, test and bad."""


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


def marks(page: "Page") -> dict[str, int]:
    """How much each panel of each chart shows of its data."""
    found = page.evaluate(MARKS)
    assert [(one["name"], one["missing"]) for one in found if one["missing"]] == []
    return {one["name"]: one["pixels"] for one in found}


def test_every_chart_is_drawn_and_nothing_is_asked_for(page: "Page", seen: Seen, address: str) -> None:
    page.goto(address)
    drawn = marks(page)
    assert list(dict.fromkeys(name.partition(" ")[0] for name in drawn)) == CHARTS
    assert len(drawn) > len(CHARTS), "the slices have a panel for each hyperparameter"
    assert min(drawn.values()) > 100, drawn
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


def test_the_legend_hides_marks(page: "Page", address: str) -> None:
    page.goto(address)
    plot = page.locator("[data-chart=history]")
    plot.scroll_into_view_if_needed()
    before = page.evaluate(INK, "history")
    plot.click(position={"x": 40, "y": 11})
    page.wait_for_function(f"before => ({INK})('history') < 0.8 * before", arg=before)


def test_the_pointer_tells_the_trial(page: "Page", address: str) -> None:
    page.goto(address)
    plot = page.locator("[data-chart=history]")
    plot.scroll_into_view_if_needed()
    box, (x, y, number) = plot.bounding_box(), page.evaluate(HIGHEST)
    assert box is not None
    assert not [text for text in page.evaluate(TEXTS, "history") if text.startswith("trial ")]
    page.mouse.move(box["x"] + x, box["y"] + y)
    start = f"trial {number}: "
    page.wait_for_function(f"start => ({TEXTS})('history').some(text => text.startsWith(start))", arg=start)
    told, finished = page.evaluate(TEXTS, "history"), search(300).trials[number]
    [head] = [text for text in told if text.startswith(start)]
    assert head == f"{start}COMPLETE, rmse {finished.outcome.rmse:.5g}, 1.6 s"
    params = finished.trial.proposal.params
    written = {name: f"{v:.5g}" if isinstance(v, float) else str(v) for name, v in params.items()}
    assert {f"{name} = {value}" for name, value in written.items()} <= set(told)


def test_dark_is_dark_and_changes_while_it_is_shown(page: "Page", address: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(address)
    corner = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(corner) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(corner) == "rgb(20, 23, 27)"
    wait_for_colour(page, "dark")
    assert min(marks(page).values()) > 100
    keep_screenshot(page, "report-dark")


def test_a_phone_shows_it_without_scrolling_aside(page: "Page", seen: Seen, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert min(marks(page).values()) > 100
    assert axe(page) == seen.errors == []
    keep_screenshot(page, "report-phone", full_page=True)


def test_print_has_light_colours_also_where_the_screen_is_dark(
    page: "Page", seen: Seen, address: str
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    wait_for_colour(page, "dark")
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    wait_for_colour(page, "print")
    assert max(page.evaluate(NEAR, SOFT["dark"])) < 50
    assert min(marks(page).values()) > 100
    page.emulate_media(color_scheme="dark", media="null")
    wait_for_colour(page, "dark")
    assert seen.errors == []


def wait_for_colour(page: "Page", scheme: str) -> None:
    """Wait until all panels are drawn in the colours of a scheme."""
    page.wait_for_function(f"(colour) => Math.min(...({NEAR})(colour)) > 50", arg=SOFT[scheme])


def test_a_dark_page_is_printed_with_its_charts_in_light_colours(
    page: "Page", seen: Seen, address: str
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    printed = colours_of(page.pdf(format="A4"))
    assert all(printed[colour] > 20 for colour in MARKED["print"]), printed
    assert all(printed[colour] == 0 for colour in MARKED["dark"]), printed
    assert seen.errors == []


def colours_of(pdf: bytes) -> Counter[tuple[int, int, int]]:
    """How often a PDF of Chromium sets each colour; charts are lines and areas in it, no pictures."""
    found = Counter[tuple[int, int, int]]()
    for stream in re.finditer(rb"/FlateDecode[^>]*>>\s*stream\r?\n", pdf):
        drawn = zlib.decompressobj().decompress(pdf[stream.end() :])
        for colour in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", drawn):
            red, green, blue = (round(255 * float(part)) for part in colour)
            found[red, green, blue] += 1
    return found


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
    assert min(marks(page).values()) > 30
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
