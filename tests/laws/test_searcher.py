"""Laws of the searcher: point for point what ``fmin`` visits, and a function of its history."""

import random
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hyperopt import anneal, fmin, hp, mix, rand, tpe
from hyperopt.pyll import as_apply

from sweeps.errors import UsageError
from sweeps.search.searcher import Searcher, trial_seed
from sweeps.search.suggest import MIX_SHARES
from sweeps.space.search_space import SearchSpace, load_space
from sweeps.trial import Outcome, Point, State
from tests.laws.make import outcome, write_space
from tests.laws.random_spaces import make_space
from tests.laws.search_loops import failing, first_repeat, loss, points_of, points_of_fmin, told

FLAT = """
MODEL = dict
SPACE = {
    "u": hp.uniform("u", -3, 3), "q": hp.quniform("q", 0, 10, 2), "i": hp.uniformint("i", 1, 9),
    "l": hp.loguniform("l", -3, 1), "ql": hp.qloguniform("ql", 0, 4, 1), "n": hp.normal("n", 0, 1),
    "qn": hp.qnormal("qn", 0, 5, 1), "ln": hp.lognormal("ln", 0, 1), "qln": hp.qlognormal("qln", 1, 1, 1),
    "r": hp.randint("r", 7), "c": hp.choice("c", [10, 20, 30]), "p": hp.pchoice("p", [(0.2, 1), (0.8, 2)]),
}
"""
CONDITIONAL = """
MODEL = dict
SPACE = {"a": hp.uniform("a", 0, 1), "kind": hp.choice("kind", [
    {"size": hp.uniform("size", 0, 1)},
    {"depth": scope.int(hp.quniform("depth", 1, 9, 1)),
     "how": hp.choice("how", [0.5, {"far": hp.normal("far", 0, 1)}])},
    {"none": 3.0},
])}
"""
LINE = "MODEL = dict\nSPACE = {'x': hp.uniform('x', -5, 5), 'y': hp.uniform('y', -5, 5)}\n"


@pytest.fixture
def flat(tmp_path: Path) -> SearchSpace:
    return load_space(str(write_space(tmp_path, FLAT, "flat")))


@pytest.fixture
def conditional(tmp_path: Path) -> SearchSpace:
    return load_space(str(write_space(tmp_path, CONDITIONAL, "conditional")))


@pytest.fixture
def line(tmp_path: Path) -> SearchSpace:
    return load_space(str(write_space(tmp_path, LINE, "line")))


FUNCTIONS = {
    "tpe": tpe.suggest,
    "random": rand.suggest,
    "anneal": anneal.suggest,
    "mix": partial(mix.suggest, p_suggest=[(0.1, rand.suggest), (0.2, anneal.suggest), (0.7, tpe.suggest)]),
}


@pytest.mark.parametrize("algo", FUNCTIONS)
@pytest.mark.parametrize("made", ["flat", "conditional"])
def test_it_visits_what_fmin_visits_some_trials_failing(
    made: str, algo: str, request: pytest.FixtureRequest
) -> None:
    space: SearchSpace = request.getfixturevalue(made)
    ours = points_of(Searcher(space, algo, 42), 35, failing)
    assert ours == points_of_fmin(space, FUNCTIONS[algo], 35, 42, failing)


@pytest.mark.parametrize("seed", range(8))
def test_it_visits_what_fmin_visits_in_any_space(seed: int) -> None:
    """Nested choices, shared hyperparameters, every distribution."""
    continuous = {"fine": hp.uniform("fine", 0, 1)}  # so that no point comes again
    space = SearchSpace(None, as_apply(continuous | make_space(random.Random(seed))))
    theirs = points_of_fmin(space, tpe.suggest, 45, seed, failing)
    assert points_of(Searcher(space, "tpe", seed), 45, failing) == theirs


@pytest.mark.parametrize("algo", FUNCTIONS)
def test_it_visits_what_fmin_visits_until_that_repeats_itself(algo: str) -> None:
    space = SearchSpace(None, as_apply({"x": hp.randint("x", 60), "y": hp.quniform("y", 0, 30, 1)}))
    theirs = points_of_fmin(space, FUNCTIONS[algo], 150, 1, loss)
    new = first_repeat(space, theirs)
    assert 10 < new < 150
    ours = points_of(Searcher(space, algo, 1), 150, loss)
    assert ours[:new] == theirs[:new]
    assert ours[new] != theirs[new]
    assert first_repeat(space, ours) == 150


