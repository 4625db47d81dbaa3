"""The dataset in each form that the models of a sweep want: encoded once, when the first trial needs it."""

from pathlib import Path

from sweeps.data.cache import DataCache
from sweeps.data.datasets import Dataset
from sweeps.data.prepared import Prepared, prepare_refit
from sweeps.models import build, encoding_of
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Encoding, Params

PLAIN = Encoding(native_categories=False, keeps_missing=False)


class Encodings:
    """Encodes a dataset on demand.

    Args:
        dataset: the raw rows.
        space: says which model the params lead to, and which features it wants.
        features: overrides the space's choice of features where not None.
        folder: where the encoded arrays go, for workers to map.
        cache: may have them from an earlier sweep.
    """

    def __init__(
        self, dataset: Dataset, space: SearchSpace, features: str | None, folder: Path, cache: DataCache
    ) -> None:
        self._dataset, self._space, self._folder, self._cache = dataset, space, folder, cache
        self._features = features or space.features
        self._prepared: dict[Encoding, Prepared] = {}
        self._together: dict[Encoding, Prepared] = {}

    def of(self, params: Params) -> Prepared:
        """Give the data as the model of these params wants it."""
        encoding = self._encoding(params)
        if encoding not in self._prepared:
            folder = self._folder / f"encoding-{len(self._prepared)}"
            self._prepared[encoding] = self._cache.prepare(self._dataset, encoding, self._features, folder)
        return self._prepared[encoding]

    def together(self, params: Params) -> Prepared:
        """Give training and validation rows as one, with features fitted on both: what a refit trains on."""
        if self._dataset.cv is not None:
            return self.of(params)
        encoding = self._encoding(params)
        if encoding not in self._together:  # once for a promotion: not worth a place in the cache
            folder = self._folder / f"together-{len(self._together)}"
            self._together[encoding] = prepare_refit(self._dataset, encoding, self._features, folder)
        return self._together[encoding]

    @property
    def warnings(self) -> list[str]:
        """What encoding found worth telling, without repeats."""
        return list(dict.fromkeys(text for p in self._prepared.values() for text in p.warnings))

    def _encoding(self, params: Params) -> Encoding:
        if self._space.train is not None:
            return PLAIN
        try:
            return encoding_of(build(self._space.model, params))
        except Exception:  # noqa: BLE001  # the user's factory: the worker meets the same error and reports it
            return PLAIN
