"""What to type instead: Hyperopt expressions as text. Every proposal is itself free of findings."""

import math
from collections.abc import Iterable, Sequence
from functools import reduce

FEW = 6
"""With so few steps, the half share of the first and the last is felt."""
DECADE = 10


def number(value: float) -> str:
    """Write a number as a user would."""
    return f"{value:.12g}"


def call(distribution: str, label: str, *arguments: str, whole: bool = False) -> str:
    """Write a call of ``hp``, inside ``scope.int`` where whole numbers are wanted."""
    text = f"hp.{distribution}({label!r}, {', '.join(arguments)})"
    return f"scope.int({text})" if whole else text


def uniform(label: str, low: float, high: float, *, whole: bool = False) -> str:
    """All values between two bounds, with equal shares."""
    if not whole:
        return call("uniform", label, number(low), number(high))
    return steps(label, low, high, 1, whole=True)


def steps(label: str, low: float, high: float, q: float, *, whole: bool) -> str:
    """Multiples of q from low to high, which are multiples too; few of them with equal shares."""
    if (high - low) / q < FEW:
        low, high = low - q / 2, high + q / 2
    return call("quniform", label, number(low), number(high), number(q), whole=whole)


def equal_steps(label: str, low: float, high: float, q: float, *, whole: bool) -> str:
    """Multiples of q with equal shares: the bounds lie half a step outside."""
    return call("quniform", label, number(low - q / 2), number(high + q / 2), number(q), whole=whole)


def log_uniform(label: str, low: float, high: float, *, whole: bool = False) -> str:
    """All magnitudes between two positive bounds, with equal shares."""
    bounds = f"log({number(low)})", f"log({number(high)})"
    if not whole:
        return call("loguniform", label, *bounds)
    return call("qloguniform", label, *bounds, "1", whole=True)


def ordered(label: str, values: Sequence[float]) -> str:
    """A range that holds these numbers, at least two: by magnitude if they span a decade, else in steps."""
    low, high = min(values), max(values)
    whole = all(isinstance(value, int) for value in values)
    if low > 0 and high / low >= DECADE:
        return log_uniform(label, low, high, whole=whole)
    step = _step(values) if whole else 0
    return (
        steps(label, low, high, step, whole=True)
        if step and low % step == 0
        else uniform(label, low, high, whole=whole)
    )


def decades(low: float, high: float) -> float:
    """How many powers of ten lie between two positive bounds."""
    return math.log10(high / low)


def _step(values: Iterable[float]) -> int:
    """The largest step that reaches all of these whole numbers from the lowest."""
    found = sorted(int(value) for value in values)
    return reduce(math.gcd, (value - found[0] for value in found[1:]), 0)
