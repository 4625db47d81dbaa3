"""The command that runs a sweep of the same settings."""

import shlex
from collections.abc import Mapping
from typing import Any

DATA_OPTIONS = ("train", "valid", "test", "table", "target", "split-by", "categorical", "data-dir", "cv")
SWEEP_OPTIONS = ("seed", "algo", "prune", "engine", "workers", "threads", "features", "top", "refit")
DEFAULTS = {"algo": "tpe", "prune": "none", "engine": "local", "top": 5, "refit": "none"}
"""Options a command need not repeat."""


def run_command(settings: Mapping[str, Any]) -> str:
    """Give the command that runs a sweep of these settings; empty where they are not known."""
    data, stop = settings.get("data") or {}, settings.get("stop") or {}
    if not settings.get("space"):
        return ""
    words = ["sweeps", "run", str(settings["space"])]
    values: dict[str, Any] = {
        "data": data.get("name"),
        **{option: data.get(option.replace("-", "_")) for option in DATA_OPTIONS},
        "trials": stop.get("trials"),
        "time": _seconds(stop.get("seconds")),
        "target-rmse": stop.get("target"),
        "patience": stop.get("patience"),
        "trial-timeout": _seconds(settings.get("trial_timeout")),
        **{option: settings.get(option) for option in SWEEP_OPTIONS},
    }
    values["worker-env"] = settings.get("worker_env")
    for option in ("algo-option", "prune-option"):
        given = settings.get(f"{option.replace('-', '_')}s") or {}
        values[option] = [f"{name}={value}" for name, value in given.items()]
    for option, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and one != DEFAULTS.get(option):
                words += [f"--{option}", str(one)]
    return shlex.join([*words, "--blend"] if settings.get("blend") else words)


def _seconds(value: float | None) -> str | None:
    return f"{value:g}s" if value else None
