"""What becomes of the winner before it is registered: its options, and how it reads."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sweeps.cli.output import figure

if TYPE_CHECKING:
    from sweeps.record import SweepRecord

RUN_OPTIONS = (
    click.option(
        "--refit",
        default="none",
        show_default=True,
        metavar="ROWS",
        help="train+valid: train what was chosen again on both before it is registered.",
    ),
    click.option(
        "--blend", is_flag=True, help="Register an average of the finalists where it beats the winner."
    ),
)
PROMOTE_OPTIONS = (
    click.option(
        "--refit",
        metavar="ROWS",
        help="train+valid: train what was chosen again on both first; none: do not [as the sweep said].",
    ),
    click.option(
        "--blend/--no-blend",
        default=None,
        help="Register an average of the finalists where it beats the winner [as the sweep said].",
    ),
)


def finish_lines(record: "SweepRecord") -> Iterator[tuple[str, str]]:
    """Give the blend and the refit as pairs of a word and what there is to say, each with its own figures."""
    blend, refit = record.blend, record.refit
    if blend is not None:
        test = "" if blend.test_rmse is None else f", test rmse {figure(blend.test_rmse)}"
        figures = f"{blend.formula}: validation rmse {figure(blend.rmse)}{test}"
        yield "blend", f"{figures}; {'taken' if blend.taken else 'not taken'}, {blend.reason}"
    if refit is not None:
        yield "refit", f"trained again on {refit.rows}: test rmse {figure(refit.test_rmse)}"
