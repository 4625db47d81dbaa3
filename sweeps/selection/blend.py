"""A weighted average of models: which of them, and with which weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeps.record import Member

ROUNDS = 50
"""So many draws of a model: weights are multiples of a fiftieth or of a coarser share."""
LEAST_GAIN = 1e-9
"""Share of the mean squared error by which a further draw must lower it; less is rounding."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """An average of models, as it was chosen on some rows."""

    members: tuple[Member, ...]
    """The heaviest first, of equals the lower number."""
    rmse: float
    """Of the average, on the rows it was chosen on; not above that of the best model there."""


def greedy(predictions: Mapping[int, Values], truth: Values, *, rounds: int = ROUNDS) -> Mixture:
    """Choose an average by forward selection with replacement.

    Beginning with the best model, each round adds the model, perhaps one that is in already, with which the
    average has the lowest rmse; the best average of all rounds is kept, of equals the earliest (R. Caruana,
    A. Niculescu-Mizil, G. Crew, A. Ksikes, Ensemble Selection from Libraries of Models, ICML 2004). The order
    of the models does not matter: of equals the lower number goes first.

    Args:
        predictions: of each model by its number, (rows,); a model whose rmse is not finite is left out.
        truth: (rows,).
        rounds: how many.

    Raises:
        ValueError: no model has a finite rmse, as where there is no row.
    """
    numbers = sorted(n for n, values in predictions.items() if truth.size and _is_sound(values - truth))
    if not numbers:
        raise ValueError(f"none of {len(predictions)} models has a finite rmse on {truth.size} rows")
    errors = np.stack([predictions[n] - truth for n in numbers])
    drawn = _draw(errors @ errors.T / truth.size, rounds)
    shares = drawn / drawn.sum()
    members = [Member(number, float(share)) for number, share in zip(numbers, shares, strict=True) if share]
    rmse = float(np.sqrt(np.mean((shares @ errors) ** 2)))
    return Mixture(tuple(sorted(members, key=lambda one: (-one.weight, one.number))), rmse)


def _is_sound(errors: Values) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.mean(errors**2)))


def _draw(products: Values, rounds: int) -> Values:
    """Give how often each model was drawn in the best round.

    Args:
        products: mean products of the errors of each two models, (models, models): an average with weights w
            has the mean squared error w @ products @ w.
        rounds: how many.
    """
    counts = np.zeros(len(products))
    best, lowest = counts, np.inf
    for total in range(1, rounds + 1):
        now = counts @ products
        squares = (counts @ now + 2 * now + np.diag(products)) / total**2
        added = int(np.argmin(squares))
        counts[added] += 1
        if squares[added] < lowest * (1 - LEAST_GAIN):
            best, lowest = counts.copy(), float(squares[added])
    return best
