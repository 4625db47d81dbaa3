"""``sweeps reproduce``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import trial_names
from sweeps.cli.options import Figure, store_options
from sweeps.cli.output import answer, note, print_json, print_table
from sweeps.errors import DataError, NotReachedError, one_line

if TYPE_CHECKING:
    from sweeps.reproduction import Reproduction

FILES = ("train", "valid", "test", "table", "data_dir")


@click.command("reproduce")
@click.argument("trial", shell_complete=trial_names)
@click.option(
    "--tolerance", type=Figure(), default=1e-6, show_default=True, help="Relative, that still counts as same."
)
@click.option("--space", metavar="FILE", help="Where the search space lies now.")
@click.option(
    "--save-space", metavar="FILE", help="Write out the search space kept with the sweep; train nothing."
)
@click.option("--data-dir", metavar="DIR", help="Where the downloaded months lie now.")
@click.option("--train", metavar="FILE", help="Where this file lies now; likewise:")
@click.option("--valid", metavar="FILE")
@click.option("--test", metavar="FILE")
@click.option("--table", metavar="FILE")
@store_options
def reproduce_command(
    trial: str,
    tolerance: float,
    space: str | None,
    save_space: str | None,
    tracking_uri: str | None,
    as_json: bool,
    **files: str | None,
) -> None:
    """Train TRIAL again from what MLflow holds of it, and compare: bit-equal, within tolerance, or different.

    TRIAL is SWEEP:NUMBER, SWEEP:best, a number, of the latest sweep, or the trial's run id. Nothing is
    written to MLflow. Ends with 9 where the trial comes out different.

    \b
    sweeps reproduce last:best
    sweeps reproduce tpe-42:7
    sweeps reproduce 3fa85f64
    """
    from sweeps.api.reproduce import kept_source, reproduce_trial

    if save_space is not None:
        _save(kept_source(trial, tracking_uri=tracking_uri), Path(save_space))
        return
    moved = {key: files[key] for key in FILES if files[key] is not None}
    found = reproduce_trial(trial, space=space, data=moved, tolerance=tolerance, tracking_uri=tracking_uri)
    if as_json:
        print_json(_summary(found))
    else:
        _show(found)
    _refuse_different(found)


def _save(source: str, path: Path) -> None:
    """Write the source to a new file.

    Raises:
        DataError: it exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(source)
    except OSError as error:
        wrong = f"cannot be written: {error.strerror or error}"
        raise DataError(f"--save-space {path}", wrong, "name a new file") from error
    note(f"{path}: read it before you run it; then pass --space {path}")


def _show(found: "Reproduction") -> None:
    answer(f"trial {found.number} of {one_line(found.sweep)}: {found.match}")
    rows = [[f.name, _exact(f.recorded), _exact(f.now), str(f.match(found.tolerance))] for f in found.figures]
    if rows:
        print_table(["figure", "recorded", "now", ""], rows)
    if points := found.points:
        equal = sum(point.recorded == point.now for point in points)
        answer(f"learning curve: {equal} of {len(points)} points bit-equal")
    if found.recorded.reason:
        answer(one_line(f"recorded as {found.recorded.state}: {found.recorded.reason}"))
    if found.now.error:
        answer(one_line(f"now {found.now.state}: {found.now.reason}"))
    answer(_changes(found))


def _changes(found: "Reproduction") -> str:
    told = [f"{name} {then} then, {now} now" for name, (then, now) in found.changes.items()]
    return one_line(
        f"otherwise than then: {'; '.join(told)}" if told else "data, packages and threads are as then"
    )


def _exact(value: float | None) -> str:
    return "–" if value is None else repr(value)


def _summary(found: "Reproduction") -> dict[str, Any]:
    return {
        "sweep": found.sweep,
        "trial": found.number,
        "run_id": found.run_id,
        "match": str(found.match),
        "tolerance": found.tolerance,
        "recorded": str(found.recorded.state),
        "now": str(found.now.state),
        "figures": {f.name: {"recorded": f.recorded, "now": f.now} for f in found.figures},
        "curve": {"points": len(found.points), "equal": sum(p.recorded == p.now for p in found.points)},
        "differences": list(found.differences),
        "changes": {name: {"then": then, "now": now} for name, (then, now) in found.changes.items()},
    }


def _refuse_different(found: "Reproduction") -> None:
    """Say why the trial came out different.

    Raises:
        NotReachedError: it did.
    """
    from sweeps.environment import PACKAGES
    from sweeps.reproduction import Match, restoring

    if found.match is not Match.DIFFERENT:
        return
    why = ", ".join(f"{name} {then} -> {now}" for name, (then, now) in found.changes.items())
    wrong = f"came out different: {'; '.join(found.differences[:3])}; changed since: {why or 'nothing known'}"
    hint = restoring(found.changes, PACKAGES)
    raise NotReachedError(
        f"trial {found.number} of {found.sweep}", wrong, hint or f"sweeps show {found.run_id[:8]}"
    )
