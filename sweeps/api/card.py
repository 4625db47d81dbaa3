"""A verdict as a card that a person reads: Markdown made of ``verdict.json``."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweeps.markdown import link, plain, table
from sweeps.tracking.links import run_link

MOST_DRIFTED = 20
"""Rows of the table of drift."""


def card(evidence: Mapping[str, Any]) -> str:
    """Write the card of a verdict.

    Args:
        evidence: as ``Jury`` gives it, the content of ``verdict.json``.
    """
    return "\n\n".join(_parts(evidence)) + "\n"


def _parts(evidence: Mapping[str, Any]) -> Iterator[str]:
    sweep, data = evidence["sweep"], evidence["data"]
    yield f"**{evidence['verdict']}**: {plain(evidence['reason'])}."
    trial = _link(sweep, f"trial {sweep['trial']}", "trial_run_id")
    yield f"Winner of sweep {_link(sweep, sweep['name'], 'run_id')}, {trial}."
    yield table(["figure", "value"], list(_figures(evidence)))
    if evidence["comparison"]:
        yield _comparison(evidence["comparison"])
    yield _selection(evidence["selection"])
    checks = [
        [plain(c["name"]), "passed" if c["passed"] else "**failed**", plain(c["figure"]), plain(c["limit"])]
        for c in evidence["checks"]
    ]
    yield table(["check", "", "found", "asked for"], checks)
    if evidence["segments"]:
        yield table([plain(evidence["gate"]["segment"]), "rows", "rmse", "champion's"], _segments(evidence))
    if evidence.get("drift"):
        yield from _drift(evidence["drift"])
    takes = f"Takes raw rows with the columns of the signature and predicts {plain(data['target'])}."
    yield f"Data {plain(data['name'])}, digest {plain(data['digest'])}. {takes}"
    params = [[plain(name, 60), plain(value, 60)] for name, value in evidence["params"].items()]
    yield table(["param", "value"], params)
    code = evidence["code"]
    space = f"search space {plain(code['space'])}, digest {plain(str(code['space_digest'])[:16])}"
    commit = f", commit {plain(code['commit'][:12])}" if code["commit"] else ""
    who = plain(evidence["who"])
    yield f"Judged {plain(evidence['when'])} by {who} with sweeps {plain(code['sweeps'])}{commit}; {space}."


def _link(sweep: Mapping[str, Any], text: str, run: str) -> str:
    return link(text, run_link("", sweep["experiment_id"], sweep[run]))


def _figures(evidence: Mapping[str, Any]) -> Iterator[list[str]]:
    rows, comparison = evidence["rows"], evidence["comparison"]
    yield ["validation rmse", f"{evidence['validation_rmse']:.6g}"]
    if rows is None:
        yield ["held-out rows", "none: every row was trained on"]
        return
    yield [f"{rows['split']} rmse", f"{evidence['rmse']:.6g}"]
    if comparison:
        yield [
            f"champion's {rows['split']} rmse (version {evidence['champion']['version']})",
            f"{comparison['rival_rmse']:.6g}",
        ]
    yield [
        "rows compared on",
        f"{rows['count']} of the {rows['split']} split, digest {plain(rows['digest'])}",
    ]


def _comparison(found: Mapping[str, Any]) -> str:
    gain = found["gain"]
    by = f"{'lower' if gain >= 0 else 'higher'} by {abs(gain):.4g}"
    return (
        f"The rmse is {by}. Gain: {100 * found['confidence']:g} % interval "
        f"{found['low']:.4g} to {found['high']:.4g}; the probability that it is the better model is "
        f"{found['probability']:.3g} (paired bootstrap, {found['resamples']} resamples)."
    )


def _selection(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "The selection effect is not known: it takes several finalists' predictions on test rows."
    return (
        f"It was chosen among {found['finalists']} finalists on the rows it is scored on, which flatters it: "
        f"chosen on one half of them and scored on the other, the rmse is {found['honest_rmse']:.6g}, higher "
        f"by {found['excess']:.3g}; {100 * found['share']:.0f} % of the halves choose the same winner."
    )


def _drift(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell of the rows: what was found, and the figures of what drifted or was bound to."""
    yield plain(found["summary"], 2000)
    rows = [
        [plain(c["column"], 60), c["what"], f"{c['distance']:.3g}", f"{c['by_chance']:.2g}", f"{c['p']:.2g}",
         plain(c["figure"], 200)]
        for c in found["comparisons"]
        if c["drifted"] or c["expected"]
    ]  # fmt: skip
    if rows:
        yield table(
            ["column", "", "distance", "by chance", "p", f"{found['split']} rows"], rows[:MOST_DRIFTED]
        )


def _segments(evidence: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            plain(s["value"]),
            str(s["rows"]),
            f"{s['rmse']:.6g}",
            "–" if s["rival_rmse"] is None else f"{s['rival_rmse']:.6g}",
        ]
        for s in evidence["segments"]
    ]
