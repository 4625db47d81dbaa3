"""A sweep explained: plain sentences, each with the figures it rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeps.analysis.agreement import Agreement, agreement
from sweeps.analysis.edges import Move, moves
from sweeps.analysis.failures import Failures, Region, failures_of
from sweeps.analysis.figures import Figures, figures_of
from sweeps.analysis.importance import FEWEST, Importance, importance
from sweeps.analysis.outlook import Outlook, outlook
from sweeps.analysis.surface import Surface, surface
from sweeps.record import SweepRecord
from sweeps.spans import covered
from sweeps.trial import State

POOR = 0.2
"""Explained share under which a surrogate is no witness."""


@dataclass(frozen=True)
class Finding:
    """One thing to know about a sweep."""

    topic: str
    """``importance``, ``range``, ``outlook``, ``failures``, ``test`` or ``drift``."""
    text: str
    evidence: Mapping[str, Any]
    """Figures, as JSON values."""


@dataclass(frozen=True)
class Explanation:
    """All that is concluded from a sweep, each part when it is asked for."""

    record: SweepRecord

    @cached_property
    def figures(self) -> Figures:
        """The COMPLETE trials as arrays."""
        return figures_of(self.record)

    @cached_property
    def importance(self) -> Importance | None:
        """What mattered; None for too few trials."""
        return importance(self.figures)

    @cached_property
    def trusted(self) -> Importance | None:
        """The same, only where the surrogate explains enough to be believed."""
        found = self.importance
        return found if found is not None and found.explained >= POOR else None

    @cached_property
    def surface(self) -> Surface | None:
        """The expected rmse over the two weightiest."""
        return surface(self.figures, self.importance)

    @cached_property
    def moves(self) -> list[Move]:
        """The ranges to change."""
        return moves(self.figures, self.trusted)

    @cached_property
    def outlook(self) -> Outlook | None:
        """Whether more trials would help; the time between two sessions of a sweep is no trial's."""
        ended = [t for t in self.record.trials if t.outcome.state is not State.LOST]
        return outlook(self.figures, len(ended), covered((t.trial.started, t.ended) for t in ended))

    @cached_property
    def failures(self) -> Failures:
        """What went wrong and where."""
        return failures_of(self.record)

    @cached_property
    def agreement(self) -> Agreement | None:
        """Whether validation and test agree."""
        return agreement(self.record)

    @cached_property
    def findings(self) -> list[Finding]:
        """The sentences, in the order in which one asks."""
        parts = (_of_importance, _of_ranges, _of_outlook, _of_failures, _of_test, _of_drift)
        return [finding for part in parts for finding in part(self)]


def _of_importance(found: Explanation) -> Iterator[Finding]:
    seen, count = found.importance, len(found.figures.trials)
    if seen is None:
        why = "nothing varies" if count >= FEWEST else f"{_trials(count)} with an rmse; it takes {FEWEST}"
        text = f"Which hyperparameters mattered cannot be said: {why}."
        yield Finding("importance", text, {"trials": count})
        return
    shares = {w.axis.label: [round(v, 3) for v in (w.share, w.low, w.high)] for w in seen.weights}
    explained = {"explained": round(seen.explained, 3), "chance": round(seen.chance, 3), "shares": shares}
    yield Finding("importance", _importance_text(seen, found.trusted is not None), explained)


def _importance_text(seen: Importance, trusted: bool) -> str:
    certain = [w for w in seen.weights if w.certain]
    ground = f"a forest that explains {seen.explained:.0%} of the variance of rmse on trials it has not seen"
    if not trusted:
        return f"Nothing can be said about which hyperparameters mattered: {ground} is no witness."
    if not certain:
        return f"No hyperparameter stands out from chance ({ground})."
    listed = ", ".join(f"{w.axis.label} {w.share:.0%} ({w.low:.0%} to {w.high:.0%})" for w in certain[:4])
    rest = [w.axis.label for w in seen.weights if not w.certain]
    none = f" Not told from chance: {_listed(rest)}." if rest else ""
    method = "as a share of all that mattered, with its 90 % interval"
    return f"What mattered most, {method}: {listed}; by {ground}.{none}"


def _of_ranges(found: Explanation) -> Iterator[Finding]:
    for move in found.moves:
        axis = move.axis
        evidence = {
            "label": axis.label, "best": move.best, "range": [axis.low, axis.high], "kind": move.kind,
            "edge": move.edge or None, "near": move.near, "judged": move.judged,
            "next": [move.low, move.high],
        }  # fmt: skip
        yield Finding("range", move_text(move), evidence)


