"""``sweeps report``: write a sweep's report again, from what MLflow holds."""

from pathlib import Path

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.options import store_options
from sweeps.cli.output import print_json


@click.command("report")
@click.argument("sweep", shell_complete=sweep_names)
@click.option(
    "--to", "folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path),
    help="Where to write it; else results/SWEEP.",
)  # fmt: skip
@store_options
def report_command(sweep: str, folder: Path | None, tracking_uri: str | None, as_json: bool) -> None:
    """Write the report of SWEEP again, from MLflow alone: report.html, pictures and tables.

    SWEEP is a run id or its beginning, a name, or `last`. The page is one file that needs no network.
    """
    from sweeps.api.evidence import read_evidence
    from sweeps.api.folders import folder_name
    from sweeps.report.write import write_report

    _, record = read_evidence(sweep, tracking_uri, curves=True)
    where = folder or Path("results") / folder_name(record.name)
    paths = write_report(record, where)
    if as_json:
        print_json({"sweep": record.run_id, "name": record.name, "files": [str(path) for path in paths]})
    else:
        click.echo(str(where / "report.html"))
