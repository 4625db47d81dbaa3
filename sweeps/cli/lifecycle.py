"""``sweeps stop``, ``sweeps delete`` and ``sweeps restore``."""

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.options import store_options
from sweeps.cli.output import answer, note, print_json
from sweeps.errors import NotReachedError

PATIENCE = 60.0
"""Seconds that ``stop`` waits: the driver looks every five, and withdraws its trials within ten."""


@click.command("stop")
@click.argument("sweep", shell_complete=sweep_names)
@store_options
def stop_command(sweep: str, tracking_uri: str | None, as_json: bool) -> None:
    """End a running SWEEP as Ctrl-C in its own terminal would, from anywhere.

    SWEEP is a run id or its beginning, a name, or `last`. Finished trials are kept, running ones withdrawn.
    """
    from sweeps.tracking.claim import close_abandoned
    from sweeps.tracking.lifecycle import ask_to_stop, wait_for_end
    from sweeps.tracking.reader import find_header
    from sweeps.tracking.repair import RUNNING
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    [header] = close_abandoned(store, [find_header(store, sweep)])
    state = header.state
    if state == RUNNING:
        by = header.owner.shown if header.owner else "its driver"
        note(f"asked {by} to end sweep {header.name}; waiting")
        ask_to_stop(store, header)
        state = wait_for_end(store, header, PATIENCE)
    if state == RUNNING:
        wrong = f"did not end within {PATIENCE:g} s; its driver may be gone or hang"
        raise NotReachedError(f"sweep {header.name}", wrong, f"sweeps resume {header.run_id[:8]} finds out")
    if as_json:
        print_json({"sweep": header.run_id, "name": header.name, "state": state})
    else:
        more = f"; sweeps resume {header.run_id[:8]} goes on with it" if state == "INTERRUPTED" else ""
        answer(f"sweep {header.name} is {state}{more}")


@click.command("delete")
@click.argument("sweep", shell_complete=sweep_names)
@store_options
def delete_command(sweep: str, tracking_uri: str | None, as_json: bool) -> None:
    """Delete SWEEP with all its trials; `sweeps restore` brings it back.

    SWEEP is a run id or its beginning, a name, or `last`. Registered models stay.
    """
    from sweeps.tracking.claim import claimed
    from sweeps.tracking.lifecycle import delete_sweep
    from sweeps.tracking.reader import find_header
    from sweeps.tracking.store import find_store, resolve_uri
    from sweeps.tracking.views import remove_view

    store = find_store(resolve_uri(tracking_uri))
    header = find_header(store, sweep)
    with claimed(store, header, note):
        trials = delete_sweep(store, header)
        remove_view(store, header.experiment_id, header.run_id)
    if as_json:
        print_json({"sweep": header.run_id, "name": header.name, "deleted": True, "runs": trials})
    else:
        back = f"sweeps restore {header.run_id[:8]} brings it back"
        answer(f"deleted sweep {header.name} with {trials} runs of trials; {back}")


@click.command("restore")
@click.argument("sweep", shell_complete=sweep_names)
@store_options
def restore_command(sweep: str, tracking_uri: str | None, as_json: bool) -> None:
    """Bring back a deleted SWEEP with all its trials.

    SWEEP is a run id or its beginning, or a name.
    """
    from sweeps.tracking.lifecycle import find_deleted, restore_sweep
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    header = find_deleted(store, sweep)
    trials = restore_sweep(store, header)
    if as_json:
        print_json({"sweep": header.run_id, "name": header.name, "deleted": False, "runs": trials})
    else:
        answer(f"restored sweep {header.name} with {trials} runs of trials")
