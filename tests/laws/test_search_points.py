"""Laws of points: none is asked twice, whatever the algorithm; a finite space ends."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hyperopt import rand, tpe
from hyperopt.base import Domain

from sweeps.search.options import algorithm, looser
from sweeps.search.points import point_of
from sweeps.search.searcher import Searcher
from sweeps.space.finite import MOST_POINTS, all_points
from sweeps.space.search_space import SearchSpace, load_space
from sweeps.trial import Proposal
from tests.laws.make import outcome, write_space
from tests.laws.search_loops import asked, failing, keys_of, loss, points_of_fmin, told

Make = Callable[[str], SearchSpace]

GRID = """
SPACE = {"a": hp.quniform("a", 0, 4, 1), "b": hp.choice("b", [1, 2, {"c": hp.randint("c", 3)}]),
         "d": scope.int(hp.quniform("d", 1, 3, 1))}
"""
"""5 · (2 + 3) · 3 points."""


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Gives the space of a body."""
    return lambda body: load_space(str(write_space(tmp_path, f"MODEL = dict\n{body}\n")))


def different(space: SearchSpace, proposals: list[Proposal]) -> int:
    return len(set(keys_of(space, [proposal.point for proposal in proposals])))


@pytest.mark.parametrize("algo", ["tpe", "random", "anneal", "mix"])
def test_a_finite_space_is_visited_whole_and_each_point_once(made: Make, algo: str) -> None:
    space = made(GRID)
    searcher = Searcher(space, algo, 3)
    proposals = asked(searcher, 1000)
    assert len(proposals) == different(space, proposals) == 75
    assert searcher.exhausted == "all 75 points of the search space are tried"
    assert searcher.ask(75) is None


def test_several_slots_exhaust_it_too(made: Make) -> None:
    space = made(GRID)
    searcher = Searcher(space, "tpe", 3)
    proposals = [proposal for number in range(75) if (proposal := searcher.ask(number))]
    assert different(space, proposals) == 75
    assert searcher.exhausted == ""
    assert searcher.ask(75) is None


@pytest.mark.parametrize(
    "body",
    [
        'SPACE = {"x": scope.int(hp.uniform("x", 0, 30))}',
        'SPACE = {"x": scope.int(hp.quniform("x", 0, 29, 0.5))}',
        'SPACE = {"x": hp.choice("x", [1, hp.randint("y", 30), scope.int(hp.quniform("z", 0, 29, 1))])}',
        'SPACE = {"x": hp.choice("x", [1.0, hp.quniform("y", 0, 29, 1), hp.quniform("z", 2, 20, 2)])}',
        'SPACE = {"x": hp.randint("x", 30), "y": hp.choice("y", [[3], (3,)])}',
    ],
)
def test_points_with_other_coordinates_but_the_same_params_are_the_same(made: Make, body: str) -> None:
    space = made(body)
    searcher = Searcher(space, "tpe", 1)
    proposals = asked(searcher, 1000)
    assert len(proposals) == different(space, proposals) == 30
    assert "30" in searcher.exhausted


def test_one_feature_is_not_all_of_them(made: Make) -> None:
    space = made('SPACE = {"max_features": hp.choice("max_features", [1, 1.0, True])}')
    proposals = asked(Searcher(space, "tpe", 1), 10)
    assert {type(proposal.params["max_features"]) for proposal in proposals} == {int, float, bool}


def test_classes_and_functions_are_the_same_by_name_and_lambdas_are_not(made: Make) -> None:
    body = "from math import exp, log\nSPACE = {'x': hp.choice('x', [dict, log, exp, log, LAMBDAS])}"
    assert len(asked(Searcher(made(body.replace(", LAMBDAS", "")), "tpe", 1), 10)) == 3
    assert len(asked(Searcher(made(body.replace("LAMBDAS", "lambda: 1, lambda: 2")), "tpe", 1), 10)) == 5


def test_a_part_of_a_space_that_is_continuous_never_ends(made: Make) -> None:
    space = made('SPACE = {"x": hp.choice("x", [1, hp.uniform("y", 0, 1)])}')
    proposals = asked(Searcher(space, "random", 0), 60)
    assert different(space, proposals) == 60
    assert sum(proposal.params["x"] == 1 for proposal in proposals) == 1


def test_where_draws_find_nothing_new_a_sweep_ends(made: Make) -> None:
    searcher = Searcher(made('SPACE = {"x": hp.qnormal("x", 0, 1, 2)}'), "random", 0)
    count = len(asked(searcher, 1000))
    assert 3 <= count <= 7
    assert searcher.exhausted == f"1000 random draws gave only points among the {count} already tried"


def test_a_redraw_does_not_move_later_draws(made: Make) -> None:
    space = made('SPACE = {"x": hp.randint("x", 40), "y": hp.randint("y", 2)}')
    ours = [proposal.point for proposal in asked(Searcher(space, "random", 5), 60)]
    theirs = points_of_fmin(space, rand.suggest, 60, 5, loss)
    taken = [point in theirs[:number] or point in ours[:number] for number, point in enumerate(theirs)]
    assert 5 < sum(taken) < 40
    for one, other, repeated in zip(ours, theirs, taken, strict=True):
        assert (one == other) is not repeated


