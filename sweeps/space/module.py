"""Search-space files: which there are, where a name leads, and how one is imported safely."""

import ast
import contextlib
import functools
import hashlib
import importlib.abc
import importlib.util
import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

from sweeps.errors import SpaceError, absent, unknown

FOLDER = "search_spaces"
IMPORT_SECONDS = 60.0


@dataclass(frozen=True)
class SpaceListing:
    """A search space as listings show it."""

    name: str
    path: Path
    summary: str
    """First line of the module's docstring; empty without one."""


@dataclass(frozen=True)
class SpaceFile:
    """The text of a search-space module."""

    path: Path
    source: str
    digest: str
    """sha256 of the file's bytes, in hex."""

    def at(self, line: int | None = None) -> str:
        """Name the file, and the line, as error messages do."""
        return describe(self.path) + (f":{line}" if line else "")

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(self.source)

    def line_of(self, label: Any) -> int | None:
        """Find the line where a hyperparameter of this label is written; None where it is computed."""
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        lines = (c.lineno for c in calls if c.args and _is_constant(c.args[0], label))
        return min(lines, default=None)


def list_spaces(root: Path | None = None) -> list[SpaceListing]:
    """List the search spaces by name: those in ``search_spaces`` under ``root``, then the shipped ones.

    Files are parsed and not imported, so that listing is fast and safe.

    Args:
        root: the folder to look in; by default the current one.
    """
    found: dict[str, Path] = {}
    for folder in _folders(root):
        for path in sorted(folder.glob("[!_]*.py")):
            found.setdefault(path.stem, path)
    return [SpaceListing(name, path, _summary(path)) for name, path in sorted(found.items())]


def find_space(name: str) -> Path:
    """Find the file of a search space.

    Args:
        name: a name that ``list_spaces`` gives, or the path of a ``.py`` file.

    Raises:
        SpaceError: there is none; a name lists the known ones.
    """
    if is_path(name):
        return _check_path(Path(name))
    known = {listing.name: listing.path for listing in list_spaces()}
    if name in known:
        return known[name].resolve()
    hint = f"there is a file {name}.py here: give {name}.py" if not absent(Path(f"{name}.py")) else ""
    hint = hint or "`sweeps spaces` lists them; or give the path of a .py file"
    raise SpaceError("space", unknown("search space", name, known), hint)


def is_path(name: str) -> bool:
    """Whether a search space is named by its file's path."""
    return name.endswith(".py") or os.sep in name or "/" in name


def describe(path: Path) -> str:
    """Name a search-space file in a message: relative to here if it is below, else by its bare name."""
    with contextlib.suppress(ValueError):
        return f"space {path.relative_to(Path.cwd())}"
    return f"space {path.name}"


