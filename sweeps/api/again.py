"""Train trials of an earlier sweep again, from what MLflow holds of it: opened when it is first needed."""

from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from typing import Any, Self

from sweeps.api.encodings import Encodings
from sweeps.api.finals import Finals
from sweeps.api.shelf import Shelf
from sweeps.api.workers import start_engine
from sweeps.data.cache import DataCache
from sweeps.data.datasets import Dataset
from sweeps.data.sampling import sampled
from sweeps.engines import ON_THIS_MACHINE, Engine
from sweeps.errors import SpaceError
from sweeps.record import SweepRecord
from sweeps.scratch import scratch_folder
from sweeps.settings import Sweep
from sweeps.space.module import find_space, read_space
from sweeps.space.search_space import load_space


class Again:
    """Use it as a context; its workers and files go with it.

    Args:
        record: the sweep.
        settings: what it was run with.
        dataset: the same rows.
    """

    def __init__(self, record: SweepRecord, settings: Sweep, dataset: Dataset) -> None:
        self._record, self._settings, self._dataset = record, settings, dataset
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._stack.close()

    @cached_property
    def finals(self) -> Finals:
        """Trains them; asking for it starts the workers.

        Raises:
            SpaceError: the search space was changed since.
        """
        settings = self._settings
        file = read_space(find_space(settings.space))
        if file.digest != self._record.extra.get("space_digest"):
            wrong = "was changed since the sweep: the finalists cannot be trained again as they were"
            hint = f"bring back the source kept with sweep {self._record.name}"
            raise SpaceError(f"space {file.path.stem}", wrong, hint)
        space = load_space(settings.space)
        scratch = self._stack.enter_context(scratch_folder())
        engine = self._stack.enter_context(_trainers(settings))
        rows = self._dataset, sampled(self._dataset, settings.sample)
        encodings = Encodings(*rows, space, settings.features, scratch, DataCache(None))
        shelf = Shelf(scratch, settings.top)
        return Finals(settings.seed, self._dataset, space, encodings, shelf, engine)


def _trainers(settings: Sweep) -> AbstractContextManager[Engine]:
    """Give an engine on this machine: the cluster that a sweep ran on, or its GPUs, may be long gone."""
    engine = settings.engine if settings.engine in ON_THIS_MACHINE else "local"
    workers = settings.workers if settings.engine == engine and settings.device == "cpu" else None
    given = settings.threads, settings.worker_env, settings.device
    return start_engine(settings.space, engine, workers, *given)
