"""A sweep under way: everything opened and checked, trials run one by one, then the finish."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from sweeps.api.encodings import Encodings
from sweeps.api.finals import Finals, InterruptedFinalsError
from sweeps.api.note import note
from sweeps.api.precheck import check_writable
from sweeps.api.promotion import log_winner, promote_winner
from sweeps.api.shelf import Shelf
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.engines import open_engine
from sweeps.errors import NoUsableTrialError, SweepsError, TooManyFailuresError
from sweeps.lint import check_space
from sweeps.record import SweepRecord
from sweeps.registry import check_model_name
from sweeps.report.write import write_report
from sweeps.search.searcher import Searcher
from sweeps.settings import Sweep
from sweeps.space.search_space import load_space
from sweeps.sweep import run_trials, without_model
from sweeps.tracking.inputs import Context, DatasetInfo
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.store import ensure_experiment, open_store, resolve_uri
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Finished, Proposal, State, Task
from sweeps.worker import warm_up

CONTEXTS: dict[str, Context] = {"train": "training", "valid": "validation", "test": "testing"}


class Session:
    """Runs one sweep; use it as a context, iterate ``trials()``, then call ``finish()``.

    Nothing exists in the store before all checks have passed. Leaving without ``finish()`` closes the sweep
    as INTERRUPTED when it was interrupted, else as FAILED.

    Args:
        sweep: the settings.
        tracking_uri: MLflow store; None: ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` here.
        results: folder for ``<name>/leaderboard.csv`` and the like.

    Raises:
        SweepsError: whatever is wrong with space, data, store, names or folders.
    """

    def __init__(
        self, sweep: Sweep, tracking_uri: str | None = None, results: Path = Path("results")
    ) -> None:
        self.sweep = sweep
        self.interrupt: Future[int] = Future()
        """Set its result (a signal's number) to end the sweep."""
        self.history: list[Finished] = []
        self._uri, self._results = tracking_uri, results
        self._stack = ExitStack()
        self._closed = False

    def __enter__(self) -> Self:
        """Check everything, then begin the sweep in the store."""
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """End what runs and close the sweep."""
        with self._stack:
            if self._closed:
                return
            if isinstance(error, KeyboardInterrupt):  # the user is in a hurry: no report
                self._writer.close("INTERRUPTED")
                return
            with suppress(*([SweepsError] if error else [])):  # the first error tells more
                self._close("INTERRUPTED" if self.interrupt.done() else "FAILED")

    def _open(self, stack: ExitStack) -> None:
        sweep = self.sweep
        self.space = load_space(sweep.space)
        self.warnings = check_space(self.space)
        self._searcher = Searcher(self.space, sweep.algo, sweep.seed, sweep.algo_options)
        self.engine = stack.enter_context(open_engine(sweep.engine, sweep.workers, sweep.threads))
        for _ in range(self.engine.slots):
            self.engine.submit(warm_up, str(self.space.path))
        self.dataset = load_dataset(sweep.data)
        self.warnings += self.dataset.warnings
        self.name = sweep.name or f"{self.space.name}-{self.dataset.slug}-{time.strftime('%Y%m%d-%H%M%S')}"
        self.model_name = sweep.register_as or f"{self.dataset.slug}-regressor"
        if sweep.register:
            check_model_name(self.model_name)
        self.results = self._results / _folder_name(self.name)
        check_writable(self.results)
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="sweeps-")))
        encodings = Encodings(self.dataset, self.space, sweep.features, scratch)
        self._shelf = Shelf(scratch, sweep.top)
        self._finals = Finals(
            sweep.seed, self.dataset, self.space, encodings, self._shelf, self.engine, self.interrupt
        )
        encodings.of(self._searcher.preview(0).params)
        self.warnings += encodings.warnings
        self.store = open_store(resolve_uri(self._uri))
        self._started = time.monotonic()  # what it writes counts as tracking
        self._writer = self._begin(sweep.experiment or self.dataset.slug)

    def _begin(self, experiment: str) -> SweepWriter:
        ensure_experiment(self.store, experiment)
        settings = replace(self.sweep, name=self.name, experiment=experiment).to_json()
        return SweepWriter.open(
            self.store,
            experiment,
            self.name,
            settings=settings,
            origin=Origin(
                self.space.name,
                self.space.source,
                self.space.digest,
                self.dataset.name,
                self.dataset.digest,
                dataset_infos(self.dataset),
            ),
            describe=self.space.logged_params,
        )

    @property
    def run_id(self) -> str:
        """Of the sweep's run."""
        return self._writer.run_id

    @property
    def experiment_id(self) -> str:
        """Of the experiment the sweep is in."""
        return self._writer.experiment_id

    def trials(self) -> Iterator[Finished]:
        """Run the trials; give each as it ends, also those the engine lost.

        Raises:
            TooManyFailuresError: the engine loses everything.
            StoreError: the store went away.
        """
        sweep = self.sweep
        loop = run_trials(
            self._searcher, self._writer, self.engine, sweep.stop, self._task, self.interrupt, self.history
        )
        with closing(loop):
            for finished in loop:
                self._shelf.put(finished)
                if finished.outcome.state is not State.LOST:
                    self.history.append(without_model(finished))
                yield finished

    def finish(self) -> SweepRecord:
        """Choose the winner, log, register and report; give the sweep as the store now holds it.

        Raises:
            NoUsableTrialError: no trial is COMPLETE.
            TooManyFailuresError: more trials failed than allowed; nothing is registered.
            SweepsError: the winner cannot be logged or registered; trials and report are safe.
        """
        record = read_sweep(self.store, self.run_id)
        if self.interrupt.done():
            return self._close("INTERRUPTED")
        if self.sweep.stop.too_many_failures(self.history):
            self._close("FAILED")
            raise TooManyFailuresError(
                f"sweep {self.name}", _failures(record), f"sweeps show {self.run_id[:8]}"
            )
        if record.best is None:
            self._close("FAILED")
            raise NoUsableTrialError(
                f"sweep {self.name}", _failures(record), f"sweeps show {self.run_id[:8]}"
            )
        try:
            self._promote(record)
        except InterruptedFinalsError:
            return self._close("INTERRUPTED")
        except Exception:
            self._close("COMPLETE")
            raise
        return self._close("COMPLETE")

    def _task(self, proposal: Proposal) -> Task:
        return self._finals.task(proposal, self._shelf.threshold)

    def _promote(self, record: SweepRecord) -> None:
        chosen = self._finals.choose(self.history, self.sweep.top)
        self.warnings += self._finals.warnings
        self._writer.log_finalists(chosen.finalists)
        if chosen.test_rmse is None:
            self.warnings.append("there are no test rows: the winner has the lowest rmse on validation")
        if chosen.pipeline is None:
            self.warnings.append("no finalist has a fitted model: there is none to register")
            return
        logged = log_winner(self.store, record, self.dataset, chosen)
        if self.sweep.register:
            version = promote_winner(self.store, record, self.dataset, chosen, logged, self.model_name)
            self._writer.log_promotion(version)

    def _close(self, state: str) -> SweepRecord:
        """Close the sweep, write the report, give the record."""
        self._closed = True
        seconds = time.monotonic() - self._started
        reason = self.sweep.stop.reason(self.history, len(self.history), seconds) or state.lower()
        record = replace(read_sweep(self.store, self.run_id), state=state)
        overhead = self._writer.seconds / seconds if seconds else 0.0
        self._writer.close(state, note(record, reason), {"overhead": overhead})
        record = read_sweep(self.store, self.run_id)
        for path in write_report(record, self.results):
            self._writer.log_file(path, "report")
        return record


def dataset_infos(dataset: Dataset) -> list[DatasetInfo]:
    """Describe the splits for MLflow's dataset inputs."""
    return [
        DatasetInfo(
            CONTEXTS[name],
            f"{dataset.slug}-{name}",
            split.digest,
            dataset.name,
            len(split.y),
            {str(column): split.X[column].dtype.kind for column in split.X.columns},
        )
        for name, split in dataset.splits.items()
    ]


def _failures(record: SweepRecord) -> str:
    """Say how many trials failed and what for, most of all."""
    reasons = [t.outcome.reason for t in record.trials if t.outcome.state is State.FAILED]
    [(common, times)] = Counter(reasons).most_common(1) or [("none ended", 0)]
    return f"{len(reasons)} of {len(record.trials)} trials failed; most common ({times}): {common}"


def _folder_name(name: str) -> str:
    """Make a folder's name of a sweep's: it cannot leave the results folder."""
    legal = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".") or "sweep"
    return legal.encode()[:200].decode(errors="ignore")  # file systems count bytes
