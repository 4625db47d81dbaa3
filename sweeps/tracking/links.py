"""Links into the MLflow UI, also relative ones (base ``""``) that work on whatever server shows them.

``workflowType`` picks the sidebar for model training, not the one for language models.
"""

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

TRAINING = "workflowType=machine_learning"
BY_RMSE = "metrics.`rmse`"
MOST_COMPARED = 10


def server_of(uri: str) -> str | None:
    """Give the address of the server that a store is, without user and password; None for a database."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl().rstrip("/")


def trials_link(base: str, experiment_id: str, sweep: str) -> str:
    """Give the table of a sweep's trials, flat, the lowest rmse first."""
    of_sweep, by_rmse = _quoted(trials_filter(sweep)), _quoted(BY_RMSE)
    order = f"searchFilter={of_sweep}&orderByKey={by_rmse}&orderByAsc=true"
    return f"{_page(base, experiment_id, 'runs')}&{order}"


def view_link(base: str, experiment_id: str, key: str) -> str:
    """Give a view that is kept with the experiment, see ``sweeps.tracking.views``."""
    return f"{_page(base, experiment_id, 'runs')}&compareRunsMode=CHART&viewStateShareKey={key}"


def run_link(base: str, experiment_id: str, run_id: str, tab: str = "") -> str:
    """Give the page of a run, of a sweep's or of a trial's; ``tab`` may be ``/model-metrics``."""
    return _page(base, experiment_id, f"runs/{run_id}{tab}")


def compare_link(base: str, experiment_id: str, runs: Sequence[str]) -> str:
    """Give the page that compares runs, at most ten of them, side by side."""
    ids, experiments = (_quoted(json.dumps(some)) for some in (list(runs)[:MOST_COMPARED], [experiment_id]))
    return f"{_root(base)}/compare-runs?runs={ids}&experiments={experiments}&{TRAINING}"


def model_link(base: str, name: str, version: int | None = None) -> str:
    """Give the page of a registered model, or of one of its versions."""
    tail = "" if version is None else f"/versions/{version}"
    return f"{_root(base)}/models/{_quoted(name)}{tail}?{TRAINING}"


def trials_filter(sweep: str) -> str:
    """Give the search that finds a sweep's trials."""
    return f"tags.`mlflow.parentRunId` = '{sweep}'"


def _root(base: str) -> str:
    return f"{base.rstrip('/')}/#" if base else "#"


def _page(base: str, experiment_id: str, page: str) -> str:
    return f"{_root(base)}/experiments/{experiment_id}/{page}?{TRAINING}"


def _quoted(text: str) -> str:
    return quote(text, safe="")