def test_points_that_come_again_are_drawn_looser(made: Make) -> None:
    """From TPE's density of good trials, instead of its best of 24: so the next best are found."""
    searcher, domain = Searcher(made(GRID), "tpe", 3), Domain(None, made(GRID).expression)
    asked(searcher, 40)
    one = tpe.suggest(
        [40], domain, searcher._history.trials(), 7, n_EI_candidates=1, gamma=0.5, verbose=False
    )
    looser_one = looser("tpe", {"gamma": "0.5"})([40], domain, searcher._history, 7)
    assert looser_one == point_of(one)
    assert looser_one != algorithm("tpe", {"gamma": "0.5"})([40], domain, searcher._history, 7)


def test_asking_for_a_preview_promises_the_same_and_spends_nothing(made: Make) -> None:
    searcher, tried = Searcher(made('SPACE = {"x": hp.randint("x", 20)}'), "tpe", 3), []
    for number in range(20):
        tried.append(searcher.preview(number))
        assert searcher.ask(number) == tried[-1]
        searcher.tell(number, outcome(1.0))
    assert searcher.preview(20).params in [proposal.params for proposal in tried]
    assert searcher.exhausted == ""  # nobody has asked yet
    assert searcher.ask(20) is None


def test_a_point_does_not_repeat_itself(made: Make) -> None:
    searcher = Searcher(made('SPACE = {"x": hp.randint("x", 100)}'), "tpe", 3)
    proposals = [searcher.ask(number) for number in range(5)]
    assert [searcher.preview(number) for number in range(5)] == proposals


def test_points_of_an_earlier_session_count_whatever_became_of_their_params(made: Make) -> None:
    """A store gives params back flat and as text."""
    space = made(GRID)
    original, resumed = Searcher(space, "tpe", 3), Searcher(space, "tpe", 3)
    for proposal in reversed(asked(original, 60, failing)):
        flat = {"as": "text"}
        resumed.remember(Proposal(proposal.number, proposal.point, flat, proposal.seed))
        resumed.tell(proposal.number, told(failing(proposal.params)))
    for number in range(60, 75):
        assert resumed.ask(number) == original.ask(number)
    assert resumed.ask(75) is original.ask(75) is None
    assert resumed.exhausted == original.exhausted


def test_a_trial_that_is_tried_again_keeps_its_point(made: Make) -> None:
    space = made('SPACE = {"x": hp.randint("x", 3)}')
    searcher = Searcher(space, "tpe", 1)
    lost, *_ = [searcher.ask(number) for number in range(3)]
    searcher.remember(lost)
    assert searcher.preview(lost.number) == lost
    assert searcher.ask(3) is None


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        ('{"x": 1, "y": 0}, {"x": 1.0, "y": 0}, {"x": 1, "y": 0}', 1),
        ('{"x": 1, "y": 0}, {"x": 1}, {"x": 1}', 2),
        ('{"x": 1}, {"x": 1}, {"x": 1}, {"x": 1}', 2),
    ],
)
def test_first_points_that_repeat_are_drawn_again(made: Make, first: str, kept: int) -> None:
    space = made(f'SPACE = {{"x": hp.randint("x", 4), "y": hp.quniform("y", 0, 1, 1)}}\nFIRST = [{first}]')
    proposals = asked(Searcher(space, "tpe", 2), 100)
    assert len(proposals) == different(space, proposals) == 8
    assert [proposal.point["x"] == 1 for proposal in proposals[: kept + 1]] == [True] * kept + [False]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (GRID, 75),
        ('SPACE = {"x": hp.quniform("x", 0, 10, 3)}', 4),  # 0, 3, 6, 9
        ('SPACE = {"x": hp.quniform("x", 0.5, 3.5, 1)}', 3),  # 1, 2, 3: both bounds are edges of a step
        ('SPACE = {"x": hp.quniform("x", -0.3, 0.35, 0.1)}', 7),
        ('SPACE = {"x": hp.uniformint("x", 1, 9)}', 9),
        ('SPACE = {"x": hp.qloguniform("x", 0, 3, 5)}', 5),  # 0 to 20
        ('SPACE = {"x": hp.randint("x", 3, 9)}', 6),
        ('SPACE = {"x": hp.pchoice("x", [(0.0, 1), (0.5, 2), (0.5, 3)])}', 2),
        ('y = hp.randint("y", 3)\nSPACE = {"x": hp.choice("x", [{"y": y}, {"y": y, "z": 1}, 5])}', 7),
        ('SPACE = {"x": hp.randint("x", 300), "y": hp.randint("y", 300)}', 90_000),
        ('SPACE = {"x": hp.randint("x", 400), "y": hp.randint("y", 300)}', None),
        ('SPACE = {"x": hp.quniform("x", 0, 1e9, 1)}', None),
        ('SPACE = {"x": hp.randint("x", 3), "y": hp.uniform("y", 0, 1)}', None),
        ('SPACE = {"x": hp.qlognormal("x", 0, 1, 1)}', None),
    ],
)
def test_the_points_of_a_finite_space_are_counted(made: Make, body: str, count: int | None) -> None:
    space = made(body)
    points = all_points(space.hyperparameters)
    assert (points and len(points)) == count
    assert count is None or count <= MOST_POINTS
    if points is not None and len(points) < 100:
        drawn = asked(Searcher(space, "random", 0), 30)
        assert all(proposal.point in points for proposal in drawn)
        assert different(space, drawn) == min(30, len(points))
