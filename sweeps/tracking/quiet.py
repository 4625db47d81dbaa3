"""How MLflow behaves inside our processes; to be called before MLflow is first imported."""

import logging
import os
import warnings

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # no network but the user's own store
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # also saves a request per trial
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",  # a cut value is damage, an error is not
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",  # MLflow sets its level when imported
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",  # credentials go to the named server and to no other
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # by default minutes of silence before an error
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""What we set where the user has not: the user's own environment wins."""

NOISY = {
    "mlflow": logging.ERROR,
    "mlflow.store.db.utils": logging.CRITICAL,  # a traceback of what it raises as well
    "alembic": logging.ERROR,
    "git": logging.ERROR,
}
"""Whose log lines the user is spared, below which level."""


def quiet() -> None:
    """Set MLflow's environment and keep its log lines off the terminal."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # no git installed is no error
    for logger, level in NOISY.items():
        logging.getLogger(logger).setLevel(level)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"mlflow\..*")
