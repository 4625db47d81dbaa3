"""What kill -9 costs: ``python -m benchmarks.kill_storm``.

Sweeps of 60 trials of 50 ms, killed at random moments, the driver mostly and sometimes one of its workers,
and begun again until they are through. A trial counts as kept from the moment at which its driver was told
so. At the end of each sweep:

- lost: kept trials that are not there any more, or came to something else;
- twice: trials beyond the number that was asked for, or of a point that is there already;
- zombies: trials that are said to run although nothing runs;
- wrong sequences: sweeps with one slot whose trials are not those of a sweep that was never killed;
- repeated: trainings beyond the number that was asked for, but for those of a finalist whose model a kill
  took: the mean per kill, and the most that came to nothing between one kill and the next;
- errors: drivers that ended with an error although nobody killed them.

Drivers are forked from a process that has imported all they need, so that kills meet trials, not imports.

``fmin`` is run one trial at a time, so that it can tell what it has kept; its sequence cannot be compared.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.storm.contenders import CONTENDERS, Contender, End, Kept
from benchmarks.storm.drivers import WORKER_SHARE, Driver, Nursery, nursery
from benchmarks.storm.work import ACKS, STARTS, figure, read_notes
from benchmarks.table import Table, parser, publish

TRIALS = 60
SEEDS = 5
ANY_MOMENT = 0.25
"""Share of the kills that may come at any moment; the others come soon after a session's first trial."""
SOON_SECONDS = 1.0
LOOK_SECONDS = 0.02
MOST_ERRORS = 5


@dataclass(frozen=True)
class Storm:
    """One sweep, killed until it was through."""

    contender: str
    slots: int
    kills: int
    hits: int
    """Kills that came after the first trial of a session had begun; the others met a driver that starts."""
    errors: int
    """Drivers that ended with an error although nobody killed them."""
    lost: int
    twice: int
    zombies: int
    wrong_sequence: bool | None
    """None: there is nothing to compare with."""
    repeated: int
    most_repeated: int
    """Of the trainings between one kill and the next."""
    seconds: float


def storm(
    nest: Nursery,
    name: str,
    number: int,
    store: str,
    folder: Path,
    span: float,
    reference: Sequence[Kept] | None,
) -> Storm:
    """Run one sweep, killing its driver or a worker at random moments, until it is through.

    Args:
        nest: starts its drivers.
        name: of the contender.
        number: of the sweep: the seed of the moments; what is left of it by ``SEEDS`` that of the search.
        store: where it keeps its trials.
        folder: its own.
        span: seconds that an undisturbed sweep takes; kills come within.
        reference: the trials of the same sweep, never killed, where there is something to compare.

    Raises:
        RuntimeError: a driver that nobody killed ended with an error, more than once in a row.
    """
    contender, moments, started = CONTENDERS[name], random.Random(f"{name} {number}"), time.monotonic()
    hits = errors = in_a_row = 0
    struck: list[int] = []
    while True:
        before = len(read_notes(folder, STARTS))
        driver = _start(nest, contender, number, store, folder)
        if _wait(driver, moments, folder, before, span) is None:
            hits += len(read_notes(folder, STARTS)) > before
            driver.strike(moments, lambda: struck.append(len(read_notes(folder, STARTS))))
        if driver.code == 0:
            break
        in_a_row = in_a_row + 1 if (driver.code or 0) > 0 else 0
        errors += in_a_row > 0
        if in_a_row > MOST_ERRORS:
            raise RuntimeError(f"{name} cannot go on: {(folder / 'output.txt').read_text()[-2000:]}")
    end = _end(contender, number, store, folder)
    return judged(name, struck, (hits, errors), folder, end, reference, started)


def _wait(driver: Driver, moments: random.Random, folder: Path, before: int, span: float) -> int | None:
    """Wait for a random moment; give the driver's exit code, None where it still runs then."""
    if moments.random() < ANY_MOMENT:
        return driver.wait(moments.uniform(0, span))
    while len(read_notes(folder, STARTS)) == before:
        if driver.wait(LOOK_SECONDS) is not None:
            return driver.code
    return driver.wait(moments.uniform(0, SOON_SECONDS))


