"""``sweeps promote``."""

from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.data_options import add_options
from sweeps.cli.finish import PROMOTE_OPTIONS, finish_lines
from sweeps.cli.gate import gate_options, read_gate, require
from sweeps.cli.notify import NOTIFY_OPTIONS
from sweeps.cli.options import store_options
from sweeps.cli.output import answer, figure, print_json, warn

if TYPE_CHECKING:
    from sweeps.record import SweepRecord


@click.command("promote")
@click.argument("sweep", shell_complete=sweep_names)
@click.option("--as", "register_as", metavar="MODEL", help="Name of the registered model.")
@add_options(PROMOTE_OPTIONS)
@gate_options
@add_options(NOTIFY_OPTIONS)
@store_options
def promote_command(
    sweep: str,
    register_as: str | None,
    notify: tuple[str, ...],
    refit: str | None,
    blend: bool | None,
    tracking_uri: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Register the best model of SWEEP and judge it against the champion on the same rows.

    SWEEP is a run id or its beginning, a name, or `last`. Doing it twice makes no second version. With a
    verdict asked for (--gate and the like) the exit code is 9 where it is not reached.
    """
    from sweeps.api.promote import promote_sweep
    from sweeps.report.summary import summary

    gate = read_gate(options)
    record = promote_sweep(
        sweep,
        register_as,
        gate=gate,
        refit=refit,
        blend=blend,
        tracking_uri=tracking_uri,
        tell=warn,
        notify=notify,
    )
    if as_json:
        print_json(summary(record))
    else:
        _answer(record)
    require(gate, record.model)


def _answer(record: "SweepRecord") -> None:
    from sweeps.selection import pick

    winner, model = pick(record.finalists), record.model
    test = "" if winner.test_rmse is None else f", test rmse {figure(winner.test_rmse)}"
    answer(f"winner  trial {winner.number} of {record.name}: rmse {figure(winner.rmse)}{test}")
    for word, text in finish_lines(record):
        answer(f"{word:<8}{text}")
    if model is not None:
        answer(f"model   {model.name} version {model.version} is {model.alias}: {model.reason}")
