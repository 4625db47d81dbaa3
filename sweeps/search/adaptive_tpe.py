"""Hyperopt's adaptive TPE behind the contract its other algorithms keep.

As Hyperopt 0.3.0 ships it, ``atpe.suggest`` ignores the seed (it draws from the global random states), fails
with ``KeyError: 'loss'`` as soon as one trial failed or still runs, draws labels of options that were not
chosen, and cannot read ``hp.uniformint`` and ``hp.pchoice``. All but the last is mended here.
"""

import importlib
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sklearn.preprocessing  # noqa: F401  # atpe uses it without importing it
from hyperopt import atpe
from hyperopt.base import STATUS_OK, Domain, Trials
from hyperopt.pyll_utils import expr_to_config

from sweeps.errors import UsageError
from sweeps.search.history import History
from sweeps.search.points import point_of
from sweeps.trial import Point

# atpe looks for it when asked; its absence must show before a sweep begins
importlib.import_module("lightgbm")

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""The algorithm subtracts a trial's times, and then does not use the difference."""


def suggest(ids: list[int], domain: Domain, history: History, seed: int) -> Point:
    """Propose a point as ``hyperopt.atpe.suggest`` does, from this seed.

    Trials without a loss, failed or running, count as bad as the worst one known.

    Raises:
        UsageError: the space has a distribution that the algorithm cannot read.
    """
    if unread := _unread(domain):
        text = f"cannot read {' and '.join(unread)}"
        raise UsageError("--algo atpe", text, "use quniform and choice instead, or --algo tpe")
    with _seeded(seed):
        docs = atpe.suggest(ids, domain, _with_losses(history.trials()), seed)
    _drop_inactive(domain, docs[0]["misc"]["vals"])
    return point_of(docs)


def _drop_inactive(domain: Domain, values: dict[str, list[Any]]) -> None:
    """Take out the labels of options that were not chosen."""
    found: dict[str, Any] = {}
    expr_to_config(domain.expr, (), found)
    drawn = {label: value[0] for label, value in values.items()}
    for label, entry in found.items():
        if not any(all(drawn[c.name] == c.val for c in branch) for branch in entry["conditions"]):
            values[label] = []


def _with_losses(trials: Trials) -> Trials:
    losses = [doc["result"]["loss"] for doc in trials.trials if doc["result"]["status"] == STATUS_OK]
    known = Trials()
    if losses:
        known.insert_trial_docs([_scored(doc, max(losses)) for doc in trials.trials])
        known.refresh()
    return known


def _scored(doc: dict[str, Any], worst: float) -> dict[str, Any]:
    loss = doc["result"].get("loss", worst)
    times = {"book_time": _SOME_TIME, "refresh_time": _SOME_TIME}
    return {**doc, **times, "result": {"status": STATUS_OK, "loss": loss}}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global random states inside, and leave them as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of few or equal losses
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _unread(domain: Domain) -> list[str]:
    """Name the distributions of the space that ``atpe`` has no words for."""
    drawn = list(domain.params.values())
    found = {"pchoice" for d in drawn if d.name == "categorical"}
    return sorted(found | {"uniformint" for d in drawn if d.name == "quniform" and len(d.pos_args) < 3})
