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
    yield _whose(evidence)
    yield table(["figure", "value"], list(_figures(evidence)))
    if evidence["blend"]:
        yield _blend(sweep, evidence["blend"])
    if evidence["comparison"]:
        yield _comparison(evidence["comparison"])
    yield _selection(evidence)
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
    if not _is_blend(evidence):
        yield table(["param", "value"], params)
    code = evidence["code"]
    space = f"search space {plain(code['space'])}, digest {plain(str(code['space_digest'])[:16])}"
    commit = f", commit {plain(code['commit'][:12])}" if code["commit"] else ""
    who = plain(evidence["who"])
    yield f"Judged {plain(evidence['when'])} by {who} with sweeps {plain(code['sweeps'])}{commit}; {space}."


def _is_blend(evidence: Mapping[str, Any]) -> bool:
    return bool(evidence["blend"] and evidence["blend"]["taken"])


def _whose(evidence: Mapping[str, Any]) -> str:
    """Say which model it is."""
    sweep, winner = evidence["sweep"], evidence["winner"]
    trial = _link(sweep, f"trial {winner['trial']}", winner["run_id"])
    named = _link(sweep, sweep["name"], sweep["run_id"])
    blend = f"A blend of the finalists of sweep {named}, in place of its winner, {trial}."
    told = blend if _is_blend(evidence) else f"Winner of sweep {named}, {trial}."
    refit = " It was trained again on training and validation rows together." if evidence["refit"] else ""
    return told + refit


def _link(sweep: Mapping[str, Any], text: str, run_id: str | None) -> str:
    return plain(text) if run_id is None else link(text, run_link("", sweep["experiment_id"], run_id))


def _figures(evidence: Mapping[str, Any]) -> Iterator[list[str]]:
    rows, comparison, refit = evidence["rows"], evidence["comparison"], evidence["refit"]
    chosen_on = ", where its weights were chosen" if _is_blend(evidence) else ""
    before = ", trained on train" if refit else ""
    yield [f"validation rmse{chosen_on}{before}", f"{evidence['validation_rmse']:.6g}"]
    if rows is None:
        yield ["held-out rows", "none: every row was trained on"]
        return
    yield from _chosen_by(evidence)
    again = f", trained on {refit['trained_on']}" if refit else ""
    yield [f"{rows['split']} rmse{again}", f"{evidence['rmse']:.6g}"]
    if comparison:
        yield [
            f"champion's {rows['split']} rmse (version {evidence['champion']['version']})",
            f"{comparison['rival_rmse']:.6g}",
        ]
    yield [
        "rows compared on",
        f"{rows['count']} of the {rows['split']} split, digest {plain(rows['digest'])}",
    ]


def _chosen_by(evidence: Mapping[str, Any]) -> Iterator[list[str]]:
    """Give the figures on the test rows that chose it, where they are not its own."""
    winner, blend, refit = evidence["winner"], evidence["blend"], evidence["refit"]
    if _is_blend(evidence) or refit:
        whose = f"test rmse of the winner, trial {winner['trial']}, trained on {winner['trained_on']}"
        yield [whose, f"{winner['test_rmse']:.6g}"]
    if _is_blend(evidence) and refit:
        yield [f"test rmse of the blend, trained on {blend['trained_on']}", f"{blend['test_rmse']:.6g}"]


def _blend(sweep: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Give the members with their weights, and why they were taken or not."""
    members = found["members"]
    rows = [[_link(sweep, f"trial {m['trial']}", m["run_id"]), f"{m['weight']:.3g}"] for m in members]
    scored = "" if found["test_rmse"] is None else f" Its test rmse is {found['test_rmse']:.6g}."
    told = "The blend was taken" if found["taken"] else "A blend of finalists was not taken"
    return f"{told}: {plain(found['reason'])}.{scored}\n\n{table(['member', 'weight'], rows)}"


def _comparison(found: Mapping[str, Any]) -> str:
    gain = found["gain"]
    by = f"{'lower' if gain >= 0 else 'higher'} by {abs(gain):.4g}"
    return (
        f"The rmse is {by}. Gain: {100 * found['confidence']:g} % interval "
        f"{found['low']:.4g} to {found['high']:.4g}; the probability that it is the better model is "
        f"{found['probability']:.3g} (paired bootstrap, {found['resamples']} resamples)."
    )


def _selection(evidence: Mapping[str, Any]) -> str:
    found = evidence["selection"]
    if found is None:
        return "The selection effect is not known: it takes several finalists' predictions on test rows."
    among = f"{found['finalists']} finalists"
    if _is_blend(evidence):
        among = f"{found['finalists'] - 1} finalists and their blend"
    before = ", as trained on train" if evidence["refit"] else ""
    return (
        f"It was chosen among {among} on the rows it is scored on{before}, which flatters it: "
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
