"""What a version must show to become champion, and the verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.errors import UsageError
from sweeps.selection.choice import Verdict

if TYPE_CHECKING:  # settings hold a gate, and import nothing heavy
    from sweeps.selection.comparison import Comparison
    from sweeps.selection.optimism import Optimism

GATES = ("better", "significant", "none")


@dataclass(frozen=True)
class Gate:
    """The verdict asked for.

    Raises:
        UsageError: a limit makes no sense.
    """

    kind: str = "better"
    """``better``: a lower rmse on the same rows; ``significant``: and not by luck; ``none``: always."""
    confidence: float = 0.95
    """Of the interval that ``significant`` looks at."""
    min_gain: float = 0.0
    """Share of the champion's rmse by which the challenger's must be lower."""
    max_latency: float | None = None
    """Milliseconds for 1000 rows."""
    max_size: float | None = None
    """Megabytes of the model's files."""
    segment: str | None = None
    """Column whose values are compared one by one."""
    max_segment_loss: float = 0.1
    """Share of the champion's rmse by which the challenger's may be higher in a segment."""

    def __post_init__(self) -> None:
        if self.kind not in GATES:
            raise UsageError("--gate", f"must be {', '.join(GATES)}, got {self.kind!r}")
        if not 0.5 <= self.confidence < 1:
            raise UsageError("--confidence", f"must be from 0.5 to below 1, got {self.confidence:g}", "0.95")
        for option, share in (("--min-gain", self.min_gain), ("--max-segment-loss", self.max_segment_loss)):
            if not 0 <= share < 10:
                raise UsageError(option, f"must be a share such as 0.5%, got {share:.3%}")
        for option, limit in (("--max-latency", self.max_latency), ("--max-size", self.max_size)):
            if limit is not None and not 0 < limit < float("inf"):
                raise UsageError(option, f"must be a positive number, got {limit}")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, with its figure."""

    name: str
    passed: bool
    figure: str
    """What was found, in words and figures."""
    limit: str = ""
    """What was asked for; empty where it always is."""


def decide(
    gate: Gate,
    comparison: "Comparison | None",
    selected: "Optimism | None",
    checks: Sequence[Check],
    rival: str = "the champion's",
) -> Verdict:
    """Give the verdict on a candidate.

    Args:
        gate: what it must show.
        comparison: with the champion; None where there is none yet.
        selected: the selection effect, which is taken off the gain; None where it is not known.
        checks: of the candidate alone, and by segment.
        rival: whose rmse it is compared with, for the reason.
    """
    if any(not check.passed for check in checks):
        return Verdict("challenger", f"it did not pass: {failures(checks)}")
    if comparison is None:
        return Verdict("champion", "the first version of this model")
    figures = f"rmse {comparison.rmse:.6g} against {rival} {comparison.rival_rmse:.6g} on the same rows"
    if gate.kind == "none":
        return Verdict("champion", f"no gate was asked for: {figures}")
    return _against(gate, comparison, 0.0 if selected is None else selected.excess, rival)


def failures(checks: Sequence[Check]) -> str:
    """Name the checks that failed, with what was found; empty where none did."""
    failed = [check for check in checks if not check.passed]
    return "; ".join(f"{c.name}: {c.figure}{f', asked for {c.limit}' if c.limit else ''}" for c in failed)


def _against(gate: Gate, comparison: "Comparison", excess: float, whose: str) -> Verdict:
    own, rival = f"rmse {comparison.rmse:.6g}", f"{whose} {comparison.rival_rmse:.6g} on the same rows"
    wanted = gate.min_gain * comparison.rival_rmse
    if gate.kind == "better":
        beats = comparison.gain > 0 and comparison.gain >= wanted
        least = f" by {100 * gate.min_gain:g} % or more" if gate.min_gain else ""
        return _verdict(beats, f"{own} {'beats' if beats else 'does not beat'} {rival}{least}")
    low = comparison.low - excess
    beats = low > wanted
    what = f"the gain is at least {low:.4g}, wanted was more than {wanted:.4g}"
    why = f"{100 * comparison.confidence:g} % interval {comparison.low:.4g} to {comparison.high:.4g}"
    why += f", less {excess:.4g} for choosing among finalists" if excess else ""
    sure = "significantly" if beats else "not significantly"
    return _verdict(beats, f"{own} is {sure} better than {rival}: {what} ({why})")


def _verdict(beats: bool, reason: str) -> Verdict:
    return Verdict("champion" if beats else "challenger", reason)
