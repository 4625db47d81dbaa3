"""Whether others may change the module that is about to be run."""

from collections.abc import Iterator

from sweeps.exposed import exposed
from sweeps.lint.finding import Finding, Severity, find
from sweeps.space.search_space import SearchSpace


def check_exposure(space: SearchSpace) -> Iterator[Finding]:
    """Find modules that others than the user may write."""
    if told := exposed(space.path):
        yield find(Severity.WARNING, "exposed", space, None, told)
