"""Laws of the share of time in which no worker trains."""

import random

import pytest

from sweeps.api.idle import idle_share
from sweeps.trial import Finished, Outcome, Proposal, State, Trial


def trial(started: float, ended: float, fit: float | None = None) -> Finished:
    figures = {} if fit is None else {"fit_seconds": fit}
    proposal = Proposal(0, {"x": 0.0}, {"x": 0.0}, seed=0)
    return Finished(Trial(proposal, "run", started), Outcome(State.COMPLETE, 1.0, figures), ended)


@pytest.mark.parametrize(
    ("trials", "share"),
    [
        ([], 0.0),
        ([trial(0, 0)], 0.0),
        ([trial(0, 10)], 0.0),
        ([trial(0, 10, fit=9)], 0.1),
        ([trial(0, 10, fit=99)], 0.0),
        ([trial(0, 4), trial(6, 10)], 0.2),
        ([trial(0, 10, fit=5), trial(0, 6, fit=5)], 0.1),
        ([trial(0, 10), trial(2, 3, fit=0.1)], 0.0),
    ],
)
def test_it_is_the_time_that_no_training_covers(trials: list[Finished], share: float) -> None:
    assert idle_share(trials) == pytest.approx(share)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_a_share_whatever_the_order_and_never_grows_with_more_training(seed: int) -> None:
    rng = random.Random(seed)
    spans = [(begin := rng.uniform(0, 50), begin + rng.uniform(0, 9)) for _ in range(12)]
    short = [trial(*span, fit=0.5 * (span[1] - span[0])) for span in spans]
    whole = [trial(*span) for span in spans]
    assert 0 <= idle_share(whole) <= idle_share(short) <= 1
    assert idle_share(rng.sample(short, len(short))) == pytest.approx(idle_share(short))
