"""One case of bad input, and the words most of them begin with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RUN = "run space.py --trials 2 --engine serial"
SPACE = "run odd.py --table table.csv --target y --trials 2 --engine serial"
TABLE = f"{RUN} --target y --table"
SPLITS = f"{RUN} --target y --train table.csv --valid"
GOOD = f"{TABLE} table.csv"
STORE = f"{GOOD} --tracking-uri"
SECRET = "SECRETPW"  # noqa: S105 - planted, to be looked for in what is printed


@dataclass(frozen=True)
class Case:
    """A mistake, what is said about it, and how the program ends."""

    words: str
    code: int
    said: str
    """A regular expression for the line, without ``error: ``."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """Further files in the folder."""
    store: bool = False
    """Whether there is a store in the folder."""
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] | None = None
    announced: bool = False
    """Known only when the sweep has begun: two lines tell of it first."""
    powerless: bool = False
    """Run as nobody where the tests run as root."""
    full: bool = False
    """Run where no file may grow beyond a page, as on a full disk."""


def odd(text: str | bytes) -> dict[str, str | bytes]:
    return {"odd.py": text}


def closed(folder: Path) -> None:
    """A folder nobody may write."""
    (folder / "closed").mkdir(mode=0o555)


def private(folder: Path) -> None:
    """A folder nobody may enter."""
    (folder / "private").mkdir(mode=0o700)
