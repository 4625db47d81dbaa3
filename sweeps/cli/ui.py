"""``sweeps ui``."""

import os
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sweeps.cli import server
from sweeps.cli.completion import sweep_names
from sweeps.cli.options import Count, store_options
from sweeps.cli.output import answer, note, print_json
from sweeps.errors import StoreError

if TYPE_CHECKING:
    from sweeps.record import SweepRecord
    from sweeps.tracking.store import Store


@dataclass(frozen=True)
class Page:
    """What the browser is to show, and how to know that a server has it."""

    experiment_id: str | None
    sweep: str | None
    """Its run id; None for a store that holds no sweep."""
    question: str
    """A path of MLflow's REST API."""
    answer: Any
    """What a server on this store answers, as far as ``excerpt`` keeps it."""

    def link(self, store: "Store", base: str) -> str:
        """Give the page's address on a server that runs: the sweep's view, else its trials by rmse."""
        from sweeps.tracking.views import sweep_link

        if self.sweep is None or self.experiment_id is None:
            return f"{base}/#/experiments"
        return sweep_link(store, base, self.experiment_id, self.sweep)

    def compare(self, store: "Store", base: str) -> str | None:
        """Give the address that compares the ten best trials; None for less than two."""
        from sweeps.tracking.links import compare_link
        from sweeps.tracking.reader import best_runs

        runs = best_runs(store, self.experiment_id, self.sweep) if self.experiment_id and self.sweep else []
        return compare_link(base, self.experiment_id or "", runs) if len(runs) > 1 else None


@click.command("ui")
@click.argument("sweep", required=False, shell_complete=sweep_names)
@click.option("--port", type=Count(1, 65535), help="Port of the server; else the first free from 5000 on.")
@click.option("--no-open", is_flag=True, help="Only print the link.")
@store_options
def ui_command(
    sweep: str | None, port: int | None, no_open: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """Open a sweep in the MLflow UI: its trials, the lowest rmse first, with charts.

    SWEEP is a run id or its beginning, a name, or `last`; without it the latest sweep. Where no MLflow server
    runs on the store, one is started that only this machine can reach, until Ctrl-C.
    """
    from sweeps.tracking.store import find_store, open_store, resolve_uri

    store = (open_store if sweep is None else find_store)(resolve_uri(tracking_uri))
    page = page_of(store, sweep)
    prepare(store, page)
    if base := own_server(store):
        present(store, page, base, as_json, no_open)
    elif running := find_server(page, port):
        note(f"an MLflow server on this store already runs at {running}")
        present(store, page, running, as_json, no_open)
    else:
        serve(store, page, port, as_json, no_open)


def page_of(store: "Store", sweep: str | None) -> Page:
    """Find the page of a sweep, of the latest one for None.

    Raises:
        UsageError: there is no such sweep.
    """
    from sweeps.tracking.reader import find_sweep, list_sweeps
    from sweeps.tracking.store import store_errors

    if sweep is None and not list_sweeps(store, limit=1):
        with store_errors(store.shown):
            known = {e.experiment_id: e.name for e in store.client.search_experiments(max_results=100)}
        return Page(None, None, "/api/2.0/mlflow/experiments/search?max_results=100", known)
    run_id = find_sweep(store, sweep or "last")
    with store_errors(store.shown):
        run = store.client.get_run(run_id)
    answer = {"run_id": run_id, "start_time": run.info.start_time, "artifact_uri": run.info.artifact_uri}
    return Page(run.info.experiment_id, run_id, f"/api/2.0/mlflow/runs/get?run_id={run_id}", answer)


def prepare(store: "Store", page: Page) -> None:
    """See to it that there is a view of the sweep, of one that goes on an up-to-date one."""
    from sweeps.tracking.reader import read_header, read_sweep
    from sweeps.tracking.views import has_view, save_view

    if page.sweep is None or page.experiment_id is None:
        return
    goes_on = read_header(store, page.sweep).state == "RUNNING"
    if goes_on or not has_view(store, page.experiment_id, page.sweep):
        save_view(store, read_sweep(store, page.sweep))


def links(store: "Store", record: "SweepRecord") -> dict[str, str | None]:
    """Give the addresses of a sweep's view and of the comparison of its best trials.

    On the store's server, else where ``sweeps ui`` serves them.
    """
    from sweeps.selection import rank
    from sweeps.tracking.links import compare_link
    from sweeps.tracking.views import sweep_link

    own = own_server(store)
    base = own or server.address(server.PORTS[0])
    runs = [t.trial.run_id for t in rank(record.trials, 10)]
    compare = compare_link(base, record.experiment_id, runs) if len(runs) > 1 else None
    view = sweep_link(store, base, record.experiment_id, record.run_id, running=own is not None)
    return {"ui": view, "compare": compare}


def own_server(store: "Store") -> str | None:
    """Give the address of the server that the store is, without user and password; None for a database."""
    from sweeps.tracking.links import server_of

    return server_of(store.uri)


def excerpt(answer: Any) -> Any:
    """Keep of a server's answer what tells one store from another."""
    if not isinstance(answer, dict):
        return None
    if "run" in answer:
        info = answer["run"]["info"]
        return {key: info.get(key) for key in ("run_id", "start_time", "artifact_uri")}
    return {e["experiment_id"]: e["name"] for e in answer.get("experiments", [])}


def find_server(page: Page, port: int | None) -> str | None:
    """Find a server of this machine that has the page: one that gives the sweep's run as our store does.

    A copy of the store that holds the same sweep is taken for the store itself.
    """
    for candidate in [port] if port is not None else server.PORTS:
        base = server.address(candidate)
        busy = not server.free(candidate) and server.healthy(base)
        if busy and excerpt(server.ask(base, page.question)) == page.answer:
            return base
    return None


def serve(store: "Store", page: Page, given: int | None, as_json: bool, no_open: bool) -> None:
    """Run a server on the store until Ctrl-C.

    Raises:
        UsageError: no port is free.
        StoreError: the server does not start, or ends by itself.
    """
    port = server.choose_port(given)
    if given is None and port != server.PORTS[0]:
        note(f"port {server.PORTS[0]} is in use by another program, taking {port}")
    note("starting MLflow's server on this store, which takes some 10 seconds")
    artifacts = str(store.artifacts) if store.artifacts else None
    with _ending_on_signals(), server.serving(store.uri, port, artifacts) as process:
        if excerpt(server.ask(server.address(port), page.question)) != page.answer:
            raise StoreError("mlflow server", f"answers on port {port}, but does not have the sweep")
        present(store, page, server.address(port), as_json, no_open)
        note("Ctrl-C stops the server")
        with suppress(KeyboardInterrupt):
            code = process.wait()
            raise StoreError("mlflow server", f"ended by itself with code {code}")
    note("server stopped")


def present(store: "Store", page: Page, base: str, as_json: bool, no_open: bool) -> None:
    """Print the page's link and open it in the browser."""
    link, compare = page.link(store, base), page.compare(store, base)
    if as_json:
        print_json({"ui": link, "compare": compare, "sweep": page.sweep})
    else:
        answer(link)
        if compare:
            note(f"the best trials side by side: {compare}")
    if not no_open and not (has_browser() and webbrowser.open(link)):
        note("no browser to open here: open the link in yours")


def has_browser() -> bool:
    """Whether a browser would open in a window; one that takes over the terminal is not wanted."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Leave through the ``finally`` blocks when we are told to end, or the terminal closes."""

    def leave(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
