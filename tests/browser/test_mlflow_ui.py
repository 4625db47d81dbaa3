"""What the MLflow UI shows at our links: one real server, one real sweep, a real Chromium."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sweeps import run_sweep
from sweeps.cli.ui import ui_command
from sweeps.record import SweepRecord
from sweeps.selection import rank
from sweeps.tracking import links
from sweeps.tracking.dress import colours as colours_of
from sweeps.trial import Finished, State
from tests.browser.chromium import Seen
from tests.laws.make import write_space
from tests.stores import mlflow_server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

MARKUP = (
    "<img src=//127.0.0.1:9/a.png> ![b](//127.0.0.1:9/b.png) **bold** `code` | www.evil.example @all &lt;"
)
NAME = "<i>first</i> & **best** | sweep"
SPACE = f"""
from sklearn.linear_model import Ridge
from xgboost import XGBRegressor

class Evil(Ridge):
    def fit(self, X, y, sample_weight=None):
        raise ValueError({MARKUP!r})

SPACE = hp.pchoice("model", [
    (0.8, {{
        "model": XGBRegressor,
        "n_estimators": 12,
        "learning_rate": hp.uniform("learning_rate", 0.1, 0.6),
        "max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)),
        "subsample": hp.uniform("subsample", 0.5, 1),
    }}),
    (0.2, {{"model": Evil, "alpha": hp.uniform("alpha", 0, 1)}}),
])
"""
ASSISTANT = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
"""As in a browser that has seen MLflow before, where the panel does not open by itself."""


@dataclass(frozen=True)
class Site:
    """A server, a sweep on it, and what ``sweeps ui`` says of it."""

    base: str
    record: SweepRecord
    ui: str
    compare: str

    def run(self, tab: str = "") -> str:
        return links.run_link(self.base, self.record.experiment_id, self.record.run_id, tab)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with mlflow_server(folder) as base:
        space = write_space(folder, SPACE)
        places: dict[str, Any] = {"tracking_uri": base, "results": folder / "results"}
        record = run_sweep(space, "diabetes", trials=14, seed=3, engine="serial", name=NAME, **places)
        asked = CliRunner().invoke(ui_command, ["last", "--no-open", "--json", "--tracking-uri", base])
        answer = json.loads(asked.stdout)
        yield Site(base, record, answer["ui"], answer["compare"])


@pytest.fixture
def page(page: "Page") -> "Page":
    page.add_init_script(ASSISTANT)
    return page


def trial_links(page: "Page") -> "Locator":
    """Give the links of the runs in the table, from above, once they are there."""
    found = page.locator("[role=row] a[href*='/runs/']").filter(has_text="trial-")
    found.first.wait_for()
    return found


def trial_names(trials: Iterable[Finished]) -> list[str]:
    return [f"trial-{t.number:04d}" for t in trials]


def followed(page: "Page", name: str) -> "Page":
    """Follow a link in a description, which opens a page of its own."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name=name).click()
    return opened.value


def section(page: "Page", title: str) -> "Locator":
    return page.get_by_test_id("experiment-view-compare-runs-section-header").filter(has_text=title)


def is_clean(seen: Seen, site: Site) -> bool:
    """Whether nothing was thrown, and nobody but the server was asked."""
    return not seen.page_errors and all(url.startswith(site.base) for url in seen.network)


def test_the_sweep_is_worth_looking_at(site: Site) -> None:
    assert site.record.count(State.COMPLETE) > 10
    assert site.record.count(State.FAILED) >= 1
    assert site.record.model is not None