def read_space(path: Path) -> SpaceFile:
    """Read a search-space module and check that it is Python.

    Raises:
        SpaceError: it cannot be read, is not UTF-8, or has a syntax error; with the line.
    """
    try:
        raw = path.read_bytes()
        source = _parse(raw, str(path))
    except OSError as error:
        raise SpaceError(describe(path), f"cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        if line := _line_of_bad_byte(raw):
            hint = "save it as UTF-8"
            raise SpaceError(f"{describe(path)}:{line}", "not valid UTF-8 Python", hint) from error
        line = getattr(error, "lineno", None) or raw[: max(raw.find(b"\0"), 0)].count(b"\n") + 1
        text = getattr(error, "msg", None) or str(error)
        raise SpaceError(f"{describe(path)}:{line}", f"{type(error).__name__}: {text}") from error
    return SpaceFile(path, source, hashlib.sha256(raw).hexdigest())


def import_space(
    file: SpaceFile,
    explain: Callable[[BaseException], str] = lambda _: "",
    seconds: float = IMPORT_SECONDS,
) -> ModuleType:
    """Import a search-space module under a stable name, so that what it defines pickles by reference.

    Its folder is appended to ``sys.path``: helpers beside it import and never shadow an installed package.
    What it prints goes to stderr. A module imported before is given again unless its text has changed.

    Args:
        file: the module.
        explain: turns an exception into better words; an empty text keeps its own.
        seconds: give up after this time (in the main thread, where the system has signals).

    Raises:
        SpaceError: it raises, exits or does not end; with the line.
    """
    name = "sweeps_space_" + re.sub(r"\W", "_", file.path.stem)
    known = sys.modules.get(name)
    if known is not None and (known.__file__, known.__dict__.get("__digest__")) == (
        str(file.path),
        file.digest,
    ):
        return known
    _allow_helpers(file.path.parent)
    try:
        with contextlib.redirect_stdout(sys.stderr), _no_exit(), _time_limit(seconds):
            return _execute(name, file)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise _import_error(file, error, explain(error), seconds) from error


class _Text(importlib.abc.ExecutionLoader):
    """Loads a module from text already read: no stale bytecode, none written beside the user's file."""

    def __init__(self, file: SpaceFile) -> None:
        self._file = file

    def get_filename(self, fullname: str) -> str:
        return str(self._file.path)

    def get_source(self, fullname: str) -> str:
        return self._file.source

    def is_package(self, fullname: str) -> bool:
        return False


class _TooLongError(Exception):
    """The import was stopped."""


def _execute(name: str, file: SpaceFile) -> ModuleType:
    loader = _Text(file)
    spec = importlib.util.spec_from_loader(name, loader, origin=str(file.path))
    module = importlib.util.module_from_spec(spec) if spec else ModuleType(name)
    module.__file__ = str(file.path)
    sys.modules[name] = module
    loader.exec_module(module)
    module.__dict__["__digest__"] = file.digest
    return module


def _import_error(file: SpaceFile, error: BaseException, better: str, seconds: float) -> SpaceError:
    line = _last_line(file, error)
    if isinstance(error, SystemExit):
        return SpaceError(
            file.at(line), "called exit during import", "put it under if __name__ == '__main__'"
        )
    if isinstance(error, _TooLongError):
        return SpaceError(file.at(line), f"import took longer than {seconds:g} s")
    if isinstance(error, ModuleNotFoundError):
        hint = f"imported at line {line}; install it, or put it beside the space" if line else "install it"
        return SpaceError(file.at(), str(error), hint)
    return SpaceError(file.at(line), better or f"{type(error).__name__}: {error}", _elsewhere(file, error))


def _last_line(file: SpaceFile, error: BaseException) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == str(file.path)), None)


def _elsewhere(file: SpaceFile, error: BaseException) -> str:
    """Say where a helper beside the space raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    path = Path(last.filename)
    is_helper = path.parent == file.path.parent and path != file.path
    return f"raised at {path.name}:{last.lineno}" if is_helper else ""


def _allow_helpers(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    """Turn ``os._exit`` into SystemExit: it would end us with code 0 and not a word."""

    def refuse(status: int) -> NoReturn:
        raise SystemExit(status)

    real, os._exit = os._exit, refuse
    try:
        yield
    finally:
        os._exit = real


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise in the code inside after a while; without signals, or in another thread, there is no limit."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise _TooLongError

    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, handler)


def _folders(root: Path | None) -> list[Path]:
    """Where search spaces are: the user's, then the shipped ones (in a wheel, or beside the package)."""
    package = Path(__file__).parents[1]
    return [(root or Path.cwd()) / FOLDER, package / FOLDER, package.parent / FOLDER]


def _summary(path: Path) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):
            text = ast.get_docstring(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError) as error:
        return f"(cannot be read: {type(error).__name__})"
    return (text or "").partition("\n")[0]


def _check_path(path: Path) -> Path:
    if reason := absent(path):
        known = {listing.name for listing in list_spaces()}
        hint = f"or the name {path.stem!r} of a shipped one" if path.stem in known else ""
        raise SpaceError(f"space {str(path)!r}", reason, hint)
    if path.is_dir():
        raise SpaceError(f"space {str(path)!r}", "is a folder", "give a .py file in it")
    if path.suffix != ".py":
        raise SpaceError(f"space {str(path)!r}", "is not a .py file")
    return path.resolve()


def _is_constant(node: ast.expr, value: Any) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value


def _parse(raw: bytes, name: str) -> str:
    """Decode and compile a module's bytes, without the warnings that its import will give anyway."""
    source = importlib.util.decode_source(raw)
    with warnings.catch_warnings(action="ignore"):
        compile(source, name, "exec", dont_inherit=True)
    return source


def _line_of_bad_byte(raw: bytes) -> int | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return raw[: error.start].count(b"\n") + 1
    return None
