"""An engine over the workers of a cluster, whatever made it: those that join are used."""

import logging
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from sweeps.engines.base import GoneEngineError, LostTaskError, TaskError
from sweeps.engines.bundles import bundle
from sweeps.engines.claims import claim
from sweeps.engines.far_process import FarProcess, Link, new_session
from sweeps.engines.pool import Pool
from sweeps.engines.slot import GoneError, Slot
from sweeps.engines.versions import difference
from sweeps.environment import environment
from sweeps.errors import UsageError

SETTLING = 10.0
"""Seconds that all workers get to be ready, once one is."""
LOOK_EVERY = 1.0
"""Seconds between two looks at who is there."""
PATIENCE = 60.0
"""Seconds to wait for a first worker, and for one when all have left; then tasks are lost."""

_log = logging.getLogger(__name__)


class Cluster(Protocol):
    """Where the workers of an engine are: the part that depends on what the cluster is made with."""

    hint: str
    """What to type to have a worker."""
    places_gpus: bool
    """Whether it counts GPUs and gives each slot its own, where trials want one, and so counts among a
    worker's threads only those that go with a GPU; else each worker gives its slots those it sees."""

    def open(self) -> None:
        """Connect, or start what is to be connected to.

        Raises:
            UsageError: it cannot be reached or started.
        """

    def members(self) -> Mapping[str, int]:
        """Give how many threads each worker has that is there now, by its address; none if out of reach."""

    def link(self, member: str) -> Link:
        """Make a link to a worker, one for each slot."""

    def close(self) -> None:
        """Disconnect, and end what ``open`` started; also after it raised."""


class Seat(NamedTuple):
    """A slot, and the worker that it is on."""

    slot: Slot
    member: str
    link: Link


