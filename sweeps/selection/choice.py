"""Which trial wins, and whether it beats the champion."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.record import Finalist
from sweeps.trial import Finished, State


@dataclass(frozen=True)
class Verdict:
    """What becomes of a candidate."""

    alias: str
    """``champion`` or ``challenger``."""
    reason: str


def rank(trials: Sequence[Finished], k: int | None = None) -> list[Finished]:
    """Give the ``k`` best COMPLETE trials by rmse, the earlier one of equals first; all of them for None."""
    complete = [t for t in trials if t.outcome.state is State.COMPLETE and t.outcome.rmse is not None]
    return sorted(complete, key=lambda t: (t.outcome.rmse, t.number))[:k]


def pick(finalists: Sequence[Finalist]) -> Finalist:
    """Give the finalist with the lowest rmse on the test split; on validation where there is no test split.

    Where there is one, a finalist that could not be scored on it cannot win against one that was; nor can one
    that could not be trained again on all training rows against one that was.

    Raises:
        ValueError: there is no finalist.
    """
    tested = [(f.test_rmse, f.number, f) for f in finalists if f.test_rmse is not None]
    whole = [(f.whole_rmse, f.number, f) for f in finalists if f.whole_rmse is not None]
    return min(tested or whole or [(f.rmse, f.number, f) for f in finalists])[2]


def verdict(candidate: float, champion: float | None, trouble: str = "") -> Verdict:
    """Judge a candidate's rmse against the champion's on the same rows.

    Args:
        candidate: rmse of the candidate.
        champion: rmse of the present champion; None where there is none to compare with.
        trouble: why an existing champion could not be scored on these rows; it then stays champion.
    """
    if trouble:
        return Verdict("challenger", f"the champion could not be scored on these rows: {trouble}")
    if champion is None:
        return Verdict("champion", "the first version of this model")
    if candidate < champion:
        return Verdict(
            "champion", f"rmse {candidate:.6g} beats the champion's {champion:.6g} on the same rows"
        )
    return Verdict(
        "challenger", f"rmse {candidate:.6g} does not beat the champion's {champion:.6g} on the same rows"
    )
