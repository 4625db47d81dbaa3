"""What a sweep searched, as plain data: kept with the sweep, so that reports need no user's module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Literal = str | int | float | bool | None


@dataclass(frozen=True)
class Option:
    """One option of a choice."""

    text: str
    """How it is shown."""
    value: Literal = None
    """What names it in FIRST; only where ``nameable``."""
    nameable: bool = False


@dataclass(frozen=True)
class Range:
    """A hyperparameter of a search space."""

    label: str
    distribution: str
    """A name of Hyperopt's ``hp``."""
    low: float | None = None
    """The lowest value it gives; None where there is no bound, or no order."""
    high: float | None = None
    q: float | None = None
    """Its values are multiples of this."""
    branch: tuple[tuple[str, int], ...] = ()
    """The options that must be chosen for it to be active: pairs of choice label and option index."""
    options: tuple[Option, ...] = ()

    @property
    def is_log(self) -> bool:
        """Whether it is drawn on a logarithmic scale."""
        return "log" in self.distribution

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values; ``from_json`` reads them back."""
        options = [[o.text, o.value, o.nameable] for o in self.options]
        branch = [list(pair) for pair in self.branch]
        rest = {"distribution": self.distribution, "low": self.low, "high": self.high, "q": self.q}
        return {"label": self.label, **rest, "branch": branch, "options": options}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Range":
        """Read what ``to_json`` gave.

        Raises:
            KeyError: something is missing.
            TypeError: something is of another kind.
        """
        branch = tuple((str(label), int(option)) for label, option in values["branch"])
        options = tuple(Option(str(text), value, bool(known)) for text, value, known in values["options"])
        low, high, q = (_number(values[name]) for name in ("low", "high", "q"))
        return cls(str(values["label"]), str(values["distribution"]), low, high, q, branch, options)


def by_label(ranges: Sequence[Range]) -> dict[str, Range]:
    """Give the first range of each label; a label may stand at several places."""
    found: dict[str, Range] = {}
    for one in ranges:
        found.setdefault(one.label, one)
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
