"""Whether validation and test agree on the finalists."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.record import Finalist, SweepRecord
from sweeps.selection import pick


@dataclass(frozen=True)
class Agreement:
    """The finalists on validation against the same on test."""

    finalists: int
    """Scored on both."""
    winner: Finalist
    first: Finalist
    """The best on validation."""
    shift: float
    """Median of test rmse over validation rmse, less 1."""
    rank_correlation: float | None
    """Spearman's, -1 to 1; None for fewer than three finalists, or equal ones."""
    wins: float | None
    """Share of bootstrap draws of the test rows on which the winner has the lowest rmse."""
    equals: tuple[int, ...]
    """Numbers of the other finalists that win one draw in ten or more: as good, as far as these rows tell."""


def agreement(record: SweepRecord) -> Agreement | None:
    """Compare validation and test; None where fewer than two finalists have a test rmse."""
    scored = [f for f in record.finalists if f.test_rmse is not None]
    if len(scored) < 2:
        return None
    winner, first = pick(scored), min(scored, key=lambda f: (f.own_rmse, f.number))
    equals = tuple(f.number for f in scored if f.number != winner.number and (f.wins or 0) >= 0.1)
    ratios = sorted((f.test_rmse or 0.0) / f.own_rmse for f in scored if f.own_rmse)
    shift = ratios[len(ratios) // 2] - 1 if ratios else 0.0
    return Agreement(len(scored), winner, first, shift, _spearman(scored), winner.wins, equals)


def _spearman(scored: Sequence[Finalist]) -> float | None:
    from scipy.stats import spearmanr

    valid, test = [f.own_rmse for f in scored], [f.test_rmse or 0.0 for f in scored]
    if len(scored) < 3 or len(set(valid)) == 1 or len(set(test)) == 1:
        return None
    return float(spearmanr(valid, test).statistic)