class ClusterEngine(Pool):
    """Each slot is a thread here that feeds one process on a worker.

    Args:
        cluster: where the workers are.
        name: of the engine, as typed.
        most: tasks at once; None for as many as there is room for.
        threads: per task; a worker runs as many tasks as its threads allow.
        keep: names of credentials in the environment that the processes get.
        device: per task; on ``cuda`` a worker runs no more tasks than it has GPUs.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        most: int | None,
        threads: int,
        keep: Collection[str] = (),
        device: str = "cpu",
    ) -> None:
        super().__init__(name, most or 1, threads, device)
        given = {variable: os.environ[variable] for variable in keep if variable in os.environ}
        self._session = new_session(threads, given, device)
        self._gpus: dict[str, int] = {}
        self._cluster, self._most, self._ready = cluster, most, 0
        self._seats: list[Seat] = []
        self._refused: dict[str, str] = {}
        self._opened = self._alone_since = time.monotonic()
        self._first: Future[None] = Future()
        self._news = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="sweeps-members", daemon=True)

    def share(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Bring files of a folder to each machine, before the next task there."""
        self._session.bundles[str(folder)] = bundle(folder, names)

    def __enter__(self) -> Self:
        try:
            self._cluster.open()
            self._open, self._opened = True, time.monotonic()
            self._alone_since = self._opened
            self._watcher.start()
            self._first.result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        was_open, self._open = self._open, False
        self._news.set()
        if was_open and self._watcher.ident is not None:
            self._watcher.join()
        self._end()
        for seat in self._seats:
            seat.link.part("the engine was closed")
        self._cluster.close()

    def _watch(self) -> None:
        while self._open:
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  # whoever waits for a first worker must be told
                self._begin(error)
                _log.warning("warning: --engine %s: %s", self.name, error)
            self._news.wait(LOOK_EVERY)
            self._news.clear()

    def _look(self) -> None:
        """Use who has joined, part from who has left, and give up where nobody comes."""
        members = self._cluster.members()
        for seat in self._seats:
            if seat.member not in members and not seat.slot.gone:
                seat.slot.leave(f"the worker {seat.link.name} left")
                seat.link.part(seat.slot.gone)
        self._occupy(members)
        self._seats = [seat for seat in self._seats if seat.slot.is_alive()]
        self._slots = [seat.slot for seat in self._seats]
        self._count()
        if not self._ready:
            self._worry(members)

    def _occupy(self, members: Mapping[str, int]) -> None:
        """Begin slots where there is room for them."""
        taken = Counter(seat.member for seat in self._seats if not seat.slot.gone)
        room = {member: self._room(member, threads) for member, threads in members.items()}
        for member in places(room, taken, self._most):
            link = self._cluster.link(member)
            slot = Slot(self._jobs, partial(self._process, member, link), self._news.set)
            self._seats.append(Seat(slot, member, link))
            self._add(slot)

    def _room(self, member: str, threads: int) -> int:
        if threads < self.threads:
            self._refuse(member, f"has {threads} threads where a trial is to have {self.threads} (--threads)")
        return 0 if member in self._refused else int(min(threads // self.threads, self._most_on(member)))

    def _most_on(self, member: str) -> float:
        """Say how many slots a worker has GPUs for; what it sees is known once it has a process."""
        uncounted = self.device == "cpu" or self._cluster.places_gpus
        return math.inf if uncounted else self._gpus.get(member, 1)

    def _process(self, member: str, link: Link) -> FarProcess:
        """Start a process on a worker.

        Raises:
            GoneError: it cannot run trials, or would run them with other versions.
            LostTaskError: the worker is gone or does not answer.
        """
        try:
            process = FarProcess(link, self._session)
        except LostTaskError:
            if link.gone:
                raise GoneError(link.gone) from None
            raise
        except TaskError as error:
            raise self._refuse(
                member, f"cannot run trials: {error} (sweeps must be installed there)"
            ) from error
        if odd := difference(environment(self.threads), process.hello.versions):
            process.close()
            raise self._refuse(member, f"has {odd}")
        if self.device == "cuda":
            self._check_gpu(member, process)
        return process

    def _check_gpu(self, member: str, process: FarProcess) -> None:
        """Learn how many GPUs a worker has.

        Raises:
            GoneError: it has none, or none left.
        """
        self._gpus[member] = process.hello.gpus
        if not process.hello.gpu:
            process.close()
            if process.hello.gpus:
                raise GoneError(f"the worker {member} has no GPU left")
            raise self._refuse(member, "sees no GPU where a trial is to have one (--device cuda)")

    def _refuse(self, member: str, why: str) -> GoneError:
        """Use a worker no more; said once, unless it is the end of the engine and said by that."""
        refusal = f"the worker {member} {why}"
        if self._refused.setdefault(member, refusal) is refusal and self._first.done():
            _log.warning("warning: not used: %s", refusal)
        return GoneError(refusal)

    def _count(self) -> None:
        """Say how many slots there are, and wake whoever waits for more."""
        before, self._ready = self._ready, sum(seat.slot.ready for seat in self._seats)
        self.slots = max(1, self._ready)  # with none for now tasks wait
        opening = any(not (seat.slot.ready or seat.slot.gone) for seat in self._seats)
        if self._ready and not (opening and time.monotonic() - self._opened < SETTLING):
            self._begin()
        if self._ready:
            self._alone_since = time.monotonic()
        if self._ready > before:
            grown, self.changed = self.changed, Future()
            grown.set_result(None)

    def _begin(self, error: Exception | None = None) -> None:
        """End the wait for a first worker, one way or the other."""
        if not self._first.done():
            if error is None:
                self._first.set_result(None)
                for refusal in self._refused.values():
                    _log.warning("warning: not used: %s", refusal)
            else:
                self._first.set_exception(error)

    def _worry(self, members: Mapping[str, int]) -> None:
        """Decide whether to wait on, while there is no slot."""
        about = f"--engine {self.name}"
        settled = time.monotonic() - self._opened >= SETTLING  # others may be about to be looked at
        if settled and members and members.keys() <= self._refused.keys():
            wrong = next(self._refused[member] for member in members)
            self._begin(UsageError(about, f"no worker can be used: {wrong}"))
        if time.monotonic() - self._alone_since > PATIENCE:
            self._begin(UsageError(about, f"no worker came within {PATIENCE:g} s", self._cluster.hint))
            for job in self._waiting():
                if claim(job.future):
                    why = f"no worker has been there for {PATIENCE:g} s"
                    job.future.set_exception(GoneEngineError(about, why, self._cluster.hint))


def places(room: Mapping[str, int], taken: Mapping[str, int], most: int | None) -> list[str]:
    """Choose workers for further slots: the one with the fewest first, so that every machine takes part.

    Args:
        room: how many slots each worker has place for.
        taken: how many it has.
        most: slots in all; None for as many as there is room for.

    Returns:
        The workers, once for each slot.
    """
    counted, chosen = Counter(taken), list[str]()
    while most is None or counted.total() < most:
        free = [member for member in room if counted[member] < room[member]]
        if not free:
            break
        chosen.append(min(free, key=lambda member: counted[member]))
        counted[chosen[-1]] += 1
    return chosen
