"""The description on a sweep's page in the MLflow UI, in Markdown; its first two lines are not folded."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweeps.markdown import link, plain, table
from sweeps.record import SweepRecord, varying
from sweeps.selection import pick, rank
from sweeps.tracking.links import compare_link, model_link, run_link, trials_link
from sweeps.trial import Finished, State

SHOWN = 5
COMPARED = 10


def note(record: SweepRecord, stopped: str = "") -> str:
    """Say what the sweep did, what came out, and where to look.

    Args:
        record: the sweep with its trials and finalists.
        stopped: why it ended; empty where that is not known.
    """
    came_out = " ".join(filter(None, [_winner(record), _model(record)]))
    parts = [_outcome(record, stopped), _links(record), came_out, _leaderboard(record), _failure(record)]
    return "\n\n".join(filter(None, parts))


def _outcome(record: SweepRecord, stopped: str) -> str:
    why = f" (ended by: {plain(stopped)})" if stopped else ""
    counts = ", ".join(f"{record.count(s)} {s.lower()}" for s in State if s.final and record.count(s))
    ended = f"**{record.state.capitalize()}** after {counts or 'no trial'}{why}."
    if record.best is None:
        return ended
    return f"{ended} Best rmse **{_short(record.best.outcome.rmse)}** in {_trial(record, record.best)}."


def _links(record: SweepRecord) -> str:
    where, best = record.experiment_id, [t.trial.run_id for t in rank(record.trials, COMPARED)]
    found = [
        link("all trials by rmse", trials_link("", where, record.run_id)),
        link("history of the best rmse", run_link("", where, record.run_id, "/model-metrics")),
    ]
    if len(best) > 1:
        found.append(link(f"the best {len(best)} side by side", compare_link("", where, best)))
    return "See " + ", ".join(found) + "."


def _winner(record: SweepRecord) -> str:
    trials = {t.number: t for t in record.trials}
    winner = pick(record.finalists) if record.finalists else None
    if winner is None or winner.number not in trials:
        return ""
    held_out = "" if winner.test_rmse is None else f", rmse **{_short(winner.test_rmse)}** on the test rows"
    return " ".join([f"Winner {_trial(record, trials[winner.number])}{held_out}.", *_finish(record)])


def _finish(record: SweepRecord) -> Iterator[str]:
    """Say what became of the winner, each model with its own figures."""
    blend, refit = record.blend, record.refit
    if blend is not None:
        scored = "" if blend.test_rmse is None else f", rmse **{_short(blend.test_rmse)}** on the test rows"
        taken = "taken in its place" if blend.taken else "not taken"
        yield f"The blend {plain(blend.formula)}{scored} was {taken}: {plain(blend.reason)}."
    if refit is not None:
        score = f"rmse **{_short(refit.test_rmse)}** on the test rows"
        yield f"Trained again on training and validation rows together it has {score}."


def _model(record: SweepRecord) -> str:
    if record.model is None:
        return ""
    model = record.model
    named = link(f"{model.name} version {model.version}", model_link("", model.name, model.version))
    return f"Registered as {named}, {plain(model.alias)}: {plain(model.reason)}."


def _leaderboard(record: SweepRecord) -> str:
    best = rank(record.trials, SHOWN)
    if not best:
        return ""
    tests = {f.number: f.test_rmse for f in record.finalists}
    searched = varying(record.trials)
    rows = [
        [
            _trial(record, trial),
            _short(trial.outcome.rmse),
            _short(tests.get(trial.number)),
            _params({k: v for k, v in trial.trial.proposal.params.items() if k in searched or not searched}),
        ]
        for trial in best
    ]
    return table(["trial", "rmse", "test rmse", "params"], rows)


def _failure(record: SweepRecord) -> str:
    failed = [t for t in record.trials if t.outcome.state is State.FAILED]
    return f"Last failure, {_trial(record, failed[-1])}: {plain(failed[-1].outcome.reason)}" if failed else ""


def _trial(record: SweepRecord, trial: Finished) -> str:
    target = run_link("", record.experiment_id, trial.trial.run_id)
    return f"[trial&nbsp;{trial.number}]({target})"  # on one line, in however narrow a cell


def _params(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{plain(name, 60)} {_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    if value is None:
        return "–"
    return plain(f"{value:.5g}" if isinstance(value, float) else value, 60)
