"""What becomes of a sweep, told to those who asked for it (``--notify``)."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Self

from sweeps.notify.message import About, ended, new_best, verdict
from sweeps.notify.notifier import Notifiers
from sweeps.notify.target import Target
from sweeps.record import ModelVersion, SweepRecord
from sweeps.tracking.links import run_link, server_of
from sweeps.tracking.store import Store
from sweeps.trial import Finished, State


class News:
    """Tells of one sweep; a context, whose end waits for the telling for a few seconds.

    Nothing is told before ``begin``: of a sweep that does not come about there is no news.

    Args:
        targets: whom to tell; nobody costs nothing.
        tell: told, once for each target, what goes wrong with it.
    """

    def __init__(
        self, targets: Sequence[Target] = (), tell: Callable[[str], object] = lambda _: None
    ) -> None:
        self._notifiers, self._stack = Notifiers(targets, tell), ExitStack()
        self._about: About | None = None
        self._lowest = float("inf")
        self._last_word, self._told_end = "", False

    def __enter__(self) -> Self:
        """Be ready to tell."""
        self._stack.enter_context(self._notifiers)
        return self

    def __exit__(self, *_: object) -> None:
        """Tell of the end, if nobody did, and wait a little for all that is to be told."""
        with self._stack:
            if self._about is not None and self._last_word and not self._told_end:
                self._notifiers.post(ended(self._about, self._last_word))

    def begin(self, store: Store, run_id: str, experiment_id: str, name: str, experiment: str) -> None:
        """The sweep is in the store: from now on there is something to tell."""
        base = server_of(store.uri)
        ui = None if base is None else run_link(base, experiment_id, run_id)
        self._about = About(run_id, name, experiment, ui)

    def recall(self, history: Iterable[Finished]) -> None:
        """Take note of the trials of earlier sessions: none of them is new."""
        for finished in history:
            self._is_best(finished)

    def trial(self, finished: Finished) -> None:
        """Tell of a trial, if it is the best so far."""
        if self._is_best(finished) and self._about is not None:
            self._notifiers.post(new_best(self._about, finished), replaces=True)

    def verdict(
        self, winner: Finished, test_rmse: float | None, model: ModelVersion, state: str = "RUNNING"
    ) -> None:
        """Tell what became of the winner in the registry."""
        if self._about is not None:
            self._notifiers.post(verdict(self._about, state, winner, test_rmse, model))

    def end(self, record: SweepRecord) -> None:
        """Tell that the sweep ended."""
        self._told_end = True
        if self._about is not None:
            self._notifiers.post(ended(self._about, record.state, record))

    def otherwise(self, state: str) -> None:
        """Say how the sweep ended, should ``end`` not be called any more."""
        self._last_word = state

    def _is_best(self, finished: Finished) -> bool:
        rmse = finished.outcome.rmse
        if finished.outcome.state is not State.COMPLETE or rmse is None or rmse >= self._lowest:
            return False
        self._lowest = rmse
        return True
