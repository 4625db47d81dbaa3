"""How many of the training rows a search takes, as typed: ``10%`` or ``50000``. Standard library only."""

import re

from sweeps.errors import UsageError

FEWEST = 100
"""Rows that may be asked for by their number: who types fewer more likely means a share."""
_FORM = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+)\s*(?P<percent>%?)")


def read_sample(text: str) -> int | float:
    """Read a number of rows, or a share of them as a fraction, at most 1.

    Raises:
        UsageError: it is neither.
    """
    found = _FORM.fullmatch(text.strip())
    number = found["number"] if found else ""
    if found and found["percent"] and 0 < float(number) <= 100:
        return float(number) / 100
    if found and not found["percent"] and number.isdecimal() and int(number) >= FEWEST:
        return int(number)
    wrong = f"must be a share of the training rows such as 10%, or {FEWEST} of them or more"
    raise UsageError("--sample", f"{wrong}, got {text[:40]!r}", "--sample 10%")
