"""A team's sweeps at once on one MLflow server with a PostgreSQL: ``python -m benchmarks.team_store``.

Ten drivers with four slots each, started some seconds apart, since here all their imports share two cores
with the server. Their trials begin together, when all processes are there; each registers a model of its
own. Once with trials that take no time, which gives what the server can do, and once with trials that
sleep; each without users and with MLflow's basic authentication. All of it runs on this machine: drivers,
workers, server and database. Then every sweep must be whole: each number once, all of them COMPLETE, the
report and the model there.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from benchmarks.naps import excuse, read_naps, variables
from benchmarks.processes import environment, python
from benchmarks.scale_steps import ANSWER
from benchmarks.table import Table, parser, publish
from benchmarks.team_server import Server, databases, serving

FAILED = re.compile(r'HTTP/1\.1" 5\d\d')
"""A line of the server's log that tells of a request which it could not serve."""


@dataclass(frozen=True)
class Shared:
    """What came of a team's sweeps on one server."""

    users: bool
    """Whether it asks who they are."""
    seconds: float
    """That a trial sleeps."""
    trials: int
    """Of all sweeps."""
    errors: Sequence[str]
    """Of drivers and server, and what is wrong with a sweep."""
    per_second: float
    """Trials written, from the first one's start to the last one's record."""
    wait: float
    """Median seconds from the end of a trial until all of it is in the store."""
    long_wait: float
    """That nineteen of twenty stay below."""
    driver_ms: float
    """CPU of a driver per trial; its report and promotion included."""
    server_ms: float
    """CPU of the server's processes per trial, likewise; without the database."""


def measure(users: bool, seconds: float, given: argparse.Namespace, database: str, folder: Path) -> Shared:
    """Run the sweeps of a team, all at once, on a fresh server.

    Raises:
        RuntimeError: no driver ended well.
    """
    names = [f"member-{number}" for number in range(given.drivers)]
    print(f"{'with' if users else 'without'} users, trials of {seconds:g} s", file=sys.stderr)
    folder.mkdir()
    with serving(folder, database, names if users else [], given.server_workers) as server:
        before = server.cpu_seconds()
        errors = run_team(server, names, seconds, given, folder)
        spent = server.cpu_seconds() - before
        with mock.patch.dict(os.environ, server.login("admin")):
            errors += [wrong for name in names for wrong in faults(server.uri, name, given.trials)]
        failed = FAILED.findall(server.log.read_text("utf-8", "replace"))
        errors += [f"the server answered {len(failed)} times that it failed"] if failed else []
    figures = [json.loads(file.read_text("utf-8")) for file in folder.glob(f"*/{ANSWER}")]
    if not figures:
        raise RuntimeError("\n".join(errors))
    first = read_naps(folder)[0].began
    return shared(users, seconds, len(names) * given.trials, errors, figures, first, spent)


def run_team(
    server: Server, names: Sequence[str], seconds: float, given: argparse.Namespace, folder: Path
) -> list[str]:
    """Run the drivers to their ends; give what went wrong with any."""
    naps = variables(folder, given.slots * len(names), seconds)

    def drive(seed: int, name: str) -> list[str]:
        own = folder / name
        own.mkdir()
        time.sleep(seed * given.apart)
        words = python("-m", "benchmarks.team_driver", name, str(given.trials), str(given.slots), str(seed))
        env = {**environment(own), **naps, **server.login(name)}
        done = subprocess.run(words, cwd=own, env=env, check=False, capture_output=True, text=True)
        if done.returncode:
            excuse(folder, name, given.slots)
            return [f"{name}: exit code {done.returncode}: {last_line(done.stderr)}"]
        return [f"{name}: {told}" for told in json.loads((own / ANSWER).read_text("utf-8"))["told"]]

    with ThreadPoolExecutor(len(names)) as pool:
        return [wrong for found in pool.map(drive, range(len(names)), names) for wrong in found]


