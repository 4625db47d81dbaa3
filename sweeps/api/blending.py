"""An average of finalists as one model, and whether it is better than the single winner.

See docs/decisions/0027.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweeps.api.checks import check_segments, segments
from sweeps.api.finals import predict, squared_errors
from sweeps.data.datasets import Split
from sweeps.record import Member
from sweeps.selection.blend import Mixture, greedy
from sweeps.selection.choice import Verdict
from sweeps.selection.comparison import compare, seed_of
from sweeps.selection.gate import Gate, decide
from sweeps.tracking.schema import trial_name


class Trial(NamedTuple):
    """How a blend fares beside the winner, on the test rows."""

    verdict: Verdict
    """``champion`` where it is the better one by the standard of the gate."""
    rmse: float
    squared: NDArray[np.float64]
    """Its squared errors, (rows,)."""


def mix(pipelines: Mapping[int, Any], valid: Split) -> Mixture:
    """Choose members and weights by the predictions for the validation rows."""
    return greedy({number: predict(pipeline, valid) for number, pipeline in pipelines.items()}, valid.y)


def averaged(members: Sequence[Member], pipelines: Mapping[int, Any]) -> Any:
    """Make one model from raw rows to predictions: scikit-learn's own weighted average of fitted pipelines.

    Args:
        members: with their weights.
        pipelines: fitted, by trial; they stay as they are.
    """
    from sklearn.base import clone
    from sklearn.ensemble import VotingRegressor

    parts = {trial_name(m.number): _on_its_own(pipelines[m.number]) for m in members}
    weights = [m.weight for m in members]
    model = VotingRegressor([(name, clone(part)) for name, part in parts.items()], weights=weights)
    model.estimators_ = list(parts.values())  # as fit() leaves it, but for a second copy of them by name
    return model


def _on_its_own(pipeline: Any) -> Any:
    """Give a pipeline that shares no features with another: the safe format writes what is shared twice."""
    from sklearn.pipeline import Pipeline

    features, model = pipeline.steps
    return Pipeline([copy.deepcopy(features), model])


def beside_winner(gate: Gate, winner: Any, blend: Any, test: Split) -> Trial:
    """Compare a blend with the winner by the standard of the gate; where that asks nothing, by lower rmse.

    The winner was chosen on these rows, which flatters it; the blend was not.

    Args:
        gate: the verdict asked for.
        winner: its pipeline.
        blend: likewise.
        test: rows that neither was trained on, and no weight was chosen on.
    """
    asked = replace(gate, kind="better") if gate.kind == "none" else gate
    own, theirs = (squared_errors(predict(pipeline, test), test) for pipeline in (blend, winner))
    comparison = compare(own, theirs, confidence=gate.confidence, seed=seed_of(test.digest))
    checks = list(check_segments(gate, segments(gate, test, own, theirs)))
    return Trial(decide(asked, comparison, None, checks, "the winner's"), comparison.rmse, own)
