"""Who is champion, told from what the versions of a model carry: the alias only follows.

Every version that passes its verdict takes a **term**, one above the highest it knows. Promoters that work at
the same time may take the same one; then the figures decide, whoever wrote last. See docs/decisions/0017.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Contender:
    """A version as far as it matters for who is champion."""

    number: int
    whole: bool
    """It was loaded back and checked, and nothing has been found wrong with it since."""
    term: int = 0
    """In which it was made champion; 0: never, or it lost since."""
    crowned: bool = False
    """The alias was moved to it in that term: its promotion went through."""
    broken: bool = False
    """Its files are gone or changed: whatever leads to it must lead elsewhere."""
    rmse: float | None = None
    """On the rows that were judged on last; None where it was not scored on them."""

    @property
    def on_its_way(self) -> bool:
        """Whether its promotion passed the verdict and was then cut off, or still goes on."""
        return self.term > 0 and not self.crowned


@dataclass(frozen=True)
class Succession:
    """The versions of a model, and what is known of its champions."""

    contenders: tuple[Contender, ...]
    alias: int | None
    """The version the alias leads to."""
    last_term: int = 0
    """The highest that anybody took, also a version that was deleted since."""

    @property
    def heir(self) -> int | None:
        """The version that should be champion; None where none is whole.

        It is the one of the latest term. Where that one is gone, or was found broken, it is the best of all
        that are left.
        """
        whole = [c for c in self.contenders if c.whole]
        latest = max((c.term for c in whole), default=0)
        vacant = not latest or latest < self.last_term
        best = min((c for c in whole if vacant or c.term == latest), key=_order, default=None)
        return None if best is None else best.number

    @property
    def previous(self) -> int | None:
        """The version that was champion before the heir, withdrawn or not; None where there is none."""
        former = [c for c in self.contenders if c.crowned and not c.broken and c.number != self.heir]
        return max(former, key=lambda c: (c.term, -c.number)).number if former else None

    @property
    def moved_by_hand(self) -> bool:
        """Whether somebody moved the alias without this tool: then it was a decision, and it stands."""
        if self.alias is None or self.alias == self.heir:
            return False
        both = [c for c in self.contenders if c.number in (self.alias, self.heir)]
        return not any(c.on_its_way or (c.broken and c.number == self.alias) for c in both)

    @property
    def next_term(self) -> int:
        """The term that the next champion takes: above those that it was judged against, and no other."""
        return 1 + max([self.last_term, *(c.term for c in self.contenders if c.whole)])

    def without(self, number: int, last_term: int) -> Self:
        """Give the succession as if there were no such version.

        Args:
            number: of the version.
            last_term: the highest that any other took.
        """
        others = tuple(c for c in self.contenders if c.number != number)
        alias = None if self.alias == number else self.alias
        return replace(self, contenders=others, alias=alias, last_term=last_term)

    def of(self, number: int) -> Contender:
        """Give the contender of that number.

        Raises:
            KeyError: there is none.
        """
        return {c.number: c for c in self.contenders}[number]


def _order(contender: Contender) -> tuple[bool, float, int]:
    return contender.rmse is None, contender.rmse or 0.0, contender.number
