"""Exit codes and environment variables, from the code."""

import re
from pathlib import Path

from docs.generate.markdown import code, flowing, table
from docs.generate.meanings import VARIABLES
from sweeps import errors

SOURCES = Path(errors.__file__).parent
READ = re.compile(r"""environ(?:\.get\(|\[)\s*"([A-Z][A-Z0-9_]+)"(?!\]\s*=)""")


def exit_codes() -> str:
    """Give the codes with the errors that end in them."""
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.SweepsError)]
    own = [k for k in kinds if "exit_code" in vars(k) and k is not errors.SweepsError]
    rows = [["0", "", "Done."], ["1", "", "A bug of ours."]]
    ordered = sorted(own, key=lambda kind: kind.exit_code)
    rows += [[str(kind.exit_code), code(kind.__name__), _first(kind)] for kind in ordered]
    rows += [["129", "", "Ended because its terminal was closed (SIGHUP)."], ["130", "", "Ended by Ctrl-C."]]
    rows += [["143", "", "Ended by SIGTERM."]]
    return table(["code", "raised from Python as", "means"], rows)


def variables() -> str:
    """Give the environment variables that the code reads."""
    rows = [[code(name), VARIABLES.get(name, "")] for name in sorted(read_variables())]
    return table(["variable", "what it says"], rows)


def read_variables() -> set[str]:
    """Find the names that the code looks up in its environment, by themselves or from a list."""
    source = "\n".join(path.read_text() for path in SOURCES.rglob("*.py"))
    return {*READ.findall(source), *(name for name in VARIABLES if f'"{name}"' in source)}


def _first(kind: type) -> str:
    return flowing((kind.__doc__ or "").split("\n\n")[0])
