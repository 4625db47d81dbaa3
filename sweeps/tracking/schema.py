"""What MLflow holds of a sweep: the names, and how a trial becomes text and comes back. Pure."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sweeps.errors import SpaceError
from sweeps.trial import Curve, Outcome, Params, Point, Proposal, State

KIND = "sweeps.kind"
STATE = "sweeps.state"
ERROR = "sweeps.error"
TRIAL = "sweeps.trial"
POINT = "sweeps.point"
SEED = "sweeps.seed"
WORKER = "sweeps.worker"
"""Host and process a trial ran in."""
BEST_TRIAL = "sweeps.best_trial"
FINALISTS = "sweeps.finalists"
MODEL = "sweeps.model"
FINISH = "sweeps.finish"
"""What became of the winner before it was registered, as JSON: ``blend`` and ``refit``, or null."""
OWNER = "sweeps.owner"
"""The process that drives the sweep, see ``sweeps.tracking.owner``; empty once it has ended."""
BEAT = "sweeps.beat"
"""Changes every few seconds as long as the sweep is driven."""
STOP = "sweeps.stop"
"""Somebody asks the driver to end the sweep."""
KEY = "sweeps.key"
"""Of the request that made the sweep's run, by which a second run of it is found."""
SETTINGS = "sweeps.settings"
"""The settings as JSON, where they fit: there from the first moment, which ``sweep.json`` is not."""
ENVIRONMENT = "sweeps.environment"
"""Versions, machine and threads as JSON: what a reproduction is compared with."""
RANGES = "ranges.json"
"""Artifact of the sweep: what was searched, as data."""
PREDICTIONS = "predictions.json"
"""Artifact of the sweep: what its winner predicts for held-out rows."""
DRIFT = "drift.json"
"""Artifact of the sweep: how its held-out rows differ from its training rows."""
PARENT = "mlflow.parentRunId"
RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"

RMSE = "rmse"
CURVE = "val_rmse"
"""Metric by boosting round or reported step: the thinned curve."""
FOLDS = "fold_rmse"
"""Metric by fold, from 0."""
RUNGS = "rung_rmse"
"""Metric by rung, a step of the pruner's: what the trial was judged by."""
HISTORIES = (CURVE, FOLDS, RUNGS)
"""Metrics of which more than the newest value is read."""

STATUS = {
    State.COMPLETE: "FINISHED",
    State.PRUNED: "KILLED",
    State.FAILED: "FAILED",
    State.LOST: "FAILED",
}
"""MLflow's word for the state of a trial."""

SWEEP_STATUS = {"COMPLETE": "FINISHED", "INTERRUPTED": "KILLED", "FAILED": "FAILED"}
"""MLflow's word for the state of a sweep."""

MAX_KEY = 250
MAX_TAG = 8000
MAX_PARAM = 6000
MAX_ERROR = 5000
CURVE_POINTS = 50

WORDS = {"True": True, "False": False, "None": None}


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
    """Read a param as the value it was written from, a number, truth value or None; all else stays text."""
    if not text[-1:].isdigit():
        return WORDS.get(text, text)
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text:
            return value
    return text


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
    """Give a name MLflow takes for a param or metric, with ``_`` for what it refuses.

    MLflow reads a name as a path, and wants it in its shortest form.
    """
    parts = re.sub(r"[^\w .:/-]", "_", name)[:MAX_KEY].split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")).strip("/. ") or "_"


def legal_names(names: Iterable[str]) -> dict[str, str]:
    """Give each name its legal one; of several that would become the same the later ones get a number."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        wanted = found = legal(name)
        count = 1
        while found in taken:
            count += 1
            found = f"{wanted[: MAX_KEY - 8]}_{count}"
        taken.add(found)
        given[name] = found
    return given


def param_texts(params: Params) -> dict[str, str]:
    """Give params as MLflow takes them: legal names, values as text."""
    names = legal_names(params)
    return {names[name]: param_text(value) for name, value in params.items()}


def param_text(value: Any) -> str:
    """Write a param; one that MLflow could not hold ends in an ellipsis (the point stays exact)."""
    text = str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()  # PostgreSQL knows no NUL
    return text if len(text) <= MAX_PARAM else text[: MAX_PARAM - 1] + "…"


def figures(outcome: Outcome) -> dict[str, float]:
    """Give the metrics of a trial that are worth logging: finite ones, MLflow turns others into lies."""
    named = {RMSE: outcome.rmse, **{k: v for k, v in outcome.metrics.items() if k != RMSE}}
    sound = {name: value for name, value in named.items() if value is not None and math.isfinite(value)}
    names = legal_names(sound)
    return {names[name]: float(value) for name, value in sound.items()}


def outcome_of(
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
    histories: Mapping[str, Sequence[tuple[int, float]]] = MappingProxyType({}),
) -> Outcome:
    """Rebuild an outcome, without its model.

    Args:
        tags: of the trial's run.
        metrics: the newest value of each.
        histories: pairs of step and value of those in ``HISTORIES``, where they were read.

    Raises:
        ValueError: the state is not a final one, or does not fit the metrics.
    """
    state = State(tags.get(STATE, State.RUNNING))
    return Outcome(
        state,
        metrics.get(RMSE),
        {name: value for name, value in metrics.items() if name not in (RMSE, *HISTORIES)},
        curve=tuple(histories.get(CURVE, ())),
        folds=tuple(value for _, value in histories.get(FOLDS, ())),
        rungs=tuple(histories.get(RUNGS, ())),
        error=tags.get(ERROR) or (None if state is State.COMPLETE else "the reason was not recorded"),
        worker=tags.get(WORKER, ""),
    )


def thinned(curve: Curve, most: int = CURVE_POINTS) -> Curve:
    """Keep at most ``most`` points of a curve, dense at the start, with the best and the last one."""
    points = finite(curve)
    if len(points) <= most:
        return tuple(points)
    last = len(points) - 1
    best = min(range(len(points)), key=lambda i: points[i][1])
    spaced = {round(math.exp(math.log(last + 1) * i / (most - 2))) - 1 for i in range(most - 1)}
    return tuple(points[i] for i in sorted(spaced | {best, last}))


def finite(curve: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Give the points that MLflow can hold, by step."""
    points = [(int(step), float(value)) for step, value in curve if math.isfinite(value)]
    return sorted(points, key=lambda point: point[0])
