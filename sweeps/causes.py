"""Why trials failed, alike reasons together: whoever tells of failures groups them like this."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sweeps.credentials import redact
from sweeps.errors import one_line
from sweeps.trial import Finished, State

UNWANTED = (State.FAILED, State.LOST)
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass
class Cause:
    """Trials that failed, or were lost, for reasons that differ in their numbers only."""

    state: State
    reason: str
    """Of the first of them, in one line, without secrets."""
    numbers: list[int] = field(default_factory=list)
    """Of the trials."""


class Causes:
    """Collects the causes of failures as trials end.

    Args:
        trials: that ended so far.
    """

    def __init__(self, trials: Iterable[Finished] = ()) -> None:
        self._found: dict[tuple[State, str], Cause] = {}
        for finished in trials:
            self.add(finished)

    def add(self, finished: Finished) -> None:
        """Take note of a trial; one that did not fail is none of our business."""
        state = finished.outcome.state
        if state in UNWANTED:
            reason = one_line(redact(finished.outcome.reason))
            cause = self._found.setdefault((state, _NUMBER.sub("#", reason)), Cause(state, reason))
            cause.numbers.append(finished.number)

    @property
    def ranked(self) -> list[Cause]:
        """The causes, the most frequent first."""
        return sorted(self._found.values(), key=lambda cause: -len(cause.numbers))
