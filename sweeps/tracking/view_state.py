"""What a view of the MLflow UI shows of a sweep: a private format, see ``sweeps.tracking.views``. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sweeps.record import SweepRecord, varying
from sweeps.tracking import schema
from sweeps.tracking.links import BY_RMSE, trials_filter
from sweeps.trial import Finished

Json = dict[str, Any]

MOST_AXES = 12
"""More cannot be told apart in one chart."""
MOST_SHAPES = 4
"""Charts of params for a space with branches."""
LISTED = 100
"""The UI loads so many trials at first: the best."""
COLUMNS = ("rmse", "test_rmse", "fit_seconds")


def state_of(record: SweepRecord) -> str:
    """Give the state of a view: the sweep's trials, the lowest rmse first, with charts and columns."""
    shapes = shapes_of(record.trials)
    names = list(dict.fromkeys(name for shape in shapes for name in shape))[:MOST_AXES]
    sections = [
        _section("params", "Params and rmse", columns=1, height=420),
        _section("course", "Course of the sweep", columns=2, height=360),
        _section("slices", "rmse by param", columns=3, height=320),
        # The UI adds a chart for every metric of which there is none; they wait in a section that is folded.
        {"uuid": "others", "name": "Model metrics", "display": False, "isReordered": False},
    ]
    charts = [*map(_parallel, shapes), *_course(), *map(_slice, names)]
    state = {
        "searchFilter": trials_filter(record.run_id),
        "orderByKey": BY_RMSE,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _columns(names),
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": [{**chart, "uuid": f"sweeps-{n}"} for n, chart in enumerate(charts)],
        "compareRunSections": sections,
        "isAccordionReordered": True,
    }
    return json.dumps(state, separators=(",", ":"))


def shapes_of(trials: Sequence[Finished]) -> list[list[str]]:
    """Give the params for each chart of parallel coordinates: those that differ, in the order of logging.

    MLflow draws only trials that have every param of a chart. So where a space has branches, the first chart
    has the params that all trials share, and each of the commonest branches has one that adds its own.
    """
    scored = [t for t in trials if t.outcome.rmse is not None]
    branches: dict[frozenset[str], list[Finished]] = defaultdict(list)
    for trial in scored:
        branches[frozenset(trial.trial.proposal.params)].append(trial)
    shared = [name for name in varying(scored) if all(name in names for names in branches)]
    commonest = sorted(branches.values(), key=len, reverse=True)[:MOST_SHAPES]
    shapes = [shared, *([*shared, *varying(branch)] for branch in commonest)]
    distinct = dict.fromkeys(tuple(dict.fromkeys(shape))[:MOST_AXES] for shape in shapes if shape)
    return [list(shape) for shape in distinct]


def _columns(params: Iterable[str]) -> list[str]:
    metrics = [f"metrics.`{name}`" for name in COLUMNS]
    return [*metrics, "attributes.`Models`", *(f"params.`{p}`" for p in params), f"tags.`{schema.STATE}`"]


def _parallel(params: list[str]) -> Json:
    chart = {"selectedParams": params, "selectedMetrics": [schema.RMSE], "showAllRuns": True}
    return _chart("PARALLEL", "params", **chart)


def _course() -> list[Json]:
    return [
        _line(schema.RMSE, "time", displayPoints=True),
        _line(schema.CURVE, "step"),
    ]


def _line(metric: str, axis: str, **more: Any) -> Json:
    keys = {"metricKey": metric, "selectedMetricKeys": [metric]}
    return _chart("LINE", "course", **keys, xAxisKey=axis, useGlobalXaxisKey=False, **more)


def _slice(param: str) -> Json:
    x, y = {"key": param, "type": "PARAM"}, {"key": schema.RMSE, "type": "METRIC"}
    return _chart("SCATTER", "slices", xaxis=x, yaxis=y)


def _chart(kind: str, section: str, **more: Any) -> Json:
    head = {"type": kind, "metricSectionId": section, "deleted": False, "isGenerated": False}
    return {**head, "runsCountToCompare": LISTED, **more}


def _section(uuid: str, name: str, columns: int, height: int) -> Json:
    size = {"columns": columns, "cardHeight": height}
    return {"uuid": uuid, "name": name, "display": True, "isReordered": True, **size}
