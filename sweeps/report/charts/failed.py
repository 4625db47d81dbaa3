"""Failures: how many, why, and where."""

from sweeps.analysis.explain import Explanation
from sweeps.causes import Cause, Causes
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, count

MOST = 8
"""Causes that are drawn."""
ROWS = 20
"""Causes in the table."""
LONGEST = 48
NOTE = (
    "Reasons that differ in their numbers only are one cause, in the words of its first trial. Places are "
    "judged by Fisher's exact test over every option and 16 cuts of every range, corrected for their number."
)


def failed(found: Explanation) -> Chart | None:
    """Draw the failed and lost trials by cause; None where there are none."""
    causes = Causes(found.record.trials).ranked
    if not causes:
        return None
    top = causes[:MOST][::-1]
    names = tuple(f"{cause.state.lower()}: {_short(cause.reason)}" for cause in top)
    bars = Layer("bars", "trials", "bad", [len(cause.numbers) for cause in top], list(range(len(top))))
    panel = Panel("", Axis("trials", low=0, whole=True), Axis("", "category", names), [bars])
    text = next((f.text for f in found.findings if f.topic == "failures"), "")
    lost = count(sum(len(cause.numbers) for cause in causes), "trial")
    sentence = text or f"{lost} lost by the engine."
    table = Table(["state", "reason", "trials", "numbers"], [_row(cause) for cause in causes[:ROWS]])
    return Chart("failures", "Failures", sentence, [panel], table, note=f"{NOTE}{_left(len(causes))}")


def _row(cause: Cause) -> tuple[str, str, int, str]:
    return cause.state.lower(), cause.reason[:300], len(cause.numbers), _numbers(cause.numbers)


def _left(causes: int) -> str:
    return f" Of {causes} causes the {MOST} commonest are drawn." if causes > MOST else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:12])) + (" …" if len(numbers) > 12 else "")
