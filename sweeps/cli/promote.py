"""``sweeps promote``."""

import click

from sweeps.cli.options import store_options
from sweeps.cli.output import figure, print_json


@click.command("promote")
@click.argument("sweep")
@click.option("--as", "register_as", metavar="MODEL", help="Name of the registered model.")
@store_options
def promote_command(sweep: str, register_as: str | None, tracking_uri: str | None, as_json: bool) -> None:
    """Register the best model of SWEEP and judge it against the champion on the same rows.

    SWEEP is a run id or its beginning, a name, or `last`. Doing it twice makes no second version.
    """
    from sweeps.api.promote import promote_sweep
    from sweeps.report.summary import summary
    from sweeps.selection import pick

    record = promote_sweep(sweep, register_as, tracking_uri=tracking_uri)
    if as_json:
        print_json(summary(record))
        return
    winner, model = pick(record.finalists), record.model
    test = "" if winner.test_rmse is None else f", test rmse {figure(winner.test_rmse)}"
    click.echo(f"winner  trial {winner.number} of {record.name}: rmse {figure(winner.rmse)}{test}")
    if model is not None:
        click.echo(f"model   {model.name} version {model.version} is {model.alias}: {model.reason}")
