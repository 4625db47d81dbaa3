"""Importance: what each hyperparameter weighs, with its uncertainty."""

from sweeps.analysis.explain import Explanation
from sweeps.analysis.importance import FORESTS, TREES
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table

MOST = 15


def weights(found: Explanation) -> Chart | None:
    """Draw the shares with their intervals and the level of chance; None where nothing could be weighed."""
    seen = found.importance
    if seen is None:
        return None
    top = list(reversed(seen.weights[:MOST]))
    places = list(range(len(top)))
    shares = [round(w.share, 4) for w in top]
    low, high = [round(w.low, 4) for w in top], [round(w.high, 4) for w in top]
    layers = [
        Layer("bars", "share", "main", shares, places),
        Layer("intervals", "90 % interval", "best", shares, places, "square", low=low, high=high),
        Layer("line", "chance", "bad", [seen.chance, seen.chance], [-0.5, len(top) - 0.5], dashed=True),
    ]
    names = tuple(w.axis.label for w in top)
    panel = Panel("", Axis("share of all that mattered", low=0), Axis("", "category", names), layers)
    first = seen.weights[0]
    sentence = (
        f"Share of each hyperparameter in what mattered; {first.axis.label} has most, {first.share:.0%}."
    )
    rows = [
        (
            w.axis.label,
            f"{w.share:.1%}",
            f"{w.low:.1%} to {w.high:.1%}",
            f"{w.active:.0%}",
            "yes" if w.certain else "no",
        )
        for w in seen.weights
    ]
    table = Table(["hyperparameter", "share", "90 % interval", "active in", "told from chance"], rows)
    return Chart("importance", "Importance", sentence, [panel], table, note=_note(found))


def _note(found: Explanation) -> str:
    seen = found.importance
    if seen is None:
        return ""
    doubt = "" if found.trusted else " That is too little to conclude anything."
    return (
        f"Permutation importance: {FORESTS} forests of {TREES} randomised trees learn the rmse of "
        f"{seen.trials:,} complete "
        "trials, each from trials drawn with replacement; a bar is the median rise of the squared "
        "error on the trials not "
        "drawn when one column is shuffled, as a share of all, and its interval spans the forests. A "
        "column of chance "
        f"numbers marks the level of noise. The forests explain {seen.explained:.0%} of the "
        f"variance.{doubt} A "
        "hyperparameter of one branch is shuffled among the trials of that branch and weighs over all "
        "trials. Wild "
        f"figures count as {found.figures.ceiling:.5g}."
    )
