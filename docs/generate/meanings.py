"""What no object of the code says in words: JSON keys and environment variables.

A word on what the code does not have does no harm: it is not shown.
"""

OPEN = {"best.params", "history[].params", "history[].metrics", "params", "metrics", "point"}
"""Objects whose keys are the user's own, or differ from model to model."""

TRIAL = {
    "trial": "Its number, from 0.",
    "run_id": "Its MLflow run id.",
    "state": "COMPLETE, PRUNED, FAILED or LOST.",
    "rmse": "On the validation rows; null for a trial without one.",
    "metrics": "Further figures: `mae`, `r2`, `fit_seconds`, `best_iteration` …",
    "params": "What the model received.",
    "seed": "Of its training.",
    "started": "Unix time in seconds.",
    "seconds": "How long it took, on the wall.",
    "error": "The last line of what went wrong; null for a COMPLETE trial.",
}
MEANINGS = {
    "sweep": "The MLflow run id of the sweep.",
    "name": "Its name.",
    "experiment": "The MLflow experiment it is in.",
    "state": "RUNNING, COMPLETE, INTERRUPTED or FAILED; of a trial COMPLETE, PRUNED, FAILED or LOST.",
    "trials": "How many trials ended in each state.",
    "trials.complete": "Trained and scored.",
    "trials.pruned": "Stopped early as hopeless.",
    "trials.failed": "Raised, or gave no finite rmse.",
    "trials.lost": "The worker died, or the sweep was interrupted; these are tried again.",
    "best": "The trial with the lowest rmse on the validation rows; null where none is COMPLETE.",
    "best.trial": TRIAL["trial"],
    "best.run_id": TRIAL["run_id"],
    "best.params": TRIAL["params"],
    "best.rmse": "On the validation rows.",
    "finalists": "The best trials, scored on the test rows; empty for an interrupted sweep.",
    "finalists[].trial": TRIAL["trial"],
    "finalists[].rmse": "On the validation rows.",
    "finalists[].test_rmse": "On the test rows; null where there are none.",
    "test_rmse": "Of the winner, the finalist that was chosen; null where there are no test rows.",
    "model": "The registered version; null where nothing was registered.",
    "model.name": "The registered model.",
    "model.version": "Its version.",
    "model.alias": "`champion` or `challenger`.",
    "model.uri": "What `mlflow.pyfunc.load_model` takes.",
    "seconds": "From start to end, on the wall; null while it runs.",
    "overhead": "Share of the trials' wall time in which no worker trained.",
    "ui": "Address of its trials in the MLflow UI, where a server runs.",
    "compare": "Address of the comparison of the best ten there; null where fewer than two have an rmse.",
    "running": "How many trials run now.",
    "history": "Every finished trial, by number.",
    **{f"history[].{key}": text for key, text in TRIAL.items()},
    **{key: text for key, text in TRIAL.items() if key != "state"},
    "point": "Hyperopt's raw coordinates by label; the index for a choice.",
    "traceback": "Of a failed trial; null for others.",
    "curve": "The rmse on the validation rows by step.",
}

VARIABLES = {
    "PYTHONIOENCODING": "What standard output is written in; without Unicode, plain signs are used.",
    "PYTHONUTF8": "1: terminals are taken to show Unicode, whatever the locale says.",
    "TERM": "`dumb`, or unset: no live view and no control codes.",
    "MLFLOW_TRACKING_URI": "The store, where `--tracking-uri` is not given.",
    "MLFLOW_REGISTRY_URI": "The model registry, where it is not in the store.",
    "MLFLOW_TRACKING_USERNAME": "User name for a server with basic authentication.",
    "MLFLOW_TRACKING_PASSWORD": "Its password.",
    "MLFLOW_TRACKING_TOKEN": "Bearer token for a server that wants one.",
    "MLFLOW_TRACKING_SERVER_CERT_PATH": "Certificates to check the server's by.",
    "MLFLOW_TRACKING_INSECURE_TLS": "`true`: the server's certificate is not checked.",
    "SWEEPS_DATA_DIR": "Where downloaded months lie, where `--data-dir` is not given.",
    "SWEEPS_CACHE_DIR": "Where encoded data is kept between sweeps, and what waits for the store.",
    "XDG_CACHE_HOME": "The same, as `$XDG_CACHE_HOME/sweeps`.",
    "BROWSER": "With `DISPLAY` or `WAYLAND_DISPLAY`: `sweeps ui` opens a browser where one of them is set.",
}
