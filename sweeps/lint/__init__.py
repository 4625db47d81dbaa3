"""Judge a search space without training: refuse what cannot work, warn of what is probably not meant.

One file for each family of findings; ``judge`` puts them together.
"""

from sweeps.lint.device import check_device
from sweeps.lint.finding import Finding, Severity
from sweeps.lint.judge import check_space, judge, refusal

__all__ = ["Finding", "Severity", "check_device", "check_space", "judge", "refusal"]