def test_it_visits_what_fmin_visits_on_the_course_s_space() -> None:
    space = load_space("random_forest")
    ours = points_of(Searcher(space, "tpe", 42), 35, loss)
    assert ours == points_of_fmin(space, tpe.suggest, 35, 42, loss)


def test_a_failing_trial_really_occurs_in_these_tests(flat: SearchSpace, conditional: SearchSpace) -> None:
    for space in (flat, conditional):
        searcher = Searcher(space, "tpe", 42)
        values = [failing(searcher.preview(0).params)]
        values += [failing(Searcher(space, "tpe", seed).preview(0).params) for seed in range(20)]
        assert {value is None for value in values} == {True, False}


def test_the_mix_is_the_documented_one() -> None:
    assert [share for share, _ in MIX_SHARES] == [0.1, 0.2, 0.7]


@pytest.mark.parametrize("complete", [[{"x": 1.0, "y": 2.0}, {"x": -1.0, "y": 0.5}]])
def test_complete_first_points_are_points_to_evaluate(
    tmp_path: Path, complete: Sequence[Mapping[str, float]]
) -> None:
    space = load_space(str(write_space(tmp_path, f"{LINE}FIRST = {complete}")))
    theirs: list[Mapping[str, Any]] = []

    def objective(params: Mapping[str, Any]) -> float | None:
        theirs.append(params)
        return loss(params)

    rng, first = np.random.default_rng(7), list(complete)
    fmin(
        objective,
        space.expression,
        tpe.suggest,
        30,
        rstate=rng,
        points_to_evaluate=first,
        show_progressbar=False,
    )
    assert points_of(Searcher(space, "tpe", 7), 30, loss) == theirs[:30]


@pytest.mark.parametrize(
    ("algo", "options", "function"),
    [
        ("tpe", {"n_startup_jobs": "5"}, partial(tpe.suggest, n_startup_jobs=5)),
        (
            "tpe",
            {"n_startup_jobs": "5", "gamma": "0.5", "n_EI_candidates": "12", "prior_weight": "0.5"},
            partial(tpe.suggest, n_startup_jobs=5, gamma=0.5, n_EI_candidates=12, prior_weight=0.5),
        ),
        ("anneal", {"avg_best_idx": "4", "shrink_coef": "0.3"},
         partial(anneal.suggest, avg_best_idx=4.0, shrink_coef=0.3)),
    ],
)  # fmt: skip
def test_options_are_those_of_the_algorithm(
    line: SearchSpace, algo: str, options: dict[str, str], function: Any
) -> None:
    ours = points_of(Searcher(line, algo, 3, options), 20, loss)
    assert ours == points_of_fmin(line, function, 20, 3, loss)
    assert ours != points_of(Searcher(line, algo, 3), 20, loss)


