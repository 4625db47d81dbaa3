"""Whether a trial trained again came to the same, and what may be the reason if not: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sweeps.trial import Curve, Outcome, State

UNTOLD = ("fit_seconds", "test_rmse", "refit_test_rmse")
"""Metrics that are none of the trial's own: how long it took, and what the finals came to later."""


class Match(StrEnum):
    """How well a reproduction agrees, the worst of its figures."""

    EQUAL = "bit-equal"
    WITHIN = "within tolerance"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Figure:
    """One figure, as recorded and as it is now; None where there is none."""

    name: str
    recorded: float | None
    now: float | None

    def match(self, tolerance: float) -> Match:
        """Compare; ``tolerance`` is relative to the recorded value."""
        if self.recorded == self.now:
            return Match.EQUAL
        if self.recorded is None or self.now is None:
            return Match.DIFFERENT
        near = abs(self.now - self.recorded) <= tolerance * abs(self.recorded)
        return Match.WITHIN if near else Match.DIFFERENT


@dataclass(frozen=True)
class Reproduction:
    """A trial beside itself, trained again."""

    sweep: str
    """Name."""
    number: int
    run_id: str
    """Of the trial recorded."""
    recorded: Outcome
    now: Outcome
    changes: Mapping[str, tuple[str, str]]
    """What was otherwise then, by name: then and now; empty where nothing known was."""
    tolerance: float

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What can be compared, the rmse first; of a PRUNED trial its curve only, which was cut short."""
        return tuple(_figures(self.recorded, self.now))

    @property
    def points(self) -> tuple[Figure, ...]:
        """The learning curve at the steps that were kept."""
        return tuple(_points(self.recorded.curve, self.now.curve))

    @property
    def match(self) -> Match:
        """The verdict: a FAILED trial is reproduced by failing for the same reason."""
        if State.FAILED in (self.recorded.state, self.now.state):
            same = (self.recorded.state, self.recorded.reason) == (self.now.state, self.now.reason)
            return Match.EQUAL if same else Match.DIFFERENT
        found = {figure.match(self.tolerance) for figure in (*self.figures, *self.points)}
        return next((m for m in (Match.DIFFERENT, Match.WITHIN) if m in found), Match.EQUAL)

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not bit-equal, in words."""
        if State.FAILED in (self.recorded.state, self.now.state):
            return (
                () if self.match is Match.EQUAL else (f"{_told(self.recorded)} then, {_told(self.now)} now",)
            )
        odd = [f for f in self.figures if f.match(self.tolerance) is not Match.EQUAL]
        told = [f"{f.name} {f.recorded!r} then, {f.now!r} now" for f in odd]
        points = self.points
        off = sum(point.match(self.tolerance) is not Match.EQUAL for point in points)
        return (*told, f"{off} of {len(points)} points of the learning curve") if off else tuple(told)


def _figures(recorded: Outcome, now: Outcome) -> Iterator[Figure]:
    if recorded.state is State.COMPLETE:
        yield Figure("rmse", recorded.rmse, now.rmse)
        for name, value in recorded.metrics.items():
            if name not in UNTOLD:
                yield Figure(name, value, now.metrics.get(name))
    for fold, value in enumerate(recorded.folds):
        yield Figure(f"rmse of fold {fold}", value, now.folds[fold] if fold < len(now.folds) else None)


def _points(recorded: Curve, now: Curve) -> Iterator[Figure]:
    known = dict(now)
    return (Figure(f"round {step}", value, known.get(step)) for step, value in recorded)


def _told(outcome: Outcome) -> str:
    return f"{outcome.state} ({outcome.reason})" if outcome.reason else str(outcome.state)


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Give what differs between two descriptions, by name; what only one knows is no difference."""
    return {name: (then[name], now[name]) for name in then if name in now and then[name] != now[name]}


def restoring(changes: Mapping[str, tuple[str, str]], packages: Sequence[str]) -> str:
    """Give the command that brings back the versions of packages; empty where they are the same."""
    pins = [f"{name}=={changes[name][0]}" for name in packages if name in changes and name != "sweeps"]
    return f"pip install {' '.join(pins)}" if pins else ""
