"""A sweep under way: everything opened and checked, trials run one by one, then the finish."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sweeps.api.checks import check_finish, check_sample, check_segment
from sweeps.api.drift import drift_of
from sweeps.api.earlier import Earlier
from sweeps.api.encodings import Encodings
from sweeps.api.finals import Finals, InterruptedFinalsError
from sweeps.api.folders import folder_name
from sweeps.api.followed import Followed
from sweeps.api.idle import idle_share
from sweeps.api.news import News
from sweeps.api.nomination import Nomination
from sweeps.api.nominee import Ground
from sweeps.api.note import note
from sweeps.api.packing import Packing
from sweeps.api.precheck import check_writable
from sweeps.api.promotion import promote_nominee
from sweeps.api.shelf import Shelf
from sweeps.api.splits import dataset_infos
from sweeps.causes import Causes
from sweeps.data.cache import DataCache
from sweeps.data.cache_folder import cache_folder
from sweeps.data.sampling import sample_of, sampled
from sweeps.engines import ON_THIS_MACHINE, Engine, crowded
from sweeps.environment import environment
from sweeps.errors import (
    EngineDownError,
    NoUsableTrialError,
    SweepOwnedError,
    SweepsError,
    TooManyFailuresError,
    UsageError,
)
from sweeps.heap import set_aside
from sweeps.lint import check_device, check_space
from sweeps.live.underway import UnderWay
from sweeps.notify.target import Target
from sweeps.pruning import open_pruner
from sweeps.record import SweepRecord
from sweeps.registry import check_model_name
from sweeps.report.charts.curves import curve_trials
from sweeps.report.write import write_report
from sweeps.scratch import scratch_folder
from sweeps.search.searcher import Searcher
from sweeps.settings import DEFAULT_TOP, Sweep
from sweeps.space.describe import ranges_of
from sweeps.space.search_space import load_space
from sweeps.stopping import Standing
from sweeps.sweep import run_trials
from sweeps.tracking.background import BackgroundWriter
from sweeps.tracking.deadline import LONGEST, Patience
from sweeps.tracking.dress import dress
from sweeps.tracking.evidence import with_evidence
from sweeps.tracking.reader import read_sweep, sweeps_named
from sweeps.tracking.store import Store, open_store, resolve_uri
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Finished, State
from sweeps.wording import counted


class Session:
    """Runs one sweep; use it as a context, iterate ``trials()``, then call ``finish()``.

    Nothing exists in the store before all checks have passed. Leaving without ``finish()`` closes the sweep
    as INTERRUPTED when it was interrupted or the engine gave up, else as FAILED.

    Args:
        sweep: the settings.
        engine: open; it is left open.
        tracking_uri: MLflow store; None: ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` here.
        results: folder for ``<name>/leaderboard.csv`` and the like.
        cache: whether data is kept between sweeps.
        earlier: what there is of the sweep, to go on with; None begins a new one.
        tell: told in words when the store is out of reach, when it is back, and of trouble with ``notify``.
        notify: who is told of a new best, of the verdict and of the end.

    Raises:
        SweepsError: whatever is wrong with space, data, store, names or folders.
    """

    def __init__(
        self,
        sweep: Sweep,
        engine: Engine,
        tracking_uri: str | None = None,
        results: Path = Path("results"),
        *,
        cache: bool = True,
        earlier: Earlier | None = None,
        tell: Callable[[str], object] = lambda _: None,
        notify: Sequence[Target] = (),
    ) -> None:
        self.sweep, self.engine, self._cached, self._earlier = sweep, engine, cache, earlier
        self._tell = tell
        self.under_way = UnderWay()
        """The trials that run now; ``engine.listen(under_way.hear)`` has them say how far they are."""
        self.interrupt: Future[int] = Future()
        """Set its result (a signal's number) to end the sweep."""
        self.history: list[Finished] = list(earlier.finished) if earlier else []
        self._news = News(notify, tell)
        self._news.recall(self.history)
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
        if error is not None and not isinstance(error, SweepOwnedError):
            self._news.otherwise(self._ending(error))
        with self._stack:
            if self._closed:
                return
            if isinstance(error, SweepOwnedError):  # it is another driver's to close
                return
            if isinstance(error, KeyboardInterrupt):  # the user is in a hurry: no report
                with suppress(SweepsError):
                    self._writer.close("INTERRUPTED")
                return
            with suppress(*([SweepsError] if error else [])):  # the first error tells more
                self._close(self._ending(error))

    def _ending(self, error: BaseException | None) -> str:
        """Say how a sweep ends that does not come to its end: whether it is waiting to be resumed."""
        waits = self.interrupt.done() or isinstance(error, KeyboardInterrupt | EngineDownError)
        return "INTERRUPTED" if waits else "FAILED"

    def _open(self, stack: ExitStack) -> None:
        sweep = self.sweep
        stack.enter_context(self._news)
        self.space = load_space(sweep.space)
        self.warnings = check_space(self.space, sweep.stop.trials)
        check_device(self.space, sweep.device)
        self._searcher = Searcher(self.space, sweep.algo, sweep.seed, sweep.algo_options)
        self._cache = stack.enter_context(DataCache(cache_folder() if self._cached else None))
        self.dataset = self._cache.load(sweep.data)
        self.warnings += self.dataset.warnings
        check_segment(sweep.gate, self.dataset)
        self.warnings += check_finish(sweep, self.dataset)
        self._searched = sampled(self.dataset, sweep.sample)
        self.sample = sample_of(self._searched)
        self.warnings += check_sample(sweep.sample, self.sample)
        found = self.space, self.dataset, self.sample
        self.warnings += self._earlier.check(*found) if self._earlier else []
        self.name = sweep.name or f"{self.space.name}-{self.dataset.slug}-{time.strftime('%Y%m%d-%H%M%S')}"
        self.experiment = sweep.experiment or self.dataset.slug
        self.model_name = sweep.register_as or f"{self.dataset.slug}-regressor"
        if sweep.register:
            check_model_name(self.model_name)
        self.results = self._results / folder_name(self.name)
        check_writable(self.results)
        if self.engine.name in ON_THIS_MACHINE and (
            warning := crowded(self.engine.slots, self.engine.threads)
        ):
            self.warnings.append(warning)
        self._packing = self._pack(stack.enter_context(scratch_folder()))
        self._started = time.monotonic()
        self._background = stack.enter_context(BackgroundWriter(self._begin, self._stop, self._tell))

    def _pack(self, scratch: Path) -> Packing:
        """Encode the data for the first trial, and make ready for the others."""
        sweep = self.sweep
        rows = self.dataset, self._searched
        encodings = Encodings(*rows, self.space, sweep.features, scratch, self._cache)
        encodings.of(self._searcher.preview(0).params)
        self.warnings += encodings.warnings
        shelf = Shelf(scratch, sweep.top)
        self._finals = Finals(
            sweep.seed,
            self.dataset,
            self.space,
            encodings,
            shelf,
            self.engine,
            self.interrupt,
            sweep.trial_timeout,
        )
        return Packing(self._finals, shelf, open_pruner(sweep.prune, sweep.prune_options))

    def _begin(self) -> SweepWriter:
        """Begin the sweep in the store; MLflow is imported here, in the writer's thread."""
        store = open_store(resolve_uri(self._uri), Patience(LONGEST, self._tell, self.interrupt.done))
        settings = replace(self.sweep, name=self.name, experiment=self.experiment).located().to_json()
        given: dict[str, Any] = {"settings": settings, "origin": self._origin()}
        given["describe"] = self.space.logged_params
        if self._earlier is None:
            self._refuse_unfinished(store)
            writer = SweepWriter.open(store, self.experiment, self.name, **given)
        else:
            writer = SweepWriter.reopen(store, self._earlier.record, **given)
        self._news.begin(store, writer.run_id, writer.experiment_id, self.name, self.experiment)
        self._cache.flush()  # here, where no trial waits for it
        return writer

    def _refuse_unfinished(self, store: Store) -> None:
        """Offer to go on with a sweep of the name that was asked for, rather than begin it anew."""
        for header in sweeps_named(store, self.experiment, self.sweep.name) if self.sweep.name else ():
            if header.state in ("RUNNING", "INTERRUPTED"):
                hint = f"sweeps resume {header.run_id[:8]} goes on with it; else choose another name"
                wrong = f"there is a sweep of that name which is {header.state}"
                raise UsageError(f"--name {self.name}", wrong, hint)

    def _origin(self) -> Origin:
        space, dataset = self.space, self.dataset
        infos = dataset_infos(dataset)
        names = space.name, space.source, space.digest, dataset.name, dataset.digest
        return Origin(*names, infos, self._environment, ranges_of(space), self.sample)

    @property
    def _environment(self) -> dict[str, str]:
        return environment(self.engine.threads, self.engine.device)

    def _stop(self) -> None:
        """End the sweep because somebody asks for it in the store."""
        with suppress(InvalidStateError):  # it is ending already
            self.interrupt.set_result(signal.SIGTERM)

    @property
    def store(self) -> Store:
        """Where the sweep is recorded."""
        return self._writer.store

    @property
    def _writer(self) -> SweepWriter:
        return self._background.opened()

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
            EngineDownError: it has no place for trials any more.
            StoreError: the store went away.
        """
        sweep, earlier = self.sweep, self._earlier
        loop = run_trials(
            self._searcher,
            Followed(self._background, self.under_way),
            self.engine,
            sweep.stop,
            self._packing,
            self.interrupt,
            history=earlier.history(self.space) if earlier else (),
            limit=sweep.trial_timeout,
            spent=earlier.seconds if earlier else 0.0,
        )
        with closing(loop), self._resumable(), ExitStack() as stack:
            for count, finished in enumerate(loop):
                if count == 0:  # by now all is imported
                    stack.enter_context(set_aside())
                if finished.outcome.state is not State.LOST:
                    self.history.append(finished)
                self._news.trial(finished)
                yield finished

    @contextmanager
    def _resumable(self) -> Iterator[None]:
        """Say how the sweep goes on where the engine gives up."""
        try:
            yield
        except EngineDownError as error:
            hint = f"{error.next_step}; then sweeps resume {self.run_id[:8]}, or with another --engine"
            raise EngineDownError(error.what, error.wrong, hint) from error

    def finish(self) -> SweepRecord:
        """Choose the winner, log, register and report; give the sweep as the store now holds it.

        Raises:
            NoUsableTrialError: no trial is COMPLETE.
            TooManyFailuresError: more trials failed than allowed; nothing is registered.
            SweepsError: the winner cannot be logged or registered; trials and report are safe.
        """
        self._background.flush(self.interrupt)
        self._cache.flush()
        self.warnings += self._cache.warnings
        if self._searcher.exhausted:
            self.warnings.append(f"the sweep ended early: {self._searcher.exhausted}")
        if self.interrupt.done():
            return self._close("INTERRUPTED")
        record = read_sweep(self.store, self.run_id)
        if self.sweep.stop.too_many_failures(self._standing):
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

    def _promote(self, record: SweepRecord) -> None:
        chosen = self._finals.choose(self.history, self.sweep.top)
        self.warnings += self._finals.warnings
        if len(chosen.finalists) < self.sweep.top != DEFAULT_TOP:
            found = counted(len(chosen.finalists), "trial")
            self.warnings.append(f"--top {self.sweep.top}: {found} with an rmse, all of them finalists")
        self._writer.log_finalists(chosen.finalists)
        if chosen.predictions is not None:
            self._writer.log_predictions(chosen.predictions)
        if chosen.test_rmse is None:
            self.warnings.append("there are no test rows: the winner has the lowest rmse on validation")
        drift = self._look_for_drift()
        if chosen.pipeline is None:
            self.warnings.append("no finalist has a fitted model: there is none to register")
            return
        ground = Ground(self.store, record, self.dataset, drift)
        nomination = Nomination(ground, self.sweep, lambda: self._finals, self.warnings.append)
        nominee, logged = nomination.settle(chosen)
        if nominee.blend or nominee.refit or record.blend or record.refit:
            self._writer.log_finish(nominee.blend, nominee.refit)
        if self.sweep.register:
            version = promote_nominee(ground, nominee, logged, self.model_name, self.sweep.gate)
            self._writer.log_promotion(version)
            self._news.verdict(chosen.winner, chosen.test_rmse, version)

    def _look_for_drift(self) -> dict[str, Any] | None:
        """Tell, and keep with the sweep, how the rows that decide differ from those learned from."""
        found = drift_of(self.dataset, self.sweep.data.split_by)
        if found is None:
            return None
        self.warnings += found.warnings
        told = found.to_json()
        self._writer.log_drift(told)
        return told

    @property
    def _standing(self) -> Standing:
        return Standing(finished.outcome for finished in self.history)

    def _reason(self, state: str) -> str:
        """Say why the sweep ended."""
        seconds = time.monotonic() - self._started + (self._earlier.seconds if self._earlier else 0.0)
        if reason := self.sweep.stop.reason(self._standing, len(self.history), seconds):
            return reason
        return self._searcher.exhausted or state.lower()

    def _close(self, state: str) -> SweepRecord:
        """Close the sweep, write the report, give the record."""
        self._closed = True
        self._background.flush(self.interrupt)
        record = replace(read_sweep(self.store, self.run_id), state=state)
        own = self.history[len(self._earlier.finished) if self._earlier else 0 :]
        self._writer.close(state, note(record, self._reason(state)), {"overhead": idle_share(own)})
        record = read_sweep(self.store, self.run_id)
        self._news.end(record)
        plot = state != "INTERRUPTED"  # who interrupts waits
        if plot:
            dress(self.store, record)
        full = with_evidence(self.store, record, curve_trials(record)) if plot else record
        for path in write_report(full, self.results, plot=plot):
            self._writer.log_file(path, (Path("report") / path.relative_to(self.results).parent).as_posix())
        return record


def _failures(record: SweepRecord) -> str:
    """Say how many trials failed and what for, most of all."""
    causes = Causes(t for t in record.trials if t.outcome.state is State.FAILED).ranked
    failed = sum(len(cause.numbers) for cause in causes)
    common = f"({len(causes[0].numbers)}): {causes[0].reason}" if causes else "(0): none ended"
    return f"{failed} of {len(record.trials)} trials failed; most common {common}"
