"""What stands for a long history: its best trials, and a few that were chosen at random but for good."""

import bisect

import numpy as np


class Lowest:
    """The lowest of many numbered values, kept while they come; of equal ones those of the lowest number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pairs: list[tuple[float, int]] = []

    def add(self, value: float, number: int) -> None:
        """Keep the pair if it is among the lowest so far."""
        bisect.insort(self._pairs, (value, number))
        del self._pairs[self._most :]

    @property
    def numbers(self) -> list[int]:
        """The numbers, that of the lowest value first."""
        return [number for _, number in self._pairs]


class Ranks:
    """A random number from 0 to 1 for each trial, which it keeps for the whole sweep."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
        self._drawn: list[float] = []

    def __getitem__(self, number: int) -> float:
        if (missing := number + 1 - len(self._drawn)) > 0:
            self._drawn += self._rng.random(max(missing, 1000)).tolist()
        return self._drawn[number]


class Sample:
    """Trials that stand for all: a function of their numbers and losses and of the seed, in whatever order.

    Each trial has a random rank, and the lowest are chosen, so that the choice changes little as trials come.

    Args:
        seed: of the ranks.
        good: how many good trials may be asked for.
        size: how many trials may be asked for.
    """

    def __init__(self, seed: int, good: int, size: int) -> None:
        self._ranks = Ranks(seed)
        self._best, self._lowest = Lowest(good), Lowest(size)

    def add(self, number: int) -> None:
        """Count a new trial."""
        self._lowest.add(self._ranks[number], number)

    def tell(self, number: int, loss: float) -> None:
        """Count what a trial gave; infinity for a failure."""
        self._best.add(loss, number)

    def choose(self, good: int, size: int, running: set[int]) -> tuple[list[int], list[int]]:
        """Choose the best trials, and others up to ``size`` together; those running before any other.

        Returns:
            The numbers of the ``good`` best, and those of the others; each in ascending order.
        """
        best = self._best.numbers[:good]
        taken = running.union(best)
        drawn = [number for number in self._lowest.numbers if number not in taken]
        return sorted(best), sorted([*running, *drawn[: max(0, size - len(taken))]])
