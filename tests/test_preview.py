"""What a preview says, and that it leaves nothing behind."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hyperopt.pyll.stochastic import sample

from sweeps.cli.histograms import coarser, histogram, size
from sweeps.cli.main import cli
from sweeps.data.datasets import load_dataset
from sweeps.data.spec import DataSpec
from sweeps.errors import NoUsableTrialError, SpaceError, UsageError
from sweeps.preview.branches import covering, find_branches
from sweeps.preview.disk import disk
from sweeps.preview.draws import point_in
from sweeps.preview.marginals import BINS, marginals
from sweeps.preview.rows import made_up, part
from sweeps.preview.trying import row_steps
from sweeps.preview.wall_time import DRIVER_SECONDS, FIXED_SECONDS, Timing, wall_time
from sweeps.search.searcher import Searcher
from sweeps.space.draws import draw_points
from sweeps.space.search_space import SearchSpace, load_space
from tests.test_cli_inspect import on_a_terminal

ROOT = Path(__file__).parents[1]
CONDITIONAL = """
from math import log
from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

def broken(**params):
    class Broken(Ridge):
        def fit(self, X, y):
            raise ValueError("no such luck")
    return Broken()

SPACE = hp.pchoice("family", [
    (0.7, {"model": Ridge, "alpha": hp.loguniform("alpha", log(0.01), log(100)),
           "solver": hp.choice("solver", ["lsqr", "cholesky"])}),
    (0.28, {"model": DecisionTreeRegressor, "max_depth": scope.int(hp.quniform("depth", 1, 9, 1))}),
    (0.02, {"model": broken, "x": hp.uniform("x", 0, 1)}),
])
"""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> SearchSpace:
    """A space with branches of unequal shares, one of which never trains."""
    path = tmp_path_factory.mktemp("spaces") / "conditional.py"
    path.write_text(CONDITIONAL)
    return load_space(str(path))


def preview(*words: str) -> Result:
    return CliRunner().invoke(cli, ["preview", *words])


@pytest.fixture(scope="module")
def told(space: SearchSpace) -> Any:
    """The preview of that space on diabetes, as JSON."""
    words = ("--data", "diabetes", "--trials", "50", "--workers", "1", "--budget", "1s", "--draws", "15")
    done = preview(str(space.path), *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_branches_and_their_shares(told: Any) -> None:
    assert [(b["name"], round(b["share"], 6)) for b in told["branches"]] == [
        ("family=Ridge, solver=lsqr", 0.35),
        ("family=Ridge, solver=cholesky", 0.35),
        ("family=DecisionTreeRegressor", 0.28),
        ("family=broken", 0.02),
    ]


def test_a_branch_that_fails_says_why(told: Any) -> None:
    fits = {b["name"]: b["fit"] for b in told["branches"]}
    assert [fit["state"] for fit in fits.values()] == ["COMPLETE"] * 3 + ["FAILED"]
    assert fits["family=broken"]["error"] == "ValueError: no such luck"
    assert all(fit["rmse"] > 0 and fit["rows"] == 200 for name, fit in fits.items() if "broken" not in name)


def test_draws_are_those_the_sweep_begins_with(space: SearchSpace, told: Any) -> None:
    searcher = Searcher(space, "tpe", seed=0)
    asked = [searcher.ask(number) for number in range(15)]
    expected = [space.logged_params(proposal.params) for proposal in asked if proposal is not None]
    assert told["draws"] == expected


def test_the_forecast_names_what_it_rests_on(told: Any) -> None:
    forecast = told["forecast"]
    low, middle, high = forecast["time"]["sweep"]
    assert FIXED_SECONDS[0] < low < middle < high
    assert (forecast["trials"], forecast["workers"], forecast["rows"]) == (50, 1, 265)
    assert forecast["time"]["rows"] == [200, 265], "a few rows first, then all that the sweep trains on"
    assert forecast["time"]["timed"] >= 3, "one of each branch that trains"
    assert 1 <= forecast["time"]["largest"] <= forecast["time"]["timed"]
    assert forecast["slowdown"] == 1.0
    assert forecast["disk"]["model"] > 0


def test_nothing_is_left_behind(space: SearchSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    words = [sys.executable, "-c", "from sweeps.cli.main import main; main()", "preview", str(space.path)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [*words, "--budget", "0.2s"],
        env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="latin-1",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert "points of sweeps run conditional ~ --seed 0" in done.stdout
    assert re.search(r"^alpha +0\.01\d* +[-.:=+*%# ]{20,} +9\d\.\d+", done.stdout, re.MULTILINE)
    assert re.search(r"^family=DecisionTreeRegressor +28 % +works ", done.stdout, re.MULTILINE)
    assert "failed: family=broken: ValueError: no such luck" in done.stdout
    assert "the rows are made up: name yours with --data or --table" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.slow
def test_it_fits_a_narrow_terminal(space: SearchSpace) -> None:
    words = ("--data", "diabetes", "--budget", "0.1s", "--workers", "1")
    out = on_a_terminal(space.path.parent, 80, "preview", str(space.path), *words)
    shown = re.sub(r"\x1b\[\d*m", "", out)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert re.search(r"^alpha +0\.01\d* +[▁▂▃▄▅▆▇█]{12} +9\d\.\d+ +log +(69|7\d) %", shown, re.MULTILINE)


def test_a_space_that_never_trains(tmp_path: Path) -> None:
    path = tmp_path / "never.py"
    path.write_text(
        "from hyperopt import hp\nSPACE = {'x': hp.uniform('x', 0, 1)}\n"
        "def train(params, data, report): raise RuntimeError('out of luck')\n"
    )
    done = preview(str(path), "--rows", "50", "--workers", "1")
    assert isinstance(done.exception, NoUsableTrialError)
    assert "no trial on made-up rows worked: RuntimeError: out of luck" in str(done.exception)
    assert "FAILED" in done.stdout


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("ridge", "--target", "price"), UsageError, "none is named"),
        (("ridgee",), SpaceError, "did you mean 'ridge'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(words: tuple[str, ...], kind: type, said: str) -> None:
    done = preview(*words)
    assert isinstance(done.exception, kind)
    assert said in str(done.exception)
    assert done.stdout == ""


def test_every_option_is_in_a_branch_that_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    options = ", ".join(f"'c{i}': hp.choice('c{i}', ['a', 'b', 'c'])" for i in range(5))
    path.write_text(
        f"from hyperopt import hp\nMODEL = dict\nSPACE = {{{options}, 'n': hp.choice('n', [1, 2])}}"
    )
    branches = find_branches(load_space(str(path)))
    assert len(branches) == 3**5
    assert math.isclose(sum(branch.share for branch in branches), 1)
    chosen = covering(branches, 20)
    assert len({pair for branch in chosen for pair in branch.options.items()}) == 15
    assert len(covering(branches, 2)) == 2


def test_a_rare_branch_gets_a_point_of_its_own(space: SearchSpace) -> None:
    rare = find_branches(space)[-1]
    point = point_in(space, rare, [], seed=0)
    assert rare.holds(point)
    assert set(space.params(point)) == {"model", "x"}


def test_marginals_are_those_of_hyperopt(space: SearchSpace) -> None:
    found = {m.label: m for m in marginals(space, draw_points(space, 4000, 1))}
    assert found["solver"].active == pytest.approx(0.7, abs=0.03)
    assert [name for name, _ in found["solver"].shares] == ["lsqr", "cholesky"]
    assert found["alpha"].log
    assert len(found["alpha"].counts) == BINS
    assert sum(found["alpha"].counts) == round(4000 * found["alpha"].active)
    assert (found["depth"].low, found["depth"].high, len(found["depth"].counts)) == (1, 9, 9)
    node = next(h.node for h in space.hyperparameters if h.label == "depth")
    rng = np.random.default_rng(0)
    ones = sum(sample(node, rng) == 1 for _ in range(4000)) / 4000
    assert found["depth"].counts[0] / sum(found["depth"].counts) == pytest.approx(ones, abs=0.03)


def test_histograms_with_blocks_and_without() -> None:
    assert histogram([0, 1, 4, 8], utf8=True) == " ▂▅█"
    assert histogram([0, 1, 4, 8], utf8=False) == " :+#"
    assert coarser([1, 2, 3, 4, 5], 3) == [3, 7, 5]
    assert [size(n) for n in (5, 1200, 3.4e6, 2e9)] == ["5 B", "1.2 kB", "3.4 MB", "2 GB"]


def test_rows_are_a_part_of_all_splits() -> None:
    dataset = load_dataset(DataSpec(name="diabetes"))
    few = part(dataset, 53)
    assert few.valid is not None
    assert dataset.valid is not None
    assert (len(few.train.y), len(few.valid.y), few.test) == (53, 20, None)
    assert set(few.train.y) <= set(dataset.train.y)
    assert few.train.digest != dataset.train.digest
    assert len(part(made_up(100), 1000).train.y) == 100
    assert row_steps(200, 265) == [265]
    assert row_steps(200, 20_000) == [200, 1600, 12_800, 20_000]


TRUE_TIMES = {row: [0.02 * scale * (1 + row / 2000) for scale in (1, 2, 4, 8)] for row in (200, 1600, 12_800)}


def timings(*rows: int) -> list[Timing]:
    return [Timing(i, "all", row, seconds) for row in rows for i, seconds in enumerate(TRUE_TIMES[row])]


def test_the_forecast_finds_the_time_of_more_rows() -> None:
    true = (
        np.mean([0.02 * scale * (1 + 100_000 / 2000) for scale in (1, 2, 4, 8)]) * 200 / 2 + FIXED_SECONDS[0]
    )
    found = wall_time(timings(200, 1600, 12_800), {"all": 1.0}, 100_000, 200, 2, 1.0)
    assert found.sweep[0] < true < found.sweep[2]
    assert found.even[0] <= 2000 <= found.even[2]
    assert (found.timed, found.largest, found.rows) == (4, 0, (200, 1600, 12_800))


def test_points_that_were_timed_at_all_rows_are_told_apart() -> None:
    some = [*timings(200), *timings(1600)[:3]]
    found = wall_time(some, {"all": 1.0}, 1600, 200, 1, 1.0)
    assert (found.timed, found.largest, found.rows) == (4, 3, (200, 1600))
    assert wall_time(some, {"all": 1.0}, 1601, 200, 1, 1.0).largest == 0


def test_the_less_is_timed_the_wider_the_forecast() -> None:
    widths = []
    for rows in [(200,), (200, 1600), (200, 1600, 12_800)]:
        low, _, high = wall_time(timings(*rows), {"all": 1.0}, 12_800, 200, 1, 1.0).sweep
        widths.append(high / low)
    assert widths[0] > 3 * widths[1]
    assert widths[1] > widths[2]
    assert widths[2] < 3  # four points that differ eightfold are few


def test_branches_count_by_their_share() -> None:
    slow_and_fast = [Timing(0, "slow", 100, 10.0), Timing(1, "fast", 100, 0.1), Timing(2, "fast", 100, 0.1)]
    rarely = wall_time(slow_and_fast, {"slow": 0.01, "fast": 0.99}, 100, 100, 1, 1.0)
    mostly = wall_time(slow_and_fast, {"slow": 0.99, "fast": 0.01}, 100, 100, 1, 1.0)
    assert rarely.sweep[1] < 30
    assert mostly.sweep[1] > 900


def test_many_fast_trials_take_the_drivers_time() -> None:
    fast = wall_time([Timing(0, "all", 100, 0.001)], {"all": 1.0}, 100, 1000, 8, 1.0)
    busy = 1000 * DRIVER_SECONDS
    assert FIXED_SECONDS[0] < fast.sweep[0] - busy < fast.sweep[2] - busy < FIXED_SECONDS[1]


def test_disk_grows_with_trials_params_and_curves() -> None:
    plain, curved = disk(100, 6, 0, 1000, 5), disk(100, 6, 1000, 1000, 5)
    assert plain.scratch == 5000
    assert curved.store - plain.store == 100 * 110 * 90
    assert disk(200, 6, 0, 0, 5).store > plain.store
