"""Which search spaces have finitely many points, and which points those are."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from sweeps.space.hyperparameters import Hyperparameter, first_step, is_active, last_step, safe_exp
from sweeps.trial import Point

MOST_POINTS = 100_000
"""A space with more raw points counts as infinite."""

Values = Sequence[float | int]


def all_points(hyperparameters: Sequence[Hyperparameter]) -> list[Point] | None:
    """List the points of a search space; None where there are infinitely or very many.

    Two of them may give the same params.

    Args:
        hyperparameters: all of the space, one for each place, with sound arguments.
    """
    values = {found.label: _values(found) for found in hyperparameters}
    if any(found is None for found in values.values()):
        return None
    finite = {label: found for label, found in values.items() if found is not None}
    points = list(islice(_points(hyperparameters, finite, {}), MOST_POINTS + 1))
    return points if len(points) <= MOST_POINTS else None


def _points(
    hyperparameters: Sequence[Hyperparameter], values: Mapping[str, Values], point: Point
) -> Iterator[Point]:
    """Complete a point in every way."""
    free = (found.label for found in hyperparameters if found.label not in point and is_active(found, point))
    label = next(free, None)
    if label is None:
        yield point
        return
    for value in values[label]:
        yield from _points(hyperparameters, values, {**point, label: value})


def _values(found: Hyperparameter) -> Values | None:
    """Give the raw coordinates that are ever drawn; None where there are infinitely or very many."""
    args = found.args
    if found.distribution == "choice":
        return range(len(found.options))
    if found.distribution == "pchoice":
        return [index for index, share in enumerate(args["p"]) if share > 0]
    if found.distribution == "randint":
        low, high = found.reach
        return range(int(low), int(high) + 1)
    if found.distribution == "quniform":
        return _grid(args["low"], args["high"], args["q"])
    if found.distribution == "qloguniform":
        return _grid(safe_exp(args["low"]), safe_exp(args["high"]), args["q"])
    return None


def _grid(low: float, high: float, q: float) -> Values | None:
    """Give the multiples of q that draws between the bounds are rounded to."""
    if not (high - low) / q < MOST_POINTS:
        return None
    return [float(step) * q for step in range(int(first_step(low, q)), int(last_step(high, q)) + 1)]
