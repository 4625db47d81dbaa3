"""``docs/reference.md``, whole."""

from docs.generate.answers import answers
from docs.generate.codes import exit_codes, variables
from docs.generate.commands import commands
from docs.generate.markdown import joined
from docs.generate.python_api import python_api

INTRODUCTION = """# Reference

Every command with its options, every JSON key, every Python name. How to work with them is in the
[guide](guide.md). This page is written from the code by `python -m docs.generate`: change the code, not it.

- [Commands](#commands) · [JSON answers](#json-answers) · [Exit codes](#exit-codes) ·
  [Environment variables](#environment-variables) · [Python](#python)"""

COMMANDS = """## Commands

`SWEEP` is a run id or its beginning, a name, or `last`. `TIME` is written as `90s`, `10m` or `1h30m`."""

JSON = """## JSON answers

With `--json` a command prints one object on stdout and nothing else there. Keys stay from version to version;
new ones may come. `a.b` is key `b` in the object under `a`, `a[].b` in each element of the list under `a`."""

CODES = """## Exit codes

From Python the same errors are raised, from `sweeps.errors`: all of them are `sweeps.SweepsError`, and
`exit_code` has the code."""

VARIABLES = """## Environment variables

What MLflow itself reads besides is in
[its documentation](https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html)."""


def reference() -> str:
    """Give the page."""
    parts = [
        INTRODUCTION,
        joined(COMMANDS, commands()),
        joined(JSON, answers()),
        joined(CODES, exit_codes()),
        joined(VARIABLES, variables()),
        joined("## Python", python_api()),
    ]
    return joined(*parts) + "\n"
