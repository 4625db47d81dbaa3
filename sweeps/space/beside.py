"""The modules beside a search space that it imports: what has to travel with it to another machine."""

import ast
import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path


def names_beside(space: Path) -> tuple[str, ...]:
    """Give the space's file and the modules beside it that it imports, directly or through each other.

    A package beside it counts whole. Modules whose names are computed are not found, nor is data they read.

    Args:
        space: path of its file, which need not be sound.

    Returns:
        Paths relative to the space's folder, sorted.
    """
    folder, found, waiting = space.parent, {space}, [space]
    while waiting:
        for name in _imported(waiting.pop()):
            new = [path for path in _files(folder, name) if path not in found]
            found.update(new)
            waiting += new
    return tuple(sorted(path.relative_to(folder).as_posix() for path in found))


def _files(folder: Path, module: str) -> Iterator[Path]:
    """The files of a top-level module or package in a folder; none where it lies elsewhere."""
    if (folder / f"{module}.py").is_file():
        yield folder / f"{module}.py"
    yield from sorted((folder / module).rglob("*.py"))


def _imported(path: Path) -> set[str]:
    """The top-level names that a module imports anywhere; none where it cannot be read or parsed."""
    with contextlib.suppress(OSError, SyntaxError, ValueError), warnings.catch_warnings(action="ignore"):
        return {name.partition(".")[0] for name in _names(ast.parse(path.read_bytes()))}
    return set()


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