def judged(
    name: str,
    struck: Sequence[int],
    counts: tuple[int, int],
    folder: Path,
    end: End,
    reference: Sequence[Kept] | None,
    started: float,
) -> Storm:
    """Compare what is there with what was said to be kept.

    Args:
        name: of the contender.
        struck: how many trainings had begun at each kill.
        counts: kills while trials ran, drivers that ended with an error.
        folder: of the sweep, with the notes.
        end: what the store holds.
        reference: the trials of the same sweep, never killed.
        started: by the monotonic clock.
    """
    there = Counter(end.trials)
    acks = read_notes(folder, ACKS)
    starts = without_finals(read_notes(folder, STARTS), end.trials, acks)
    kept = {(x, y, value) for x, y, value, _ in acks}
    wrong = sum(value != figure(x, y) for x, y, value in end.trials)
    twice = sum(count - 1 for count in there.values()) + max(0, len(end.trials) - TRIALS)
    return Storm(
        name,
        CONTENDERS[name].slots,
        len(struck),
        *counts,
        len(kept - there.keys()) + wrong,
        twice,
        end.zombies,
        None if reference is None else list(end.trials) != list(reference),
        len(starts) - TRIALS,
        most_in_vain(starts, end.trials, struck),
        round(time.monotonic() - started, 1),
    )


def without_finals(
    starts: Sequence[Sequence[float]], trials: Sequence[Kept], acks: Sequence[Sequence[float]]
) -> Sequence[Sequence[float]]:
    """Leave out the trainings at the end that are the best trial's once more, as a finalist's.

    Args:
        starts: the points, in the order in which their trainings began.
        trials: that are there at the end.
        acks: points, what they came to, and how many trainings had begun when the driver was told. Of a trial
            that a kill left on disk, and the next session wrote to the store, it was not told.
    """
    if not trials:
        return starts
    best = min(trials, key=lambda one: one[2])[:2]
    told = next((int(begun) for x, y, _, begun in acks if (x, y) == best), 1)
    points = [tuple(point) for point in starts]
    last = len(points)
    while last > told and points[last - 1] == best and best in points[: last - 1]:
        last -= 1
    return starts[:last]


def most_in_vain(starts: Sequence[Sequence[float]], trials: Sequence[Kept], struck: Sequence[int]) -> int:
    """Count the trainings in vain between one kill and the next, and before the first; give the most.

    A trial's own training is the last one of its point.

    Args:
        starts: the points, in the order in which their trainings began; without those of finalists.
        trials: that are there at the end.
        struck: how many trainings had begun at each kill.
    """
    places = defaultdict[tuple[float, ...], list[int]](list)
    for place, point in enumerate(starts):
        places[tuple(point)].append(place)
    own = set[int]()
    for point, count in Counter((x, y) for x, y, _ in trials).items():
        own.update(places[point][-count:])
    vain = [place not in own for place in range(len(starts))]
    return max((sum(vain[first:last]) for first, last in pairwise([0, *struck])), default=0)


def _start(nest: Nursery, contender: Contender, number: int, store: str, folder: Path) -> Driver:
    options = ("--trials", TRIALS, "--slots", contender.slots, "--seed", number % SEEDS, "--number", number)
    processes = ["--processes"] if contender.processes else []
    return nest.start(folder, [store, *map(str, options), *processes])


def _end(contender: Contender, seed: int, store: str, folder: Path) -> End:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return contender.read(store, seed)
    finally:
        os.chdir(before)


