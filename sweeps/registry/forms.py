"""The forms of a model: a run has one model of each, and each becomes one version."""

from collections.abc import Sequence

from sweeps.record import Member

FORM = "sweeps.form"
"""Tag of a logged model and of a version; not there on the model that a trial itself gave."""
REFIT, BLEND = "refit", "blend"


def form_of(members: Sequence[Member] = (), *, refit: bool = False) -> str:
    """Say what a model is, where it is not that of a trial; empty where it is.

    Args:
        members: of a blend, with their weights: another blend is another form.
        refit: whether it was trained again.
    """
    parts = [f"{m.number}:{m.weight:.6g}" for m in members]
    return " ".join([*([BLEND, *parts] if parts else []), *([REFIT] if refit else [])])


def form_tags(form: str) -> dict[str, str]:
    """Give the tags by which the models of one run, and their versions, are told apart."""
    return {FORM: form} if form else {}


def promoted_by(form: str) -> str:
    """Give the options of ``sweeps promote`` that lead to a form, each with a blank before it."""
    words = form.split()
    blend = " --blend" if BLEND in words else ""
    return f"{blend} --refit train+valid" if REFIT in words else blend