@pytest.mark.parametrize(
    ("algo", "options", "said"),
    [
        ("tqe", {}, "unknown algorithm 'tqe', did you mean 'tpe'? known: anneal, atpe, mix, random, tpe"),
        ("tpe", {"gama": "1"}, "unknown option of tpe 'gama', did you mean 'gamma'?"),
        ("tpe", {"verbose": "1"}, "unknown option of tpe 'verbose'"),
        ("random", {"gamma": "1"}, "known: none"),
        ("mix", {"p_suggest": "1"}, "unknown option of mix"),
        ("tpe", {"n_startup_jobs": "5.5"}, "a whole number above 0, got '5.5'"),
        ("tpe", {"n_startup_jobs": "0"}, "a whole number above 0, got '0'"),
        ("tpe", {"gamma": "much"}, "a number above 0, got 'much'"),
        ("tpe", {"gamma": "nan"}, "a number above 0, got 'nan'"),
        ("tpe", {"gamma": "inf"}, "a number above 0, got 'inf'"),
        ("anneal", {"avg_best_idx": "0.5"}, "a number of at least 1, got '0.5'"),
    ],
)
def test_what_the_algorithm_does_not_know_is_refused(
    line: SearchSpace, algo: str, options: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Searcher(line, algo, 0, options)
    assert said in str(refused.value)


def asked(space: SearchSpace, count: int, seed: int = 0) -> tuple[Searcher, list[Any]]:
    """A searcher with ``count`` trials under way."""
    searcher = Searcher(space, "tpe", seed, {"n_startup_jobs": "5"})
    return searcher, [searcher.ask(number) for number in range(count)]


def test_the_order_of_tells_does_not_matter(conditional: SearchSpace) -> None:
    proposed = []
    for order in (range(20), reversed(range(20)), random.Random(1).sample(range(20), 20)):
        searcher, proposals = asked(conditional, 20)
        for number in order:
            searcher.tell(number, told(failing(proposals[number].params)))
        proposed.append(searcher.ask(20))
    assert proposed[0] == proposed[1] == proposed[2]


def test_telling_twice_is_telling_once(line: SearchSpace) -> None:
    proposed = []
    for times in (1, 2):
        searcher, proposals = asked(line, 10)
        for proposal in proposals * times:
            searcher.tell(proposal.number, outcome(loss(proposal.params)))
        proposed.append(searcher.ask(10))
    assert proposed[0] == proposed[1]


def test_a_pruned_trial_is_told_by_its_rmse(line: SearchSpace) -> None:
    """As a complete one of that rmse would be, and not as one that failed."""

    def next_point(best: Outcome) -> Point:
        searcher, proposals = asked(line, 12)
        for proposal in proposals:
            searcher.tell(proposal.number, outcome(1.0 + loss(proposal.params)))
        last = searcher.ask(12)
        searcher.tell(12, best)
        assert last is not None
        return searcher.ask(13).point

    complete, pruned = (next_point(outcome(0.5, state)) for state in (State.COMPLETE, State.PRUNED))
    assert pruned == complete
    assert pruned != next_point(outcome(state=State.FAILED))
    assert pruned != next_point(outcome(1e9, State.PRUNED))


def test_a_contradiction_is_refused(line: SearchSpace) -> None:
    searcher, _ = asked(line, 2)
    searcher.tell(0, outcome(1.0))
    searcher.tell(1, outcome(state=State.FAILED))
    for number, other in ((0, outcome(2.0)), (0, outcome(state=State.FAILED)), (1, outcome(1.0))):
        with pytest.raises(ValueError, match="was told"):
            searcher.tell(number, other)


def test_what_was_lost_or_never_asked_is_refused_and_changes_nothing(line: SearchSpace) -> None:
    searcher, _ = asked(line, 6)
    before = searcher.preview(6)
    with pytest.raises(ValueError, match="lost by the engine"):
        searcher.tell(0, outcome(state=State.LOST))
    with pytest.raises(ValueError, match="never asked"):
        searcher.tell(6, outcome(1.0))
    with pytest.raises(ValueError, match="asked before"):
        searcher.ask(5)
    assert searcher.preview(6) == before


@pytest.mark.parametrize("algo", FUNCTIONS)
def test_a_replayed_history_proposes_the_same(conditional: SearchSpace, algo: str) -> None:
    original, replayed = Searcher(conditional, algo, 9), Searcher(conditional, algo, 9)
    proposals = [original.ask(number) for number in range(25)]
    for proposal in proposals:
        original.tell(proposal.number, told(failing(proposal.params)))
    for proposal in reversed(proposals):
        replayed.remember(proposal)
        replayed.tell(proposal.number, told(failing(proposal.params)))
    assert [replayed.ask(number) for number in range(25, 28)] == [
        original.ask(number) for number in range(25, 28)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_trials_under_way_repel_new_ones(line: SearchSpace, seed: int) -> None:
    """16 new points side by side, as asked and as if each did not know of the others."""

    def spread(count_pending: bool) -> float:
        searcher, proposals = asked(line, 15, seed)
        for proposal in proposals:
            searcher.tell(proposal.number, outcome(loss(proposal.params)))
        new = [(searcher.ask if count_pending else searcher.preview)(number) for number in range(15, 31)]
        places = np.array([[proposal.point["x"], proposal.point["y"]] for proposal in new])
        between = np.linalg.norm(places[:, None] - places, axis=2) + np.diag([np.inf] * 16)
        return float(between.min(axis=1).mean())

    assert spread(count_pending=True) > 1.3 * spread(count_pending=False)


def test_a_trial_that_failed_repels_too(line: SearchSpace) -> None:
    searcher, last = Searcher(line, "tpe", 5), []
    for number in range(60):
        proposal = searcher.ask(number)
        crashes = proposal.params["x"] > 0
        last.append(crashes)
        searcher.tell(
            number, outcome(state=State.FAILED) if crashes else outcome(1.0 + proposal.params["y"] ** 2)
        )
    assert sum(last[20:]) < 20  # of 40; withdrawn instead of told, 33 to 40 fall there


def test_partial_first_points_keep_what_is_given(conditional: SearchSpace, tmp_path: Path) -> None:
    first = 'FIRST = [{"a": 0.25}, {"depth": 4, "a": 0.5}, {"far": 0.125}, {"how": 0.5}]'
    space = load_space(str(write_space(tmp_path, f"{CONDITIONAL}{first}", "first")))
    searcher = Searcher(space, "tpe", 1)
    points = [dict(searcher.ask(number).point) for number in range(4)]
    assert points[0]["a"] == 0.25
    assert points[1] | {"depth": 4, "a": 0.5, "kind": 1} == points[1]
    assert points[2] | {"far": 0.125, "kind": 1, "how": 1} == points[2]
    assert points[3] | {"kind": 1, "how": 0} == points[3]
    assert "far" not in points[3]
    assert all(0 <= point["a"] <= 1 for point in points)
    assert points[0]["a"] != points[2]["a"] != points[3]["a"]


def test_two_sweeps_draw_the_rest_of_a_first_point_alike_only_with_the_same_seed(tmp_path: Path) -> None:
    space = load_space(str(write_space(tmp_path, f'{LINE}FIRST = [{{"x": 1}}]')))
    one, same, other = (Searcher(space, "tpe", seed).ask(0).point for seed in (1, 1, 2))
    assert one == same
    assert one["x"] == other["x"] == 1
    assert one["y"] != other["y"]


def test_every_trial_trains_from_a_seed_of_its_own() -> None:
    seeds = [trial_seed(sweep, number) for sweep in range(20) for number in range(50)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_point_is_plain_data(flat: SearchSpace) -> None:
    point = Searcher(flat, "tpe", 0).ask(0).point
    assert {type(value) for value in point.values()} <= {int, float}


@pytest.fixture
def adaptive() -> None:
    try:
        import lightgbm  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"the extra atpe is not at hand: {error}")


@pytest.mark.usefixtures("adaptive")
class TestAdaptiveTpe:
    """What Hyperopt's own ``atpe.suggest`` does not keep: the seed, failures, parallel trials, branches."""

    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_points(self, line: SearchSpace) -> None:
        state = random.getstate()
        one, same, other = (points_of(Searcher(line, "atpe", seed), 12, failing) for seed in (1, 1, 2))
        assert one == same
        assert one != other
        assert random.getstate() == state

    def test_trials_that_failed_or_run_do_not_stop_it(self, line: SearchSpace) -> None:
        searcher = Searcher(line, "atpe", 1)
        points = [searcher.ask(number).point for number in range(4)]
        searcher.tell(0, outcome(state=State.FAILED))
        searcher.tell(1, outcome(1.0))
        points += [searcher.ask(number).point for number in (4, 5)]
        assert all(a != b for a, b in pairwise(points))

    def test_only_the_chosen_branch_is_in_the_point(self, conditional: SearchSpace) -> None:
        branches = {0: {"size"}, 1: {"depth", "how", "far"}, 2: set[str]()}
        for point in points_of(Searcher(conditional, "atpe", 1), 12, loss):
            assert point.keys() - {"a", "kind"} <= branches[int(point["kind"])]
            assert conditional.params(point)

    def test_what_it_cannot_read_is_refused(self, flat: SearchSpace) -> None:
        with pytest.raises(UsageError, match="cannot read pchoice and uniformint"):
            Searcher(flat, "atpe", 1).preview(0)


def test_without_its_package_atpe_names_the_extra(line: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # as Python marks what cannot be imported
    monkeypatch.delitem(sys.modules, "sweeps.search.adaptive_tpe", raising=False)
    with pytest.raises(UsageError, match=r"'lightgbm' is not installed \(pip install 'sweeps\[atpe\]'"):
        Searcher(line, "atpe", 0)
