"""What a sweep leaves on disk and asks of the tracking store: pure.

The constants were measured: docs/decisions/0020-preview-times-before-it-forecasts.md.
"""

from dataclasses import dataclass

STORE_BYTES = 1_050_000
"""A new SQLite store, once."""
TRIAL_BYTES, PARAM_BYTES, STEP_BYTES = 3_700, 190, 90
"""In SQLite, of a trial without params, for each param, for each step of its curve."""
MOST_STEPS = 110
"""Longer curves are thinned."""
REPORT_BYTES = 200_000
SQLITE_SECONDS, SERVER_SECONDS = 0.005, 0.065
"""Of writing a trial, in a thread beside the trials."""


@dataclass(frozen=True)
class Disk:
    """Bytes."""

    store: int
    """What the trials add to the database."""
    scratch: int
    """Models of the best trials, in a temporary folder while the sweep runs."""
    model: int
    """The winner's model, among the artifacts; 0 where its size is not known."""


@dataclass(frozen=True)
class Tracking:
    """Seconds of writing over the whole sweep; trials do not wait for it."""

    sqlite: float
    server: float


def disk(trials: int, params: float, steps: float, model: int, top: int) -> Disk:
    """Forecast what a sweep leaves on disk.

    Args:
        trials: of the sweep.
        params: of a trial, on average.
        steps: of a trial's curve, on average.
        model: bytes of a model.
        top: models kept while the sweep runs.
    """
    each = TRIAL_BYTES + PARAM_BYTES * params + STEP_BYTES * min(steps, MOST_STEPS)
    return Disk(round(trials * each) + REPORT_BYTES, min(trials, top) * model, model)


def tracking(trials: int) -> Tracking:
    """Forecast the time that writing takes."""
    return Tracking(trials * SQLITE_SECONDS, trials * SERVER_SECONDS)
