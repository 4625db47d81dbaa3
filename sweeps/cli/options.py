"""Options and value types that several commands share."""

import os
import re
from collections.abc import Callable
from typing import Any

import click

from sweeps.cli.output import note


class Count(click.ParamType[int]):
    """A whole number of at least ``low``."""

    name = "integer"

    def __init__(self, low: int = 1, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number, or say what it must be."""
        digits = re.fullmatch(r"\s*([+-]?[0-9]{1,30})\s*", str(value))  # int() takes 1_0 and other alphabets
        number = int(digits[1]) if digits else None
        if number is None or number < self.low or (self.high is not None and number > self.high):
            limits = f">= {self.low}" if self.high is None else f"from {self.low} to {self.high}"
            self.fail(f"must be a whole number {limits}, got {str(value)[:40]!r}", param, ctx)
        return number


class Figure(click.ParamType[float]):
    """A finite number of at least 0."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number, or say what it must be."""
        if not re.fullmatch(r"\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*", str(value)):
            self.fail(f"must be a number >= 0, got {str(value)[:40]!r}", param, ctx)
        return float(value)


class Duration(click.ParamType[float]):
    """A time such as ``90``, ``90s``, ``10m``, ``1h30m``; in seconds."""

    name = "time"
    _form = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the time, or say what it must look like."""
        if isinstance(value, float):
            return value
        match = self._form.fullmatch(str(value).strip())
        hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0.0, 0.0, 0.0)
        total = 3600 * hours + 60 * minutes + seconds
        if not 0 < total < float("inf"):
            example = "must be a positive time such as 90s, 10m or 1h30m"
            self.fail(f"{example}, got {str(value)[:40]!r}", param, ctx)
        return total


class Share(click.ParamType[float]):
    """A share such as ``0.5%``; as a fraction."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share, or say what it must look like."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*%\s*", str(value))
        if match is None:
            self.fail(f"must be a share such as 0.5%, got {str(value)[:40]!r}", param, ctx)
        return float(match[1]) / 100


class Pairs(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the first ``=``."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not (name and sign and text):
            self.fail(f"must be NAME=VALUE, got {value!r}", param, ctx)
        return name, text


def _warned(ctx: click.Context, param: click.Parameter, uri: str | None) -> str | None:
    """Warn of an address that gives its password away."""
    from sweeps.tracking.exposure import exposures

    for text in exposures(uri or os.environ.get("MLFLOW_TRACKING_URI", ""), typed=uri is not None):
        note(f"warning: {text}")
    return uri


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--tracking-uri``, ``--json`` and ``--debug``."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
        click.option(
            "--tracking-uri",
            metavar="URI",
            callback=_warned,
            help="MLflow store; else MLFLOW_TRACKING_URI, else sqlite:///mlflow.db here.",
        ),
    ):
        command = option(command)
    return command
