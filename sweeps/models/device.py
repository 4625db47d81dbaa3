"""Where XGBoost's models train: on a GPU where that is asked for, and never silently elsewhere.

What is kept of them is set to the CPU, so that it predicts on any machine.
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any

from sweeps.models.kinds import is_boosted


def boosters(estimator: Any) -> Iterator[Any]:
    """XGBoost's models in an estimator, fitted or not: itself, steps of pipelines, what wrappers hold."""
    waiting, seen = [estimator], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if is_boosted(one):
            yield one
        elif isinstance(one, list | tuple):
            waiting += one
        elif hasattr(one, "get_params") and not isinstance(one, type):
            waiting += getattr(one, "__dict__", {}).values()


def on_gpu(device: str | None) -> bool:
    """Whether a value of XGBoost's ``device`` means a GPU."""
    return str(device).startswith(("cuda", "gpu"))


def place(estimator: Any, device: str) -> None:
    """Have XGBoost's models train on a device; for ``cpu`` they stay as the user set them.

    Raises:
        ValueError: the user set one to another device.
    """
    if device == "cpu":
        return
    for part in boosters(estimator):
        if part.device not in (None, device):
            raise ValueError(f"device={part.device!r} contradicts --device {device} (leave it out)")
        part.set_params(device=device)


def check_gpu(estimator: Any) -> None:
    """Refuse to train where XGBoost would train on the CPU what is to train on a GPU.

    Raises:
        RuntimeError: it finds no GPU in this process.
    """
    for part in boosters(estimator):
        if on_gpu(part.device):
            import xgboost

            with warnings.catch_warnings(action="ignore"):  # the error says the same
                check_booster(xgboost.Booster({"device": part.device, "num_feature": 1}), part.device)


def check_booster(booster: Any, device: str | None) -> None:
    """Refuse a booster that has fallen back to the CPU, of which XGBoost only warns.

    Args:
        booster: configured or trained.
        device: that was asked for.

    Raises:
        RuntimeError: it is on the CPU, and should be on a GPU.
    """
    if not on_gpu(device):
        return
    if not on_gpu(json.loads(booster.save_config())["learner"]["generic_param"]["device"]):
        raise RuntimeError(f"device={device!r}: XGBoost finds no GPU here and falls back to the CPU")


def to_cpu(model: Any) -> None:
    """Set what was trained on a GPU to predict on the CPU; the trees stay."""
    for part in boosters(model):
        if on_gpu(part.device):
            part.device = "cpu"
            if part.__sklearn_is_fitted__():
                part.get_booster().set_param({"device": "cpu"})
