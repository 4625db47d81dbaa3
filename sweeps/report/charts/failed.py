"""Failures: how many, why, and where."""

from sweeps.analysis.explain import Explanation
from sweeps.credentials import redact
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table
from sweeps.trial import State

MOST = 8
LONGEST = 48


def failed(found: Explanation) -> Chart | None:
    """Draw the failed and lost trials by reason; None where there are none."""
    reasons: dict[tuple[str, str], list[int]] = {}
    for trial in found.record.trials:
        if trial.outcome.state in (State.FAILED, State.LOST):
            reasons.setdefault((trial.outcome.state.lower(), redact(trial.outcome.reason)), []).append(
                trial.number
            )
    if not reasons:
        return None
    ranked = sorted(reasons.items(), key=lambda item: -len(item[1]))
    top = list(reversed(ranked[:MOST]))
    names = tuple(f"{state}: {_short(reason)}" for (state, reason), _ in top)
    bars = Layer("bars", "trials", "bad", [len(numbers) for _, numbers in top], list(range(len(top))))
    panel = Panel("", Axis("trials", low=0, whole=True), Axis("", "category", names), [bars])
    text = next((f.text for f in found.findings if f.topic == "failures"), "")
    sentence = text or f"{sum(map(len, reasons.values()))} trials were lost by the engine."
    rows = [
        (state, reason[:300], len(numbers), _numbers(numbers)) for (state, reason), numbers in ranked[:20]
    ]
    note = (
        "Places are judged by Fisher's exact test over every option and 16 cuts of every range, "
        "corrected for their number."
    )
    return Chart(
        "failures",
        "Failures",
        sentence,
        [panel],
        Table(["state", "reason", "trials", "numbers"], rows),
        note=note,
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:12])) + (" …" if len(numbers) > 12 else "")