def last_line(text: str) -> str:
    """Give the line that says what went wrong: published, so without the paths of a traceback."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")


def faults(uri: str, name: str, trials: int) -> Iterator[str]:
    """Give what is wrong with a sweep in the store."""
    from sweeps.errors import UsageError
    from sweeps.tracking.reader import find_sweep, read_sweep
    from sweeps.tracking.rows import search
    from sweeps.tracking.store import find_store

    store = find_store(uri)
    try:
        record = read_sweep(store, find_sweep(store, name))
    except UsageError as error:
        yield f"{name}: {error}"
        return
    query = f"tags.`mlflow.parentRunId` = '{record.run_id}'"
    runs = search(store, [record.experiment_id], query, None)
    numbers = sorted(int(run.data.tags["sweeps.trial"]) for run in runs)
    states = {run.data.tags["sweeps.state"] for run in runs} | {record.state}
    if numbers != list(range(trials)):
        yield f"{name}: its trials are {numbers}, not 0 to {trials - 1}, each once"
    if states != {"COMPLETE"}:
        yield f"{name}: it or its trials are {', '.join(sorted(states))}"
    if record.model is None:
        yield f"{name}: no model was registered"
    if not any(file.path == "report" for file in store.client.list_artifacts(record.run_id)):
        yield f"{name}: the report is missing among its files"


def shared(
    users: bool,
    seconds: float,
    trials: int,
    errors: Sequence[str],
    figures: Sequence[Mapping[str, Any]],
    first: float,
    server_cpu: float,
) -> Shared:
    """Work out the figures of a table from those of the drivers that ended well."""
    written = [tuple(one) for own in figures for one in own["written"]]
    waits = sorted(there - ended for there, ended in written)
    wall = max((there for there, _ in written), default=first) - first
    return Shared(
        users,
        seconds,
        trials,
        errors,
        len(written) / wall if wall else 0.0,
        median(waits) if waits else 0.0,
        waits[len(waits) * 19 // 20] if waits else 0.0,
        1000 * sum(own["cpu_seconds"] for own in figures) / max(1, len(written)),
        1000 * server_cpu / trials,
    )


def table(found: Sequence[Shared], given: argparse.Namespace) -> Table:
    """Show a row for each team."""
    rows = [
        [
            "basic auth" if one.users else "nobody asked",
            f"{one.seconds:g}",
            one.trials,
            len(one.errors),
            one.per_second,
            one.wait,
            one.long_wait,
            one.driver_ms,
            one.server_ms,
        ]
        for one in found
    ]
    columns = ["users", "a trial sleeps, s", "trials", "errors", "trials per s"]
    columns += ["until it is in the store, s", "19 of 20 below, s"]
    columns += ["a driver's CPU, ms per trial", "the server's CPU, ms per trial"]
    return Table(
        f"{given.drivers} drivers × {given.slots} slots on one server of {given.server_workers} processes",
        columns,
        rows,
        [
            "errors: drivers that failed or were kept waiting, requests that failed, sweeps not whole.",
            "trials per s: from the first one's start to the last one's record.",
            "CPU: of whole sweeps, with what they read at the start, report, model and promotion.",
        ],
    )


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--drivers", type=int, default=10, help="sweeps at once")
    given.add_argument("--slots", type=int, default=4, help="of each")
    given.add_argument("--trials", type=int, default=60, help="of each")
    given.add_argument("--seconds", default="0,4", metavar="S,S", help="that a trial sleeps")
    given.add_argument("--apart", type=float, default=5.0, metavar="S", help="seconds between their starts")
    given.add_argument("--server-workers", type=int, default=4, help="processes of the server")
    return given.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    cases = [(users, float(s)) for s in given.seconds.split(",") for users in (False, True)]
    with databases() as new_database, TemporaryDirectory(prefix="team-") as scratch:
        found = [
            measure(users, seconds, given, new_database(), Path(scratch) / str(number))
            for number, (users, seconds) in enumerate(cases)
        ]
    publish(
        "team_store",
        str(__doc__).partition("\n\n")[2].strip(),
        [table(found, given)],
        [asdict(one) for one in found],
        packages=("psycopg",),
        folder=given.out,
    )
    for wrong in [wrong for one in found for wrong in one.errors]:
        print(wrong, file=sys.stderr)


if __name__ == "__main__":
    main()
