"""Which points of a search space were asked."""

from collections import Counter
from collections.abc import Hashable


class Visited:
    """The points of the trials, by what makes two of them the same (``sweeps.space.canonical``)."""

    def __init__(self) -> None:
        self._keys: dict[int, Hashable] = {}
        self._counts: Counter[Hashable] = Counter()

    def add(self, number: int, key: Hashable) -> None:
        """Count the point of a trial; the same number again replaces its point."""
        if number in self._keys:
            self._counts[self._keys[number]] -= 1
        self._keys[number] = key
        self._counts[key] += 1

    def knows(self, key: Hashable, besides: int) -> bool:
        """Whether a trial other than ``besides`` has this point."""
        return self._counts[key] > (self._keys.get(besides) == key)

    def __len__(self) -> int:
        return sum(count > 0 for count in self._counts.values())