def test_the_view_lists_the_trials_by_rmse_beside_their_charts(site: Site, page: "Page", seen: Seen) -> None:
    page.goto(site.ui)
    section(page, "Course of the sweep").wait_for()
    names, ranked = trial_links(page).all_inner_texts(), trial_names(rank(site.record.trials))
    assert names[: len(ranked)] == ranked
    assert sorted(names) == trial_names(site.record.trials)
    colours = page.get_by_test_id("experiment-view-table-run-color").locator("input")
    assert [dot.input_value() for dot in colours.all()] == list(colours_of(site.record.trials).values())
    axes = page.locator(".parcoords .label")
    axes.first.wait_for()
    assert axes.all_text_contents() == ["learning_rate", "max_depth", "subsample", "rmse"]
    assert "(2)" in section(page, "Course of the sweep").inner_text()
    assert "(3)" in section(page, "rmse by param").inner_text()
    assert page.get_by_test_id("saved-views-trigger").inner_text() == NAME
    assert is_clean(seen, site)


def test_the_table_of_the_view_has_the_columns_that_matter(site: Site, page: "Page", seen: Seen) -> None:
    page.set_viewport_size({"width": 1900, "height": 900})
    page.goto(site.ui.replace("CHART", "TABLE"))
    assert trial_links(page).count() == len(site.record.trials)
    heads = " ".join(page.get_by_role("columnheader").all_inner_texts())
    for column in ("rmse", "fit_seconds", "Models", "learning_rate", "max_depth", "subsample"):
        assert column in heads
    assert "Dataset" not in heads
    assert page.get_by_role("link", name="diabetes-regressor").count() == 1
    assert is_clean(seen, site)


def test_the_link_without_a_view_shows_the_same_trials(site: Site, page: "Page") -> None:
    page.goto(links.trials_link(site.base, site.record.experiment_id, site.record.run_id))
    ranked = trial_names(rank(site.record.trials))
    assert trial_links(page).all_inner_texts()[: len(ranked)] == ranked


def test_the_page_of_the_sweep_has_its_trials_and_a_description_that_is_text(
    site: Site, page: "Page", seen: Seen
) -> None:
    page.goto(site.run())
    page.get_by_role("heading", name=NAME).wait_for()
    page.get_by_text("Child runs", exact=True).wait_for()
    page.get_by_role("link", name="trial-0013").wait_for()
    page.get_by_text("Show more").click()
    page.get_by_text(MARKUP).wait_for()
    page.get_by_role("columnheader", name="test rmse").wait_for()
    assert page.locator("#root").get_by_role("img", name="b").count() == 0
    assert (
        trial_links(followed(page, "all trials by rmse")).first.inner_text()
        == trial_names(rank(site.record.trials))[0]
    )
    assert is_clean(seen, site)


def test_the_page_of_a_failed_trial_says_why(site: Site, page: "Page", seen: Seen) -> None:
    failed = next(t for t in site.record.trials if t.outcome.state is State.FAILED)
    page.goto(links.run_link(site.base, site.record.experiment_id, failed.trial.run_id))
    page.get_by_text(f"Failed: ValueError: {MARKUP}").wait_for()
    assert is_clean(seen, site)


def test_the_history_of_the_best_rmse_is_a_chart_of_the_sweep(site: Site, page: "Page") -> None:
    page.goto(site.run("/model-metrics"))
    page.get_by_role("heading", name="best_rmse").wait_for()
    page.locator(".main-svg").first.wait_for()


def test_the_ten_best_stand_side_by_side(site: Site, page: "Page", seen: Seen) -> None:
    page.goto(site.compare)
    page.get_by_text("Comparing 10 Runs from 1 Experiment").wait_for()
    names = page.get_by_text("trial-00")
    names.first.wait_for()
    assert [n.strip() for n in names.all_inner_texts()] == trial_names(rank(site.record.trials, 10))
    page.locator("svg text").get_by_text("learning_rate").first.wait_for()
    assert is_clean(seen, site)


def test_the_registered_model_has_its_alias_and_says_where_it_comes_from(
    site: Site, page: "Page", seen: Seen
) -> None:
    assert site.record.model is not None
    page.goto(links.model_link(site.base, site.record.model.name))
    page.get_by_text("@ champion").wait_for()
    page.get_by_role("link", name="Version 1").click()
    page.get_by_text(f"Champion: the first version of this model. Winner of sweep {NAME}").wait_for()
    followed(page, NAME).get_by_role("heading", name=NAME).wait_for()
    assert is_clean(seen, site)
