"""The model registry: log one self-contained model in a safe format, check that it loads back, promote it."""

from sweeps.registry.aliases import reconcile
from sweeps.registry.evidence import keep_evidence
from sweeps.registry.forms import form_of
from sweeps.registry.going_back import rollback
from sweeps.registry.inspection import inspect_model
from sweeps.registry.journal import Event, history, who
from sweeps.registry.models import (
    BrokenModelError,
    LoggedModel,
    find_model,
    load_pipeline,
    loads_back,
    log_model,
    predict_safely,
    refuse_model,
)
from sweeps.registry.promotion import Judge, Judged, promote
from sweeps.registry.standing import Version
from sweeps.registry.versions import Candidate, champion_of, check_model_name

__all__ = [
    "BrokenModelError",
    "Candidate",
    "Event",
    "Judge",
    "Judged",
    "LoggedModel",
    "Version",
    "champion_of",
    "check_model_name",
    "find_model",
    "form_of",
    "history",
    "inspect_model",
    "keep_evidence",
    "load_pipeline",
    "loads_back",
    "log_model",
    "predict_safely",
    "promote",
    "reconcile",
    "refuse_model",
    "rollback",
    "who",
]
