"""Ranges over many magnitudes that are searched as if only the largest mattered."""

import math
from collections.abc import Iterator

from sweeps.lint import proposal
from sweeps.lint.finding import Finding, Severity, find
from sweeps.lint.integers import whole_labels
from sweeps.space.hyperparameters import Hyperparameter
from sweeps.space.search_space import SearchSpace

MANY_DECADES = 3
"""From so many on, a linear scale is taken for a mistake."""
SOME_DECADES = 2
LOGARITHMIC = (
    *("alpha", "eta", "gamma", "lambda", "lr", "C", "tol", "epsilon", "eta0", "learning_rate", "reg_alpha"),
    *("reg_lambda", "l2_regularization", "learning_rate_init", "weight_decay", "ccp_alpha"),
)
"""Params whose magnitude matters, in scikit-learn and XGBoost."""


def check_scale(space: SearchSpace) -> Iterator[Finding]:
    """Find linear scales that hardly ever draw from the lower magnitudes of their range."""
    whole = whole_labels(space)
    for found in space.hyperparameters:
        if found.distribution in ("uniform", "quniform", "randint") and found.reach[1] > 0:
            yield from _check(space, found, found.label in whole or found.distribution == "randint")


def spans_decades(low: float, high: float) -> bool:
    """Whether a range spans so many decades that a linear scale is taken for a mistake."""
    return low > 0 and proposal.decades(low, high) + 1e-9 >= MANY_DECADES


def _check(space: SearchSpace, found: Hyperparameter, whole: bool) -> Iterator[Finding]:
    low, high = found.args["low"] if "high" in found.args else 0, found.reach[1]
    name = found.path[-1] if found.path else found.label
    spanned = proposal.decades(low, high) + 1e-9 if low > 0 else math.inf if low == 0 else 0.0
    if spans_decades(low, high):
        yield _find(space, found, low, high, whole, Severity.WARNING)
    elif name in LOGARITHMIC and spanned >= SOME_DECADES:
        severity, low = Severity.HINT, low or high / 10**MANY_DECADES
        yield _find(space, found, low, high, whole, severity)


def _find(
    space: SearchSpace, found: Hyperparameter, low: float, high: float, whole: bool, severity: Severity
) -> Finding:
    middle = math.sqrt(low * high)
    share = 100 * (middle - low) / (high - low)
    what = f"{found.label!r}: {found.written} draws {share:.2g} % of its values below {middle:.3g}"
    why = f"its scale is linear, and {_span(found, low, high)}"
    fix = proposal.log_uniform(found.label, low, high, whole=whole)
    return find(severity, "linear-scale", space, found.label, what, why, f"did you mean {fix}?")


def _span(found: Hyperparameter, low: float, high: float) -> str:
    name = found.path[-1] if found.path else found.label
    if found.args["low"] > 0:
        return f"it spans {proposal.decades(low, high):.2g} decades"
    return f"the magnitude of {name} matters"