def _reference(nest: Nursery, contender: Contender, seed: int, folder: Path) -> Sequence[Kept]:
    """Give the trials of the same sweep, never killed, on a SQLite file or journal of its own."""
    calm = folder / "calm"
    calm.mkdir()
    store = "sqlite:///calm.db" if contender.store == "server" else contender.store
    if _start(nest, contender, seed, store, calm).finish():
        raise RuntimeError(f"an undisturbed driver failed: {(calm / 'output.txt').read_text()[-2000:]}")
    return _end(contender, seed, store, calm).trials


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run an MLflow server on a SQLite file; give its URI."""
    from sweeps.cli.server import address, choose_port, serving
    from sweeps.tracking.store import open_store

    folder.mkdir()
    backend, port = f"sqlite:///{folder / 'server.db'}", choose_port(None)
    open_store(backend)
    with serving(backend, port, str(folder / "files")):
        yield address(port)


def storms(name: str, wanted: int, scratch: Path, before: Sequence[Storm]) -> Iterator[Storm]:
    """Run sweeps of a contender until there were so many kills, those of earlier sweeps among them."""
    kills, number = sum(one.kills for one in before), len(before)
    contender, folder = CONTENDERS[name], scratch / name
    folder.mkdir()
    with ExitStack() as stack:
        served = contender.store == "server"
        store = stack.enter_context(server(folder / "server")) if served else contender.store
        nest = stack.enter_context(nursery(contender.module, folder))
        span, calm = _span(nest, contender, folder), dict[int, Sequence[Kept]]()
        while kills < wanted:
            number += 1
            own = folder / str(number)
            own.mkdir()
            if contender.replays and contender.slots == 1 and number % SEEDS not in calm:
                calm[number % SEEDS] = _reference(nest, contender, number % SEEDS, own)
            one = storm(nest, name, number, store, own, span, calm.get(number % SEEDS))
            kills += one.kills
            print(f"{name}: {kills} of {wanted} kills", file=sys.stderr)
            yield one


def _span(nest: Nursery, contender: Contender, folder: Path) -> float:
    """Give the seconds that a sweep takes which nobody disturbs, the second one, when all is warm."""
    for calm in (folder / "first", folder / "second"):
        calm.mkdir()
        started = time.monotonic()
        _reference(nest, contender, 0, calm)
    return time.monotonic() - started


def table(found: Sequence[Storm]) -> Table:
    """Show the sums over the sweeps of each contender."""
    rows = []
    for name in dict.fromkeys(one.contender for one in found):
        own = [one for one in found if one.contender == name]
        kills = sum(one.kills for one in own)
        compared = [one.wrong_sequence for one in own if one.wrong_sequence is not None]
        rows.append(
            [
                CONTENDERS[name].label,
                kills,
                sum(one.hits for one in own),
                sum(one.errors for one in own),
                len(own),
                sum(one.lost for one in own),
                sum(one.twice for one in own),
                sum(one.zombies for one in own),
                f"{sum(compared)} of {len(compared)}" if compared else None,
                sum(one.repeated for one in own) / max(1, kills),
                max(one.most_repeated for one in own),
            ]
        )
    columns = ["", "kills", "while trials ran", "errors", "sweeps", "lost", "twice", "zombies"]
    columns += ["wrong sequences", "repeated per kill", "most after one kill"]
    soon = f"three in four come within {SOON_SECONDS:g} s after a session's first trial, others at any moment"
    hits = f"one kill in {1 / WORKER_SHARE:.0f} hits a worker, where there are any"
    notes = [f"sweeps of {TRIALS} trials of 50 ms; {hits}", soon]
    return Table("kill -9 at random moments", columns, rows, notes)


def earlier(given: argparse.Namespace) -> list[Storm]:
    """Read the storms that are already in the JSON file."""
    file = given.out / "kill_storm.json"
    if not given.append or not file.exists():
        return []
    return [Storm(**one) for one in json.loads(file.read_text("utf-8"))["raw"]]


def options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("--kills", type=int, default=200, help="of each contender (default: 200)")
    made.add_argument("--append", action="store_true", help="keep what was run before, run what is missing")
    made.add_argument("--only", default=",".join(CONTENDERS), metavar="A,B", help="contenders")
    return made.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    found = earlier(given)
    with TemporaryDirectory(prefix="storm-") as scratch:
        for name in given.only.split(","):
            own = [one for one in found if one.contender == name]
            missing = sum(one.kills for one in own) < given.kills
            for one in storms(name, given.kills, Path(scratch), own) if missing else ():
                found.append(one)
                show(found, given, quiet=True)
    show(found, given)


def show(found: list[Storm], given: argparse.Namespace, *, quiet: bool = False) -> None:
    """Publish what there is."""
    found.sort(key=lambda one: list(CONTENDERS).index(one.contender))
    publish(
        "kill_storm",
        str(__doc__).partition("\n\n")[2].strip(),
        [table(found)],
        [asdict(one) for one in found],
        packages=("optuna",),
        folder=given.out,
        quiet=quiet,
    )


if __name__ == "__main__":
    main()
