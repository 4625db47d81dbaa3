"""Laws of ranking, picking and the verdict."""

import random

import pytest

from sweeps.record import Finalist
from sweeps.selection import pick, rank, verdict
from sweeps.trial import State
from tests.laws.make import finished


def test_rank_does_not_depend_on_the_order_trials_ended_in() -> None:
    trials = [finished(n, rmse) for n, rmse in enumerate([3.0, 1.0, 2.0, 1.0])]
    trials.append(finished(4, state=State.FAILED))
    shuffled = random.Random(0).sample(trials, len(trials))
    assert [t.number for t in rank(shuffled)] == [1, 3, 2, 0]
    assert [t.number for t in rank(shuffled, 2)] == [1, 3]


def test_the_lowest_test_rmse_wins_not_the_lowest_validation_rmse() -> None:
    assert pick([Finalist(0, 1.0, 2.0), Finalist(1, 1.1, 1.9)]).number == 1


def test_without_a_test_split_validation_decides() -> None:
    assert pick([Finalist(0, 1.2, None), Finalist(1, 1.1, None)]).number == 1


def test_no_finalist_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        pick([])


@pytest.mark.parametrize(
    ("candidate", "champion", "trouble", "alias"),
    [
        (2.0, None, "", "champion"),
        (1.9, 2.0, "", "champion"),
        (2.0, 2.0, "", "challenger"),
        (2.1, 2.0, "", "challenger"),
        (1.0, None, "no column 'x'", "challenger"),
    ],
)
def test_only_a_lower_rmse_makes_a_champion(
    candidate: float, champion: float | None, trouble: str, alias: str
) -> None:
    judged = verdict(candidate, champion, trouble)
    assert judged.alias == alias
    assert judged.reason
