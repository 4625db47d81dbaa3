"""Whom to tell: read from what the user typed, and checked before anything starts.

A web address may be a secret as a whole, as those of chat rooms are, and so may a word of a command: of the
one only the host is ever shown, of the other only the program.
"""

import base64
import os
import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sweeps.errors import UsageError

OPTION = "--notify"
VARIABLE = "env:"
"""Before the name of a variable that holds the target, where nobody reads it off the command line."""
FORM = "must be a command, or an address that begins with http:// or https://"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MISTYPED = re.compile(r"\w+:/|[\w-]+(\.[\w-]+)+(:\d+)?/")
"""What is meant as an address, though it is none: not to be repeated in a message either."""
_FOR_A_SHELL = {"|", "||", "&", "&&", ";", ">", ">>", "<"}


@dataclass(frozen=True)
class Command:
    """A program that is given each message on its standard input; no shell is asked."""

    words: tuple[str, ...] = field(repr=False)
    """The first is the program's absolute path."""

    @property
    def shown(self) -> str:
        """The program's name."""
        return Path(self.words[0]).name


@dataclass(frozen=True)
class Address:
    """Where each message is sent by HTTP POST."""

    url: str = field(repr=False)
    """Without user and password."""
    shown: str
    """Scheme, host and port."""
    authorization: str = field(default="", repr=False)
    """Header for user and password; empty where there are none."""


Target = Command | Address


def read_targets(texts: Iterable[str]) -> tuple[Target, ...]:
    """Read several targets; see ``read_target``."""
    return tuple(read_target(text) for text in texts)


def read_target(text: str) -> Target:
    """Read a command, an address, or ``env:NAME`` for a variable that holds one of them.

    Raises:
        UsageError: it is neither, or there is no such program.
    """
    text = _looked_up(text).strip()
    if not text or "\0" in text:
        raise UsageError(OPTION, f"{FORM}, got nothing" if not text else FORM)
    return _address(text) if _SCHEME.match(text) else _command(text)


def _looked_up(text: str) -> str:
    if not text.startswith(VARIABLE):
        return text
    name = text.removeprefix(VARIABLE)
    if not os.environ.get(name):
        raise UsageError(f"{OPTION} {VARIABLE}{name[:40]}", "is not set here", f"export {name[:40]}=…")
    return os.environ[name]


def _address(text: str) -> Address:
    try:
        parts = urlsplit(text)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    scheme = text.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise UsageError(OPTION, f"{FORM}, got one with {scheme[:20]}://")
    if not sound or not text.isascii() or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise UsageError(OPTION, "is no web address", f"write {scheme}://HOST/PATH, odd letters as %XX")
    host = parts.netloc.rpartition("@")[2]
    url = parts._replace(netloc=host, fragment="").geturl()
    return Address(url, f"{scheme}://{host}", _authorization(parts))


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(words.encode()).decode()}"


def _command(text: str) -> Command:
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(OPTION, "a quote in the command is not closed") from None
    if shell := sorted(_FOR_A_SHELL.intersection(words)):
        raise UsageError(OPTION, f"{shell[0]!r} is for a shell, and none is asked", f"{OPTION} \"sh -c '…'\"")
    word = words[0] if words else ""
    program = shutil.which(str(Path(word).expanduser()) if word.startswith("~/") else word)
    if program is None:
        raise _not_found(word)
    return Command((str(Path(program).absolute()), *words[1:]))


def _not_found(word: str) -> UsageError:
    if not word or _MISTYPED.match(word):
        return UsageError(OPTION, FORM)
    return UsageError(OPTION, f"there is no command {word[:60]!r}", "name it by its path, or put it on PATH")
