"""What is found in a search space: how grave it is, what happens, why, and what to type instead."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sweeps.errors import SpaceError, one_line
from sweeps.space.search_space import SearchSpace


class Severity(StrEnum):
    """How grave a finding is, the gravest first."""

    ERROR = "error"
    """Trials would fail, or the space cannot be used at all."""
    WARNING = "warning"
    """It runs, and does something else than was probably meant."""
    HINT = "hint"
    """It runs as written; there is a better way."""


@dataclass(frozen=True)
class Finding:
    """One finding, at one place of a search space."""

    severity: Severity
    code: str
    """A short name of the kind of finding, which stays: ``exponents``, ``linear-scale`` …"""
    where: str
    """The file as messages name it, with the line where it can be found."""
    what: str
    """What happens, with the values."""
    why: str = ""
    fix: str = ""
    """What to type."""
    label: str | None = None
    """The hyperparameter it is about; None: the space as a whole."""
    line: int | None = None

    @property
    def text(self) -> str:
        """The finding in one line, as the commands print it."""
        told = f"{self.where}: {self.what}" + (f": {self.why}" if self.why else "")
        if not self.fix:
            return one_line(told)
        return one_line(f"{told} ({self.fix})" if self.severity is Severity.ERROR else f"{told}; {self.fix}")

    @property
    def error(self) -> SpaceError:
        """The finding as the error that ends a command."""
        return SpaceError(self.where, self.what + (f": {self.why}" if self.why else ""), self.fix)

    def to_json(self) -> dict[str, Any]:
        """Give the parts and the whole text."""
        return {**asdict(self), "severity": str(self.severity), "text": self.text}


def find(
    severity: Severity,
    code: str,
    space: SearchSpace,
    label: Any,
    what: str,
    why: str = "",
    fix: str = "",
    line: int | None = None,
) -> Finding:
    """Make a finding about a hyperparameter, or with the label None about the whole space."""
    line = line if line is not None or label is None else space.file.line_of(label)
    named = label if isinstance(label, str) else None
    return Finding(severity, code, space.file.at(line), what, why, fix, named, line)


def refused(code: str, error: SpaceError, label: str | None = None) -> Finding:
    """Make a finding of what the space's own checks refuse."""
    line = error.what.rpartition(":")[2]
    return Finding(
        Severity.ERROR,
        code,
        error.what,
        error.wrong,
        "",
        error.next_step,
        label,
        int(line) if line.isdecimal() else None,
    )
