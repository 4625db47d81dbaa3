"""The verdict that is asked for: its options, and the exit code where it is not reached."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.options import Figure, Share
from sweeps.errors import NotReachedError, UsageError

if TYPE_CHECKING:
    from sweeps.record import ModelVersion
    from sweeps.selection.gate import Gate

GATE_OPTIONS = (
    click.option(
        "--gate", metavar="KIND", help="What makes a champion: better [default], significant or none."
    ),
    click.option("--confidence", type=Figure(), metavar="C", help="Of --gate significant [0.95]."),
    click.option("--min-gain", type=Share(), metavar="0.5%", help="By how much the rmse must be lower."),
    click.option("--max-latency", type=Figure(), metavar="MS", help="Milliseconds for 1000 rows."),
    click.option("--max-size", type=Figure(), metavar="MB", help="Of the model's files."),
    click.option("--segment", metavar="COL", help="Compare the rmse for each value of this column."),
    click.option(
        "--max-segment-loss", type=Share(), metavar="10%", help="By how much it may be worse in one [10%]."
    ),
)


def gate_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the gate."""
    for option in reversed(GATE_OPTIONS):
        command = option(command)
    return command


NAMES = ("confidence", "min_gain", "max_latency", "max_size", "segment", "max_segment_loss")


def read_gate(options: dict[str, Any]) -> "Gate | None":
    """Take the gate's options out of a command's; None where none was typed.

    Raises:
        UsageError: one makes no sense, or goes with another.
    """
    from sweeps.selection.gate import Gate

    kind = options.pop("gate", None)
    typed = {name: value for name in NAMES if (value := options.pop(name, None)) is not None}
    if "confidence" in typed and kind != "significant":
        raise UsageError("--confidence", "says how sure --gate significant is", "add --gate significant")
    if "max_segment_loss" in typed and "segment" not in typed:
        raise UsageError("--max-segment-loss", "is about the values of a column", "add --segment COL")
    return Gate(kind or "better", **typed) if kind or typed else None


def require(gate: "Gate | None", model: "ModelVersion | None") -> None:
    """End with exit code 9 where a verdict was asked for and not reached; to be called after the answer.

    Raises:
        NotReachedError: the version is no champion.
    """
    if gate is not None and model is not None and model.alias != "champion":
        what = f"model {model.name} version {model.version}"
        raise NotReachedError(what, model.reason, f"sweeps history {model.name}")
