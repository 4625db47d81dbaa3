"""The note on top of a sweep's page in the MLflow UI, in Markdown."""

from sweeps.record import SweepRecord
from sweeps.selection import rank
from sweeps.trial import State


def note(record: SweepRecord, stopped: str) -> str:
    """Say what the sweep did and what came out.

    Args:
        record: the sweep with its trials and finalists.
        stopped: why it ended.
    """
    counts = ", ".join(f"{record.count(s)} {s.lower()}" for s in State if s.final and record.count(s))
    parts = [f"**{record.state.capitalize()}** after {counts or 'no trial'} (ended by: {stopped})."]
    if record.best is not None:
        parts.append(_leaderboard(record))
    if record.model is not None:
        model = record.model
        parts.append(
            f"Registered as **{model.name}** version {model.version}, {model.alias}: {model.reason}."
        )
    failed = [t for t in record.trials if t.outcome.state is State.FAILED]
    if failed:
        parts.append(f"Last failure (trial {failed[-1].number}): `{failed[-1].outcome.reason}`")
    return "\n\n".join(parts)


def _leaderboard(record: SweepRecord) -> str:
    tests = {f.number: f.test_rmse for f in record.finalists}
    rows = ["| trial | rmse | test rmse | params |", "|---|---|---|---|"]
    for trial in rank(record.trials, 5):
        test = tests.get(trial.number)
        params = ", ".join(f"{k}={_short(v)}" for k, v in trial.trial.proposal.params.items())
        rmse = _short(trial.outcome.rmse)
        rows.append(f"| {trial.number} | {rmse} | {'–' if test is None else _short(test)} | {params} |")
    return "\n".join(rows)


def _short(value: object) -> str:
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")[:60]
