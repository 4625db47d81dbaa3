"""``sweeps doctor``."""

from typing import TYPE_CHECKING

import click

from sweeps.cli.options import store_options
from sweeps.cli.output import answer, note, print_json, print_table
from sweeps.errors import NotReachedError

if TYPE_CHECKING:
    from sweeps.api.doctor import Finding


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Put right what takes no decision.")
@store_options
def doctor_command(fix: bool, tracking_uri: str | None, as_json: bool) -> None:
    """Check the store, and put right what killed drivers and lost answers left.

    It must be reachable, writable and of the current schema; then come sweeps that were interrupted, runs
    that nobody finishes, and model versions whose promotion was cut off.
    """
    from sweeps.api.doctor import examine, fitness
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    fit = fitness(store)
    found = list(examine(store, note))
    mended = [one for one in found if fix and _mended(one)]
    left = [one for one in found if one not in mended]
    if as_json:
        rows = [
            {"what": one.what, "wrong": one.wrong, "next": one.next_step, "fixed": one in mended}
            for one in found
        ]
        print_json({"store": store.shown, "fitness": fit, "findings": rows})
    else:
        answer(f"MLflow {store.shown}: {fit}")
        _print(mended, left)
    if any(one.mend is not None for one in left):
        raise NotReachedError(f"MLflow {store.shown}", "is not in order", "sweeps doctor --fix")


def _mended(finding: "Finding") -> bool:
    if finding.mend is None:
        return False
    finding.mend()
    return True


def _print(mended: "list[Finding]", left: "list[Finding]") -> None:
    for one in mended:
        answer(f"put right: {one.what} {one.wrong}")
    if left:
        print_table(["what", "is", "next"], [[one.what, one.wrong, one.next_step] for one in left])
    elif not mended:
        answer("nothing is wrong")
