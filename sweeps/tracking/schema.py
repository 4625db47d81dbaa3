"""What MLflow holds of a sweep: the names, and how a trial becomes text and comes back. Pure."""

import ast
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from sweeps.errors import SpaceError
from sweeps.trial import Curve, Outcome, Params, Point, Proposal, State

KIND = "sweeps.kind"
STATE = "sweeps.state"
ERROR = "sweeps.error"
TRIAL = "sweeps.trial"
POINT = "sweeps.point"
SEED = "sweeps.seed"
BEST_TRIAL = "sweeps.best_trial"
FINALISTS = "sweeps.finalists"
MODEL = "sweeps.model"
PARENT = "mlflow.parentRunId"
RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"

STATUS = {
    State.COMPLETE: "FINISHED",
    State.PRUNED: "KILLED",
    State.FAILED: "FAILED",
    State.LOST: "FAILED",
}
"""MLflow's word for the state of a trial."""

SWEEP_STATUS = {"COMPLETE": "FINISHED", "INTERRUPTED": "KILLED", "FAILED": "FAILED"}
"""MLflow's word for the state of a sweep."""

MAX_TAG = 8000
MAX_PARAM = 6000
MAX_ERROR = 5000
CURVE_POINTS = 50


def trial_name(number: int) -> str:
    """Name a trial's run."""
    return f"trial-{number:04d}"


def trial_tags(proposal: Proposal, parent: str) -> dict[str, str]:
    """Give the tags a trial's run is made with; the point is exact, so that a replay is.

    Raises:
        SpaceError: the point does not fit into a tag.
    """
    point = json.dumps(dict(proposal.point), separators=(",", ":"))
    if len(point) > MAX_TAG:
        raise SpaceError(
            "search space",
            f"a point takes {len(point)} characters, MLflow keeps {MAX_TAG}",
            "use fewer or shorter labels",
        )
    return {
        PARENT: parent,
        KIND: "trial",
        TRIAL: str(proposal.number),
        POINT: point,
        SEED: str(proposal.seed),
        STATE: str(State.RUNNING),
    }


def read_proposal(tags: Mapping[str, str], params: Mapping[str, str]) -> Proposal:
    """Rebuild a proposal; ``params`` come back flat, as numbers and truth values where they look like it.

    Raises:
        KeyError: a tag is missing.
        ValueError: a tag is damaged.
    """
    point: Point = json.loads(tags[POINT])
    values = {name: value_of(text) for name, text in params.items()}
    return Proposal(int(tags[TRIAL]), point, values, int(tags[SEED]))


def value_of(text: str) -> Any:
    """Read a param as the value it was written from; anything but a number, bool or None stays text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def flat(params: Params, prefix: str = "") -> dict[str, Any]:
    """Flatten nested params with dots."""
    result: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[f"{prefix}{name}"] = getattr(value, "__name__", value)
    return result


def legal(name: str) -> str:
    """Give a name MLflow takes for a param or metric, with ``_`` for what it refuses."""
    return re.sub(r"[^\w .:/-]", "_", name).strip("/. ")[:250] or "_"


def param_text(value: Any) -> str:
    """Write a param; one that MLflow could not hold ends in an ellipsis (the point stays exact)."""
    text = str(value)
    return text if len(text) <= MAX_PARAM else text[: MAX_PARAM - 1] + "…"


def figures(outcome: Outcome) -> dict[str, float]:
    """Give the metrics of a trial that are worth logging: finite ones, MLflow turns others into lies."""
    named = {"rmse": outcome.rmse, **outcome.metrics}
    finite = {name: value for name, value in named.items() if value is not None and math.isfinite(value)}
    return {legal(name): float(value) for name, value in finite.items()}


def outcome_of(tags: Mapping[str, str], metrics: Mapping[str, float]) -> Outcome:
    """Rebuild an outcome, without its curve and model.

    Raises:
        ValueError: the state is not a final one, or does not fit the metrics.
    """
    state = State(tags.get(STATE, State.RUNNING))
    others = {name: value for name, value in metrics.items() if name not in ("rmse", "val_rmse")}
    error = tags.get(ERROR) or (None if state is State.COMPLETE else "the reason was not recorded")
    return Outcome(state, metrics.get("rmse"), others, error=error)


def thinned(curve: Curve, most: int = CURVE_POINTS) -> Curve:
    """Keep at most ``most`` points of a curve, dense at the start, with the best and the last one."""
    finite = [point for point in curve if math.isfinite(point[1])]
    if len(finite) <= most:
        return tuple(finite)
    last = len(finite) - 1
    best = min(range(len(finite)), key=lambda i: finite[i][1])
    spaced = {round(math.exp(math.log(last + 1) * i / (most - 2))) - 1 for i in range(most - 1)}
    return tuple(finite[i] for i in sorted(spaced | {best, last}))
