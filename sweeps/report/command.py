"""The command that runs a sweep of the same settings."""

import shlex
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

FILE_OPTIONS = ("train", "valid", "test", "table", "target", "split-by")
SEARCH_OPTIONS = ("seed", "algo", "prune", "engine", "workers", "threads", "device", "features", "sample")
RESULT_OPTIONS = ("top", "experiment", "refit")
GATE_OPTIONS = ("min-gain", "max-latency", "max-size", "segment")
DEFAULTS = {
    "algo": "tpe",
    "prune": "none",
    "engine": "local",
    "device": "cpu",
    "top": 5,
    "split-seed": 0,
    "min-gain": 0,
    "refit": "none",
}
"""Options a command need not repeat."""
UNITS = {"time": "s", "trial-timeout": "s", "min-gain": "%", "max-segment-loss": "%"}
"""With what their figures are typed."""

Settings = Mapping[str, Any]
Options = Iterator[tuple[str, Any]]
"""Pairs of a name and a value; None where it is not set, True for a flag, a list for one that is repeated."""


def run_command(settings: Settings) -> str:
    """Give the command that runs a sweep of these settings; empty where they are not known.

    All that decides what is done is in it. The name is not: another sweep gets one of its own.
    """
    if not settings.get("space"):
        return ""
    words = ["sweeps", "run", str(settings["space"])]
    for option, value in _options(settings):
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and one != DEFAULTS.get(option):
                words += [f"--{option}"] if one is True else [f"--{option}", _typed(option, one)]
    return shlex.join(words)


def _options(settings: Settings) -> Options:
    yield from _of_data(settings.get("data") or {})
    yield from _of_stop(settings.get("stop") or {})
    yield "trial-timeout", settings.get("trial_timeout")
    yield from _same((*SEARCH_OPTIONS, *RESULT_OPTIONS), settings)
    yield "blend", settings.get("blend") or None
    yield "worker-env", settings.get("worker_env")
    for option in ("algo-option", "prune-option"):
        given = settings.get(f"{option.replace('-', '_')}s") or {}
        yield option, [f"{name}={value}" for name, value in given.items()]
    yield from _of_registry(settings)


def _of_data(data: Settings) -> Options:
    yield "data", data.get("name")
    yield from _same(FILE_OPTIONS, data)
    yield "split-seed", data.get("seed")
    yield "categorical", ",".join(data.get("categorical") or ()) or None
    yield from _same(("data-dir", "cv"), data)


def _of_stop(stop: Settings) -> Options:
    yield "trials", stop.get("trials")
    yield "time", stop.get("seconds")
    yield "target-rmse", stop.get("target")
    yield from _same(("patience", "max-failures"), stop)


def _of_registry(settings: Settings) -> Options:
    """Where nothing is registered, the name of the model and the gate are of no use, and refused."""
    if settings.get("register") is False:
        yield "no-register", True
        return
    gate = settings.get("gate") or {}
    yield "register-as", settings.get("register_as")
    yield "gate", gate.get("kind")
    yield "confidence", gate.get("confidence") if gate.get("kind") == "significant" else None
    yield from _same(GATE_OPTIONS, gate)
    yield "max-segment-loss", gate.get("max_segment_loss") if gate.get("segment") else None


def _same(options: tuple[str, ...], settings: Settings) -> Options:
    """Those whose names are the settings' own."""
    yield from ((option, settings.get(option.replace("-", "_"))) for option in options)


def _typed(option: str, value: Any) -> str:
    """Write a value as its option reads it: figures in full, without an exponent."""
    if option not in UNITS and not isinstance(value, float):
        return str(value)
    unit = UNITS.get(option, "")
    digits = f"{100 * value:.15g}" if unit == "%" else str(value)  # all that a share was typed with
    return f"{Decimal(digits).normalize():f}{unit}"
