"""Errors a user can act on, each with its exit code.

A message has three parts: what it is about, with the values; what is wrong and why; what to type next.
It prints as one line: ``error: WHAT: WRONG (NEXT)``.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

from sweeps.credentials import redact


class SweepsError(Exception):
    """A mistake or a trouble outside our code; never shown with a traceback.

    Args:
        what: the thing it is about, as the user named it (``--trials``, ``space x.py``, ``data.csv``).
        wrong: what is wrong with it, with the values, and why.
        next_step: what to type or do next; empty where there is nothing to add.
    """

    exit_code = 1
    """With which the command line ends."""

    def __init__(self, what: str, wrong: str, next_step: str = "") -> None:
        self.what, self.wrong, self.next_step = what, wrong, next_step
        message = f"{what}: {wrong}" + (f" ({next_step})" if next_step else "")
        super().__init__(one_line(redact(message)))

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.what, self.wrong, self.next_step)


class UsageError(SweepsError):
    """The command line or a call's arguments are wrong."""

    exit_code = 2


class SpaceError(SweepsError):
    """The search space cannot be used."""

    exit_code = 3


class DataError(SweepsError):
    """The data cannot be used."""

    exit_code = 4


class StoreError(SweepsError):
    """The MLflow store or registry is unreachable or unfit."""

    exit_code = 5


class StoreDownError(StoreError):
    """The store is out of reach for now: what was refused may be taken later."""


class EngineDownError(SweepsError):
    """The engine has no place for trials any more; what is finished is safe, and the sweep can be resumed."""

    exit_code = 5


class NoUsableTrialError(SweepsError):
    """The sweep ended without a trial that could be selected."""

    exit_code = 6


class SweepOwnedError(SweepsError):
    """Another driver owns the sweep."""

    exit_code = 7


class TooManyFailuresError(SweepsError):
    """More trials failed, or were lost by the engine, than allowed."""

    exit_code = 8


class NotReachedError(SweepsError):
    """The verdict or reproduction asked for was not reached."""

    exit_code = 9


def absent(path: Path) -> str:
    """Say why a path leads to nothing; empty where something is there.

    ``Path.exists`` itself raises for a folder we may not enter and for a name that is too long.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return ""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that ``name`` is no known ``kind``, list the known ones, and guess which was meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f", did you mean {close[0]!r}?" if close else ";"
    return f"unknown {kind} {name!r}{guess} known: {', '.join(names) or 'none'}"


def printable(line: str) -> str:
    """Drop from a line what could command the terminal; its indent stays."""
    return "".join(c for c in line.expandtabs(4) if c.isprintable())


def one_line(text: str) -> str:
    """Collapse white space and drop control characters, so that a foreign text cannot break the terminal."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
