"""Hyperparameter sweeps for tabular regression on MLflow.

``run_sweep`` does the whole job; the command line ``sweeps run`` is the same thing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.api.promote import promote_sweep
    from sweeps.api.resume import resume_sweep
    from sweeps.api.run import run_sweep
    from sweeps.errors import SweepsError
    from sweeps.record import Blend, Finalist, Member, ModelVersion, Refit, SweepRecord
    from sweeps.selection.gate import Gate
    from sweeps.trial import Finished, Outcome, Proposal, State, Trial

__all__ = [
    "Blend",
    "Finalist",
    "Finished",
    "Gate",
    "Member",
    "ModelVersion",
    "Outcome",
    "Proposal",
    "Refit",
    "State",
    "SweepRecord",
    "SweepsError",
    "Trial",
    "promote_sweep",
    "resume_sweep",
    "run_sweep",
]

_HOMES = {
    "promote_sweep": "sweeps.api.promote",
    "resume_sweep": "sweeps.api.resume",
    "run_sweep": "sweeps.api.run",
    "SweepsError": "sweeps.errors",
    "Blend": "sweeps.record",
    "Finalist": "sweeps.record",
    "Member": "sweeps.record",
    "ModelVersion": "sweeps.record",
    "Refit": "sweeps.record",
    "SweepRecord": "sweeps.record",
    "Gate": "sweeps.selection.gate",
    "Finished": "sweeps.trial",
    "Outcome": "sweeps.trial",
    "Proposal": "sweeps.trial",
    "State": "sweeps.trial",
    "Trial": "sweeps.trial",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: ``import sweeps`` itself costs nothing."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'sweeps' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