def move_text(move: Move) -> str:
    """Say in a sentence what should become of a range."""
    axis, best = move.axis, f"{move.best:.4g}"
    old, new = f"{axis.low:.4g} to {axis.high:.4g}", f"{move.low:.6g} to {move.high:.6g}"
    judged = f"{move.judged} best trials" + (" that have it" if axis.branch else "")
    if move.kind == "narrow":
        within = f"all {judged} lie between {move.low:.6g} and {move.high:.6g}"
        return f"{axis.label}: {within} of {old} (the best at {best}). Try {new} next."
    near = f"{move.near} of the {judged} lie in the {move.edge} fifth of {old}"
    if move.kind == "keep":
        return f"{axis.label}: {near} (the best at {best}); that edge is a natural bound. Try {new} next."
    return f"{axis.label}: {near} (the best at {best}): the range may cut off better ones. Try {new} next."


def _of_outlook(found: Explanation) -> Iterator[Finding]:
    seen, count = found.outlook, len(found.figures.trials)
    if seen is None:
        text = f"Whether more trials would help cannot be said: {_trials(count)} with an rmse; it takes 20."
        yield Finding("outlook", text, {"trials": count})
        return
    verdict = {
        "likely": "More trials are likely to help",
        "unlikely": "More trials are unlikely to help",
        "open": "Whether more trials would help is open",
    }[seen.verdict]
    evidence = {
        "trials": seen.trials, "chance": round(seen.chance, 3), "low": round(seen.low, 3),
        "high": round(seen.high, 3), "last_gain": seen.last_gain, "since": seen.since,
    }  # fmt: skip
    chance = f"{seen.chance:.0%} ({seen.low:.0%} to {seen.high:.0%})"
    text = (
        f"{verdict}: the chance that {seen.trials} more trials like these lower the best rmse by half a"
        f" percent is {chance}, if the search goes on as it does. They take about {_span(seen.seconds)}."
        f" The last such gain came with trial {seen.last_gain}, {_complete(seen.since)} ago."
    )
    yield Finding("outlook", text, evidence)


def _of_failures(found: Explanation) -> Iterator[Finding]:
    seen = found.failures
    if not seen.failed:
        return
    [first, *others] = seen.causes
    text = f"{seen.failed} of {_trials(seen.trials)} failed; "
    text += f"the commonest cause ({len(first.numbers)}): " if others else "all with: "
    text += first.reason
    evidence: dict[str, Any] = {
        "failed": seen.failed,
        "trials": seen.trials,
        "reasons": {cause.reason: len(cause.numbers) for cause in seen.causes[:10]},
    }
    if seen.region is not None:
        text = f"{text.rstrip('.')}. {_region_text(seen.region)}"
        evidence["region"] = {"where": seen.region.words, "failed": seen.region.failed, "p": seen.region.p}
    yield Finding("failures", text, evidence)


def _region_text(region: Region) -> str:
    share = f"{region.failed} of {region.trials} trials failed"
    elsewhere = f"elsewhere {region.failed_elsewhere} of {region.trials_elsewhere}"
    return f"They concentrate where {region.words}: there {share}, {elsewhere}."


def _of_test(found: Explanation) -> Iterator[Finding]:
    seen = found.agreement
    if seen is None:
        return
    same = seen.winner.number == seen.first.number
    which = "the best on validation wins on test too" if same else (
        f"trial {seen.winner.number} wins on test, trial {seen.first.number} was the best on validation"
    )  # fmt: skip
    text = f"Of {seen.finalists} finalists {which}. {_shift_text(seen.shift)}{_equals_text(seen)}"
    evidence = {
        "finalists": seen.finalists, "winner": seen.winner.number, "best_on_validation": seen.first.number,
        "shift": round(seen.shift, 4), "rank_correlation": seen.rank_correlation, "wins": seen.wins,
        "equals": list(seen.equals),
    }  # fmt: skip
    yield Finding("test", text, evidence)


def _of_drift(found: Explanation) -> Iterator[Finding]:
    drift = found.record.drift
    if drift is not None:
        yield Finding("drift", str(drift["summary"]), drift)


def _shift_text(shift: float) -> str:
    if abs(shift) < 0.02:
        return f"Their rmse on test is that on validation within {max(abs(shift), 0.001):.1%}."
    return f"Their rmse on test is {abs(shift):.1%} {'higher' if shift > 0 else 'lower'} than on validation."


def _equals_text(seen: Agreement) -> str:
    if seen.wins is None:
        return ""
    won = f" In {seen.wins:.0%} of resamples of the test rows the winner is best"
    if not seen.equals:
        return f"{won}."
    one = len(seen.equals) == 1
    others = _listed([str(n) for n in seen.equals])
    return f"{won}: trial{'' if one else 's'} {others} {'is' if one else 'are'} as good, as far as they tell."


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"


def _complete(count: int) -> str:
    return "1 complete trial" if count == 1 else f"{count} complete trials"


def _listed(words: list[str]) -> str:
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
