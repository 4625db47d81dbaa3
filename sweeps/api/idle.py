"""How much of a sweep's wall time went by without any worker training: what the tool itself costs."""

from collections.abc import Sequence

from sweeps.spans import covered
from sweeps.trial import Finished


def idle_share(trials: Sequence[Finished]) -> float:
    """Give the share of the time, from the first trial's start to the last one's end, when nothing trained.

    A trial trains for its ``fit_seconds`` up to its end, all of its time where that is not known; what the
    worker does besides (opening the data, scoring) counts as idle.

    Returns:
        0 to 1; 0 where there is no trial.
    """
    if not trials:
        return 0.0
    begin, end = min(t.trial.started for t in trials), max(t.ended for t in trials)
    busy = covered(_training(t) for t in trials)
    return max(0.0, 1 - busy / (end - begin)) if end > begin else 0.0


def _training(trial: Finished) -> tuple[float, float]:
    longest = trial.ended - trial.trial.started
    return trial.ended - min(longest, trial.outcome.metrics.get("fit_seconds", longest)), trial.ended
