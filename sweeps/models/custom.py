"""Run the user's own ``train(params, data, report)``."""

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from sweeps.models.fitted import Fitted
from sweeps.models.watch import Watch
from sweeps.trial import Fold

Train = Callable[[dict[str, Any], Fold, Callable[[int, float], None]], Any]


def fit_custom(train: Train, params: Mapping[str, Any], fold: Fold, *, watch: Watch | None = None) -> Fitted:
    """Call ``train`` and understand what it returns.

    Args:
        train: is given the params, the fold (``X_train``, ``y_train``, ``X_valid``, ``y_valid``; the last
            two are None when all rows are trained on, as for a refit) and ``report(step, rmse)``,
            which collects the curve, and does not return once the trial is pruned.
        params: of this trial.
        fold: the encoded data.
        watch: told of each report.

    Returns:
        ``metrics`` has "rmse" as train() returned it (not necessarily finite).

    Raises:
        TypeError: it returned, or reported, something that is not understood.
        ValueError: no "rmse" among the metrics, or a figure that is not finite.
    """
    curve: dict[int, float] = {}

    def report(step: Any, rmse: Any) -> None:
        if not isinstance(step, numbers.Integral):
            raise TypeError(f"report(step, rmse): step is {step!r}, not an int")
        curve[int(step)] = _finite(f"report({step}, rmse)", rmse)
        if watch is not None:
            watch.report(int(step), curve[int(step)])

    metrics, model = _understand(train(dict(params), fold, report))
    return Fitted(model, None, tuple(sorted(curve.items())), _figures(metrics))


def _understand(returned: Any) -> tuple[Mapping[str, Any], Any]:
    if isinstance(returned, tuple) and len(returned) == 2:
        metrics, model = returned
        return (metrics if isinstance(metrics, Mapping) else {"rmse": metrics}), model
    if isinstance(returned, Mapping):
        return {k: v for k, v in returned.items() if k != "model"}, returned.get("model")
    return {"rmse": returned}, None


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    if "rmse" not in metrics:
        raise ValueError(f"train() returned no 'rmse', only: {', '.join(map(str, metrics)) or 'nothing'}")
    rest = {str(k): _finite(f"train(): {k}", v) for k, v in metrics.items() if k != "rmse"}
    return {"rmse": _number("train(): rmse", metrics["rmse"]), **rest}


def _number(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        start = value[:80] if isinstance(value, str | bytes | bytearray | list | tuple) else value
        shown = f"{start!r:.80}"
        raise TypeError(
            f"{what} is {shown}, a {type(value).__name__}, not a number "
            "(return the rmse, a dict with 'rmse', or a tuple (metrics, model))"
        )
    return float(value)


def _finite(what: str, value: Any) -> float:
    number = _number(what, value)
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}, which is not finite")
    return number
