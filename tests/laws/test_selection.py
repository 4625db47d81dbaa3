"""Laws of ranking, picking and the verdict."""

import random
from dataclasses import replace

import pytest

from sweeps.comparison import best_of, results
from sweeps.live.tally import Tally
from sweeps.record import Finalist
from sweeps.selection import pick, rank, verdict
from sweeps.trial import State
from tests.laws.make import finished
from tests.made_sweep import record


def test_rank_does_not_depend_on_the_order_trials_ended_in() -> None:
    trials = [finished(n, rmse) for n, rmse in enumerate([3.0, 1.0, 2.0, 1.0])]
    trials.append(finished(4, state=State.FAILED))
    shuffled = random.Random(0).sample(trials, len(trials))
    assert [t.number for t in rank(shuffled)] == [1, 3, 2, 0]
    assert [t.number for t in rank(shuffled, 2)] == [1, 3]


def test_a_pruned_trial_is_never_the_best_however_low_its_rmse() -> None:
    """It was judged by the best of its curve so far, or by some of the folds: no figure to compare."""
    trials = [
        finished(0, 3.0),
        finished(1, 0.5, State.PRUNED),
        finished(2, 2.0),
        finished(3, 0.1, State.PRUNED),
    ]
    swept = replace(record(), trials=trials)
    assert [t.number for t in rank(trials)] == [2, 0]
    assert swept.best is trials[2]
    assert replace(swept, trials=trials[1::2]).best is None
    assert rank(trials[1::2]) == []
    assert [t.number for t in Tally(before=trials).best] == [2, 0]
    assert best_of(results(swept), 4) == 2.0


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
