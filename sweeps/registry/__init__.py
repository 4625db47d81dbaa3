"""The model registry: log one self-contained model in a safe format, check that it loads back, promote it."""

from sweeps.registry.models import LoggedModel, find_model, load_pipeline, loads_back, log_model
from sweeps.registry.versions import Version, champion_of, check_model_name, promote

__all__ = [
    "LoggedModel",
    "Version",
    "champion_of",
    "check_model_name",
    "find_model",
    "load_pipeline",
    "loads_back",
    "log_model",
    "promote",
]
