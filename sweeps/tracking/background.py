"""Write in a thread of its own while workers train: docs/decisions/0011-tracking-in-the-background.md."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple, Self

from sweeps.errors import StoreDownError
from sweeps.tracking.change import Entry
from sweeps.tracking.outage import Outage
from sweeps.tracking.writer import SweepWriter
from sweeps.trial import Finished, Outcome, Proposal, State
from sweeps.waiting import wait_for_first

GATHER_SECONDS = 0.05
"""How long the first entry of a batch waits for others: a transaction for ten trials costs little more than
one for one, and a trial that takes less than this is never written as running."""

IMPATIENT_SECONDS = 5.0
"""How long whoever wants to end waits for a store that does not answer."""


OPENING_SECONDS = 10.0
"""How long it waits for the opening before: on a busy machine MLflow's import alone may take this."""


class Job(NamedTuple):
    """What waits to be done: an entry to write; without one a flush; without any future the end."""

    entry: Entry | None = None
    done: "Future[Any] | None" = None

    @property
    def is_end(self) -> bool:
        """Whether the thread is to stop."""
        return self.entry is None and self.done is None


class BackgroundWriter:
    """Writes, in order and in batches, what it is handed; a context, whose end waits for the writing.

    An outcome is on local disk before the next trial starts, and until it is in the store: a kill costs none.
    While the store is out of reach, outcomes wait there and are tried again. Any other error,
    or a store that stays away, ends it: nothing is written any more, and every future that is not done gets
    that error. So what is in the store is always a beginning of what happened.

    Args:
        open_writer: opens the sweep's writer; called in the thread first, so that MLflow's import and the
            opening of the store overlap with whatever the caller does meanwhile.
        on_stop: called, once, when somebody asks in the store that the sweep should end.
        tell: told, in words, when the store is out of reach, and when it is back.
    """

    def __init__(
        self,
        open_writer: Callable[[], SweepWriter],
        on_stop: Callable[[], object] | None = None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._open_writer, self._on_stop = open_writer, on_stop
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._waiting: list[Job] = []
        self._began: dict[int, float] = {}
        self._early: deque[Entry] = deque()
        self._latest = 0.0
        """Unix time in seconds of the latest start or end: should the clock be set back, no trial ends before
        it began."""
        self._outage, self._hangs = Outage(tell), False
        self._hurry, self._impatient = Event(), Event()
        self._opening: Future[SweepWriter] = Future()
        self.broken: Future[Any] = Future()
        """Fails with the first error; never succeeds."""
        self._thread = Thread(target=self._run, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write what waits, and stop."""
        self.close()

    def opened(self) -> SweepWriter:
        """Wait for the opening; give the writer, the caller's own after ``flush`` until the next trial.

        Raises:
            SweepsError: what ``open_writer`` raised.
        """
        return self._opening.result()

    def start(self, proposal: Proposal) -> None:
        """Take note that a trial begins now; its run will soon be there, as RUNNING."""
        self._keep_early()
        self._latest = self._began[proposal.number] = began = max(time.time(), self._latest)
        self._jobs.put(Job(Entry(proposal, began=began)))

    def finish(self, proposal: Proposal, outcome: Outcome) -> "Future[Finished]":
        """Take note that a trial ended now; the future is done when all of it is in the store."""
        done: Future[Finished] = Future()
        done.set_running_or_notify_cancel()  # it cannot be taken back
        self._latest = max(time.time(), self._latest)
        entry = Entry(proposal, outcome=outcome, ended=self._latest)
        self._keep(entry)
        self._jobs.put(Job(entry, done))
        return done

    def _keep(self, entry: Entry) -> None:
        """Have an outcome kept on local disk, once there is a sweep in the store to go on with."""
        began = self._began.pop(entry.proposal.number, None)
        if began is not None and entry.outcome and entry.outcome.state is not State.LOST:
            self._early.append(replace(entry, began=began))
            self._keep_early()

    def _keep_early(self) -> None:
        """In order: what is kept is always a beginning of what happened."""
        while self._early and self._is_open:
            self.opened().keep(self._early.popleft())

    def flush(self, interrupt: "Future[Any] | None" = None) -> None:
        """Wait until all that was handed over is in the store.

        Args:
            interrupt: once it is done, a store that is out of reach is not waited for.

        Raises:
            SweepsError: it could not be written.
        """
        written: Future[None] = Future()
        self._jobs.put(Job(done=written))
        self._hurry.set()
        wait_for_first([written, *([interrupt] if interrupt else [])])
        if written.done() or interrupt is None:
            written.result()
            return
        self._hasten()
        wait([self._opening], timeout=OPENING_SECONDS)
        try:
            written.result(IMPATIENT_SECONDS)
        except TimeoutError:
            self._hangs = True
            raise StoreDownError(
                "MLflow", "does not answer", f"once it does: sweeps resume {self._run_id}"
            ) from None

    def close(self) -> None:
        """Write what waits, if nothing went wrong before, and stop; what goes wrong is in the futures."""
        self._jobs.put(Job())
        self._hasten()
        self._thread.join(IMPATIENT_SECONDS if self._outage.since or self._hangs else None)
        if self._is_open:
            self.opened().let_go()

    @property
    def _is_open(self) -> bool:
        return self._opening.done() and self._opening.exception() is None

    def _hasten(self) -> None:
        self._impatient.set()
        self._hurry.set()

    def _run(self) -> None:
        try:
            self._opening.set_result(self._open_writer())
        except Exception as error:  # noqa: BLE001 - whoever waits for the opening raises it
            self._break(error)
            self._opening.set_exception(error)
        ends = False
        while not ends:
            self._waiting += self._gather()
            ends = any(job.is_end for job in self._waiting)
            self._serve()

    def _gather(self) -> list[Job]:
        """Wait for work, or, in an outage, for the next try; give all there is."""
        jobs = []
        with suppress(Empty):
            if self.broken.done():
                jobs.append(self._jobs.get())
            elif self._outage.since:
                self._hurry.wait(self._outage.pause)
            else:
                jobs.append(self._jobs.get(timeout=self.opened().standing_due))
                self._hurry.wait(GATHER_SECONDS)
            self._hurry.clear()
            while True:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _serve(self) -> None:
        """Write what waits; hand over the results, or the error."""
        try:
            if not self.broken.done():
                self._try()
        except Exception as error:  # noqa: BLE001 - whoever waits for a future raises it
            self._break(error)
        if self.broken.done():
            _fail([job.done for job in self._waiting if job.done is not None], self.broken.exception())
            self._waiting.clear()

    def _try(self) -> None:
        try:
            self._write()
        except StoreDownError as error:
            self._wait_for_store(error)

    @property
    def _run_id(self) -> str:
        return self.opened().run_id[:8]

    def _break(self, error: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_exception(error)

    def _write(self) -> None:
        writer = self.opened()
        entries, others = joined(self._waiting), [job for job in self._waiting if job.entry is None]
        try:
            while entries:
                with self._outage.watched():
                    finished = writer.write([job.entry for job in entries[: writer.batch] if job.entry])
                futures = [job.done for job in entries[: writer.batch] if job.done is not None]
                entries = entries[writer.batch :]
                for done, result in zip(futures, finished, strict=True):
                    done.set_result(result)
                self._keep_standing(writer)
            self._keep_standing(writer, at_once=bool(others))
        finally:
            self._waiting = [*entries, *others]
        self._written()

    def _written(self) -> None:
        """Nothing waits any more."""
        self._outage.end()
        self.opened().forget()
        for job in self._waiting:
            if job.done is not None:
                job.done.set_result(None)
        self._waiting.clear()

    def _wait_for_store(self, error: StoreDownError) -> None:
        """What waits is on disk, to be tried again; give up where nobody has the time to wait."""
        kept = self.opened().kept()
        self._outage.goes_on(error, kept)
        if self._impatient.is_set() or self._outage.too_long:
            later = f"its results wait on this machine; once it is back: sweeps resume {self._run_id}"
            self._break(StoreDownError(error.what, error.wrong, later if kept else ""))

    def _keep_standing(self, writer: SweepWriter, *, at_once: bool = False) -> None:
        """Write the sweep's own figures when it is time, or at once; see whether it should end."""
        if at_once or writer.standing_due <= 0:
            with self._outage.watched():
                writer.write_standing()
        if writer.asked_to_stop and self._on_stop is not None:
            on_stop, self._on_stop = self._on_stop, None
            on_stop()


def joined(jobs: Sequence[Job]) -> list[Job]:
    """Give the entries; of a trial's beginning and end make one, in the place of the end."""
    kept: dict[int, Job] = {}
    begun: dict[int, tuple[int, Entry]] = {}
    for place, job in enumerate(jobs):
        if job.entry is None:
            continue
        number, entry = job.entry.proposal.number, job.entry
        if entry.outcome is None:
            begun[number] = place, entry
        elif number in begun:
            before, beginning = begun.pop(number)
            del kept[before]
            entry = replace(entry, began=beginning.began)
        kept[place] = Job(entry, job.done)
    return list(kept.values())


def _fail(futures: Iterable["Future[Any]"], error: BaseException | None) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
