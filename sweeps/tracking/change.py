"""What one write adds to a run. Both ways of writing (``by_client``, ``by_sql``) make the same rows of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sweeps.credentials import redact
from sweeps.errors import one_line
from sweeps.markdown import plain
from sweeps.tracking import schema
from sweeps.trial import Outcome, Params, Proposal, State

MOST_SAID = 1000
"""Characters of a reason in a run's description; each may take six there."""


class Point(NamedTuple):
    """One value of a metric."""

    key: str
    value: float
    timestamp: int
    """Unix time in milliseconds."""
    step: int


@dataclass(frozen=True)
class Entry:
    """A trial that began, ended, or both, since the last write."""

    proposal: Proposal
    began: float | None = None
    """Unix time in seconds; None: its run exists already."""
    outcome: Outcome | None = None
    """None: it runs."""
    ended: float = 0.0
    """Unix time in seconds, where there is an outcome."""


@dataclass(frozen=True)
class Change:
    """What is to be added to one run."""

    run_id: str | None
    """None: the run is yet to be made."""
    name: str = ""
    started: int = 0
    """Unix time in milliseconds, of a run to be made; as is ``ended``."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """A run to be made has these from the start."""
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[Point] = ()
    verdict: Mapping[str, str] = field(default_factory=dict)
    """Tags written last: whoever sees them sees all the rest."""
    status: str | None = None
    """MLflow's word for the final state; None: the run goes on."""
    ended: int | None = None
    error: str = ""
    """Kept as the artifact ``error.txt``."""


@dataclass(frozen=True)
class Draft:
    """Turns what the loop says of trials into what is written of their runs.

    Args:
        parent: run id of the sweep.
        context: tags every run has.
        describe: gives a trial's params as they are to be logged, flat.
    """

    parent: str
    context: Mapping[str, str]
    describe: Callable[[Params], Params]

    def change(self, entry: Entry, run_id: str | None) -> Change:
        """Give what is to be written.

        Raises:
            SpaceError: the point does not fit into a tag.
        """
        change = Change(run_id) if entry.began is None else self._birth(entry.proposal, entry.began)
        return (
            change if entry.outcome is None else self._end(change, entry.outcome, milliseconds(entry.ended))
        )

    def _birth(self, proposal: Proposal, began: float) -> Change:
        return Change(
            None,
            name=schema.trial_name(proposal.number),
            started=milliseconds(began),
            tags={**self.context, **schema.trial_tags(proposal, self.parent)},
            params=schema.param_texts(self.describe(proposal.params)),
        )

    def _end(self, change: Change, outcome: Outcome, now: int) -> Change:
        return replace(
            change,
            metrics=_points(outcome, now),
            verdict=_verdict(outcome),
            status=schema.STATUS[outcome.state],
            ended=now,
            error=redact(outcome.error or "") if outcome.state is State.FAILED else "",
        )


def milliseconds(seconds: float) -> int:
    """Give MLflow's time for ours."""
    return int(seconds * 1000)


def _verdict(outcome: Outcome) -> dict[str, str]:
    tags = {schema.STATE: str(outcome.state)}
    if outcome.worker:
        tags[schema.WORKER] = outcome.worker
    if outcome.reason:
        tags[schema.ERROR] = one_line(redact(outcome.reason))[: schema.MAX_ERROR]
        tags[schema.NOTE] = f"{outcome.state.capitalize()}: {plain(outcome.reason, MOST_SAID)}"
    return tags


def _points(outcome: Outcome, now: int) -> list[Point]:
    histories = {
        schema.CURVE: schema.thinned(outcome.curve),
        schema.FOLDS: schema.finite(enumerate(outcome.folds)),
        schema.RUNGS: schema.finite(outcome.rungs),
    }
    points = [Point(name, value, now, 0) for name, value in schema.figures(outcome).items()]
    points += [Point(name, value, now, step) for name, some in histories.items() for step, value in some]
    return list(dict.fromkeys(points))  # MLflow holds equal ones once
