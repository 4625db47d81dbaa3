"""What a sweep is said to show, on landscapes that are known."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweeps.analysis.axes import Axis
from sweeps.analysis.edges import rounded
from sweeps.analysis.explain import Explanation, move_text
from sweeps.analysis.intervals import bootstrap
from sweeps.analysis.next.space import NextSpace, next_space
from sweeps.analysis.outlook import tail_chance
from sweeps.errors import SpaceError
from sweeps.lint import check_space
from sweeps.ranges import Range
from sweeps.record import Finalist
from sweeps.space.describe import ranges_of
from sweeps.space.search_space import load_space
from sweeps.trial import State
from tests.made_search import RANGES, SOURCE, search


@pytest.fixture(scope="module")
def found() -> Explanation:
    """A sweep of 300 trials: branches, failures, pruning."""
    return Explanation(search(300))


def text_of(found: Explanation, topic: str) -> str:
    return " ".join(f.text for f in found.findings if f.topic == topic)


def without(found: Explanation, keep: Callable[[int], bool]) -> Explanation:
    trials = [t for t in found.record.trials if keep(t.number)]
    return Explanation(replace(found.record, trials=trials))


def test_what_matters_is_told_from_what_does_nothing(found: Explanation) -> None:
    seen = found.importance
    assert seen is not None
    certain = [w.axis.label for w in seen.weights if w.certain]
    assert set(certain) == {"model", "rate", "depth"}
    assert certain[-1] == "depth"
    assert seen.explained > 0.8
    assert sum(w.share for w in seen.weights) == pytest.approx(1, abs=0.1)
    assert all(w.low <= w.share <= w.high for w in seen.weights)


def test_a_branch_that_is_rare_weighs_little_and_its_share_of_trials_is_told(found: Explanation) -> None:
    alpha = next(w for w in found.importance.weights if w.axis.label == "alpha")  # type: ignore[union-attr]
    assert alpha.active < 0.35
    assert not alpha.certain


def test_figures_of_pure_chance_support_no_conclusion() -> None:
    made = search(80)
    rng = np.random.default_rng(3)
    trials = [
        replace(t, outcome=replace(t.outcome, rmse=float(5 + rng.random())))
        if t.outcome.state is State.COMPLETE
        else t
        for t in made.trials
    ]
    noise = Explanation(replace(made, trials=trials))
    assert "Nothing can be said" in text_of(noise, "importance")
    assert noise.moves == []


def test_a_best_value_at_the_edge_asks_for_a_wider_range(found: Explanation) -> None:
    rate = next(m for m in found.moves if m.axis.label == "rate")
    assert (rate.kind, rate.edge) == ("widen", "upper")
    assert rate.low > 0.01
    assert rate.high > 0.2  # where the landscape's optimum is
    assert "upper fifth of 0.01 to 0.1" in text_of(found, "range")


def test_the_best_trials_of_a_branch_are_not_called_the_best_of_all(found: Explanation) -> None:
    """Ridge has no depth: what its trials came to says nothing of it."""
    depth = next(m for m in found.moves if m.axis.label == "depth")
    assert f"all {depth.judged} best trials that have it lie between" in text_of(found, "range")
    flat = replace(depth, axis=replace(depth.axis, branch=()))
    assert f"all {depth.judged} best trials lie between" in move_text(flat)
    rate = next(m for m in found.moves if m.axis.label == "rate")
    assert f"{rate.near} of the {rate.judged} best trials that have it lie in" in move_text(rate)


def test_good_values_inside_ask_for_a_narrower_range(found: Explanation) -> None:
    depth = next(m for m in found.moves if m.axis.label == "depth")
    assert depth.kind == "narrow"
    assert 2 <= depth.low < 5 < depth.high <= 9


def test_what_cannot_be_told_from_chance_keeps_its_range(found: Explanation) -> None:
    assert {m.axis.label for m in found.moves} == {"rate", "depth"}


def test_an_edge_of_nature_is_not_crossed() -> None:
    made = search(300)
    shares = [replace(r, label="rate", distribution="uniform", low=0.0, high=1.0) if r.label == "rate" else r
              for r in RANGES]  # fmt: skip
    trials = [
        replace(
            t,
            trial=replace(
                t.trial, proposal=replace(t.trial.proposal, point=_as_share(t.trial.proposal.point))
            ),
        )
        for t in made.trials
    ]
    seen = Explanation(replace(made, trials=trials, ranges=shares))
    rate = next(m for m in seen.moves if m.axis.label == "rate")
    assert (rate.kind, rate.high) == ("keep", 1.0)
    assert "natural bound" in text_of(seen, "range")


def _as_share(point: dict[str, float | int]) -> dict[str, float | int]:
    return {**point, "rate": np.log(point["rate"] / 0.01) / np.log(10)} if "rate" in point else point


@pytest.mark.parametrize(
    ("axis", "low", "high", "expected"),
    [
        (Axis("a", 0.0, 1.0), 0.1234, 0.789, (0.12, 0.79)),
        (Axis("a", 0.001, 10, is_log=True), 0.01234, 4.56, (0.012, 4.6)),
        (Axis("a", 1, 20, q=1), 2.4, 7.2, (2, 8)),
        (Axis("a", 1, 20, q=1), 0.2, 7.0, (1, 7)),
    ],
)
def test_ranges_are_rounded_outwards(
    axis: Axis, low: float, high: float, expected: tuple[float, float]
) -> None:
    assert rounded(axis, low, high) == pytest.approx(expected)


def test_failures_are_located(found: Explanation) -> None:
    region = found.failures.region
    assert region is not None
    assert region.words == "depth ≥ 11"
    assert (region.failed, region.failed_elsewhere) == (region.trials, 0)
    assert "MemoryError: the tree is too deep" in text_of(found, "failures")


def test_failures_all_over_have_no_place() -> None:
    made = search(200)
    failed = next(t.outcome for t in made.trials if t.outcome.state is State.FAILED)
    good = [t for t in made.trials if t.outcome.state is not State.FAILED]
    trials = [replace(t, outcome=failed) if t.number % 7 == 0 else t for t in good]
    assert Explanation(replace(made, trials=trials)).failures.region is None


def test_a_secret_in_an_error_is_not_repeated() -> None:
    made = search(60)
    trials = [
        replace(t, outcome=replace(t.outcome, error="OSError: postgresql://me:hunter2@host/db refused"))
        if t.outcome.state is State.FAILED
        else t
        for t in made.trials
    ]
    assert "hunter2" not in text_of(Explanation(replace(made, trials=trials)), "failures")


def test_more_trials_help_a_search_that_still_falls_and_not_one_at_its_floor() -> None:
    rng = np.random.default_rng(1)
    floor = np.sort(5 + np.abs(rng.normal(0, 1, 400)) ** 0.3)
    falling = np.sort(50 - rng.exponential(5, 400))
    assert tail_chance(floor, 4.9, 400)[0] == 0.0
    assert tail_chance(falling, falling[0] * 0.999, 400)[1] > 0.3
    assert tail_chance(np.full(40, 5.0), 4.9, 40) == (0.0, 0.0, 0.0)


def test_the_chance_is_that_of_simulated_searches() -> None:
    """Over many searches the mean of the chances is near the share that gained, as the sentence claims."""
    rng = np.random.default_rng(5)
    said, gained = [], []
    for _ in range(400):
        y = 5 + np.square(rng.uniform(-1, 1, (100, 4))).sum(axis=1)
        target = float(y.min()) * 0.995
        said.append(tail_chance(np.sort(y), target, 100)[1])
        gained.append((5 + np.square(rng.uniform(-1, 1, (100, 4))).sum(axis=1)).min() <= target)
    assert np.mean(said) == pytest.approx(np.mean(gained), abs=0.15)


def test_a_short_sweep_says_what_it_cannot_say() -> None:
    short = Explanation(search(3))
    assert "cannot be said: 2 trials with an rmse" in text_of(short, "importance")
    assert "cannot be said" in text_of(short, "outlook")
    assert text_of(short, "range") == ""


def test_nothing_at_all_is_explained_too(found: Explanation) -> None:
    empty = Explanation(replace(found.record, trials=(), finalists=(), predictions=None))
    assert [f.topic for f in empty.findings] == ["importance", "outlook"]


def test_the_evidence_is_json(found: Explanation) -> None:
    listed = json.loads(json.dumps([dict(f.evidence) for f in found.findings], allow_nan=False))
    assert listed[0]["shares"]["rate"][0] > 0.2


def test_validation_and_test_are_compared(found: Explanation) -> None:
    text = text_of(found, "test")
    assert "wins on test, trial" in text
    assert "4.0% higher than on validation" in text or "3.8% higher" in text
    assert "as good, as far as they tell" in text


def test_finalists_that_agree_are_said_to() -> None:
    made = replace(
        search(30), finalists=[Finalist(1, 5.0, 5.01, 4.9, 5.1, 0.97), Finalist(2, 6.0, 6.01, 5.9, 6.1, 0.03)]
    )
    text = text_of(Explanation(made), "test")
    assert "the best on validation wins on test too" in text
    assert "In 97% of resamples of the test rows the winner is best." in text


def test_the_intervals_cover_and_equal_models_share_the_wins() -> None:
    rng = np.random.default_rng(0)
    squared = rng.chisquare(1, 500)
    first, twin, worse = bootstrap([squared, squared.copy(), squared + 1])
    rmse = float(np.sqrt(squared.mean()))
    assert first.low < rmse < first.high
    assert (first.wins, twin.wins, worse.wins) == (0.5, 0.5, 0.0)


def test_intervals_of_many_rows_are_those_of_the_rows() -> None:
    squared = np.random.default_rng(1).chisquare(1, 100_000)
    [judged] = bootstrap([squared])
    spread = 2 * 1.96 * squared.std() / np.sqrt(len(squared)) / (2 * np.sqrt(squared.mean()))
    assert judged.high - judged.low == pytest.approx(spread, rel=0.1)


def test_ranges_that_are_not_known_are_not_judged(found: Explanation) -> None:
    blind = Explanation(replace(found.record, ranges=()))
    assert blind.moves == []
    assert "rate" in text_of(blind, "importance")


@pytest.fixture(scope="module")
def made(found: Explanation) -> NextSpace:
    """The next search space of the sweep."""
    return next_space(SOURCE, found)


def loaded(folder: Path, source: str) -> list[Range]:
    """Lint a module, and give what it searches."""
    (folder / "made_next.py").write_text(source)
    space = load_space(str(folder / "made_next.py"))
    assert check_space(space) == []
    return ranges_of(space)


def test_the_next_space_passes_lint_and_has_the_new_ranges(
    made: NextSpace, found: Explanation, tmp_path: Path
) -> None:
    ranges = {r.label: r for r in loaded(tmp_path, made.source)}
    for move in found.moves:
        searched = ranges[move.axis.label]
        assert (searched.low, searched.high) == pytest.approx((move.low, move.high))
    assert (ranges["alpha"], ranges["l2"]) == (RANGES[4], RANGES[3])
    assert ranges["rate"].branch == (("model", 0),)


def test_the_next_space_keeps_the_old_text_and_gives_reasons(made: NextSpace) -> None:
    assert "# The step of each tree." in made.source
    assert "# rate: " in made.source
    assert "import sweeps" not in made.source
    assert max(len(line) for line in made.source.splitlines() if line.lstrip().startswith("#")) <= 100
    assert len(made.changed) == 2


def test_the_next_space_begins_with_the_best_trials(
    made: NextSpace, found: Explanation, tmp_path: Path
) -> None:
    (tmp_path / "made_next.py").write_text(made.source)
    first = load_space(str(tmp_path / "made_next.py")).first_points()
    best = found.record.best
    assert best is not None
    assert first[0] == pytest.approx(dict(best.trial.proposal.point))
    assert len(first) == 3


def test_first_is_replaced_where_there_is_one(found: Explanation, tmp_path: Path) -> None:
    source = SOURCE + '\nFIRST = [\n    {"rate": 0.011},\n]\nAFTER = 1\n'
    made = next_space(source, found)
    assert made.source.count("FIRST = [") == 1
    assert "0.011}" not in made.source
    assert "AFTER = 1" in made.source
    loaded(tmp_path, made.source)


def test_a_computed_label_is_named_and_left(found: Explanation, tmp_path: Path) -> None:
    source = SOURCE.replace('hp.quniform("depth"', 'hp.quniform("de" + "pth"')
    made = next_space(source, found)
    assert [text.split(":")[0] for text in made.left] == ["depth"]
    assert "Not changed, since it is computed where it stands: depth" in " ".join(made.source.split("\n# "))
    loaded(tmp_path, made.source)


def test_bounds_are_written_as_they_were(found: Explanation, tmp_path: Path) -> None:
    written = 'hp.loguniform(label="rate", high=-2.302585092994046, low=math.log(0.01))'
    source = SOURCE.replace('hp.loguniform("rate", log(0.01), log(0.1))', written)
    made = next_space(source.replace("from math", "import math\nfrom math"), found)
    assert "low=math.log(0.0" in made.source
    assert "high=-1." in made.source
    loaded(tmp_path, made.source)


def test_text_that_cannot_be_edited_is_refused(found: Explanation) -> None:
    with pytest.raises(SpaceError, match="no Python"):
        next_space("SPACE = {", found)
    with pytest.raises(SpaceError, match="backslash"):
        next_space('from hyperopt import hp\nSPACE = \\\n    hp.loguniform("rate", 1, 2)\n', found)
