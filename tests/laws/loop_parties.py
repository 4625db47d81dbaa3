"""Parties of the loop for tests of its laws, and search spaces whose trials do what a test wants."""

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sweeps.search.searcher import Searcher
from sweeps.space.search_space import SearchSpace
from sweeps.stopping import StopRules
from sweeps.sweep import run_trials
from sweeps.trial import Finished, Outcome, Proposal, Setup, State, Task, Trial

SMOOTH = """
SPACE = {"x": hp.uniform("x", -5, 5), "y": hp.loguniform("y", -3, 2),
         "kind": hp.choice("kind", [{"a": hp.normal("a", 0, 1)}, {"b": hp.randint("b", 9)}])}
def train(params, data, report):
    kind = params["kind"]
    return 1 + abs(params["x"] - 1) + params["y"] + abs(kind.get("a", 1)) + kind.get("b", 0)
"""


class Memory:
    """A tracker that remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[Trial] = []
        self.finished: list[Finished] = []

    def start(self, proposal: Proposal) -> None:
        self.started.append(Trial(proposal, f"run{len(self.started)}", time.time()))

    def finish(self, proposal: Proposal, outcome: Outcome) -> "Future[Finished]":
        trial = next(t for t in reversed(self.started) if t.proposal is proposal)
        self.finished.append(Finished(trial, outcome, time.time()))
        written: Future[Finished] = Future()
        written.set_result(self.finished[-1])
        return written

    @property
    def broken(self) -> "Future[Any]":
        """Memory does not fail."""
        return Future()

    @property
    def open(self) -> set[str]:
        """Runs without a final state."""
        return {t.run_id for t in self.started} - {f.trial.run_id for f in self.finished}


class Slow(Memory):
    """A tracker that has written nothing until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.unwritten: list[tuple[Future[Finished], Finished]] = []

    def finish(self, proposal: Proposal, outcome: Outcome) -> "Future[Finished]":
        super().finish(proposal, outcome)
        future: Future[Finished] = Future()
        self.unwritten.append((future, self.finished[-1]))
        return future

    def write(self, count: int | None = None) -> None:
        """Write the oldest ``count`` outcomes, or all."""
        written, self.unwritten = self.unwritten[:count], self.unwritten[len(self.unwritten[:count]) :]
        for future, finished in written:
            future.set_result(finished)


class Manual:
    """An engine whose futures the test ends; it counts what is in flight."""

    def __init__(self, slots: int) -> None:
        self.slots, self.threads = slots, 1
        self.changed: Future[Any] = Future()
        self.running: dict[Future[Outcome], Task] = {}
        self.most = 0
        self.cancelled: list[int] = []

    def submit(self, _: Any, task: Task, limit: float | None = None) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        self.running[future] = task
        future.add_done_callback(self.running.pop)
        self.most = max(self.most, len(self.running))
        return future

    def cancel(self, future: "Future[Any]") -> None:
        if future in self.running:
            self.cancelled.append(self.running[future].number)
            future.cancel()


class Broken(Manual):
    """An engine that loses whatever it gets."""

    def submit(self, fn: Any, task: Task, limit: float | None = None) -> "Future[Outcome]":
        future = super().submit(fn, task)
        future.set_exception(RuntimeError(f"no route to host {len(self.cancelled)}"))
        return future


class Packer:
    """Makes tasks for a space, with a folder of data that has no rows worth mentioning."""

    def __init__(self, space: SearchSpace, data: Path) -> None:
        self.space, self.data = space, data
        self.learned: list[int] = []
        self.recalled: list[int] = []

    def learn(self, number: int, outcome: Outcome) -> None:
        assert outcome.state is not State.LOST
        self.learned.append(number)

    def recall(self, number: int, outcome: Outcome) -> None:
        assert outcome.state is not State.LOST
        self.recalled.append(number)

    def pack(self, proposal: Proposal) -> Task:
        setup = Setup(str(self.space.path), self.space.digest, str(self.data), 1)
        return Task(proposal.number, proposal.point, proposal.seed, setup)


class Loop:
    """One loop with everything it needs; ``run`` gives what it yields."""

    def __init__(
        self,
        packer: Packer,
        engine: Any,
        stop: StopRules | int,
        tracker: Any = None,
        limit: float | None = None,
        **searcher: Any,
    ) -> None:
        self.limit = limit
        self.tracker = tracker or Memory()
        self.interrupt: Future[int] = Future()
        self.searcher = Searcher(packer.space, seed=42, **searcher)
        self.engine, self.packer = engine, packer
        self.stop = StopRules(stop) if isinstance(stop, int) else stop

    def start(self, history: Any = ()) -> Any:
        return run_trials(
            self.searcher,
            self.tracker,
            self.engine,
            self.stop,
            self.packer,
            self.interrupt,
            history,
            self.limit,
        )

    def run(self, history: Any = ()) -> list[Finished]:
        return list(self.start(history))
