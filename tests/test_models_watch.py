"""A watch follows training and may end it; what it lets through is trained bit for bit as without one."""

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import xgboost
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sweeps.models import fit, pace_of
from sweeps.models.blocks import has_blocks
from sweeps.pruning import Pruned, survives
from sweeps.trial import Fold

MEASURED = tuple((step, float("inf")) for step in (2, 8, 26, 80))
"""Rungs where nothing is known yet: measured, never cut."""


def make_fold(repeats: int = 1, *, sparse: bool = False) -> Fold:
    X, y = load_diabetes(return_X_y=True)
    y = y + np.random.default_rng(0).normal(size=len(y))
    X_train, y_train = np.tile(X[:300], (repeats, 1)), np.tile(y[:300], repeats)
    if sparse:
        return Fold(scipy.sparse.csr_matrix(np.maximum(X_train, 0)), y_train, np.maximum(X[300:], 0), y[300:])
    return Fold(X_train, y_train, X[300:], y[300:])


def state_of(model: Any) -> dict[str, bytes]:
    """All a fitted model remembers, part by part."""
    return {name: pickle.dumps(value) for name, value in sorted(vars(model).items())}


SEEDED = {"random_state": 3}
IN_BLOCKS = [
    RandomForestRegressor(n_estimators=30, max_depth=5),
    RandomForestRegressor(n_estimators=30, max_samples=0.5, max_features=0.4, ccp_alpha=5.0),
    RandomForestRegressor(n_estimators=9, bootstrap=False, criterion="absolute_error", max_depth=4),
    RandomForestRegressor(n_estimators=2, max_depth=4),
    ExtraTreesRegressor(n_estimators=30, max_depth=5),
    ExtraTreesRegressor(n_estimators=28, bootstrap=True, max_samples=0.3),
    GradientBoostingRegressor(n_estimators=40),
    GradientBoostingRegressor(n_estimators=90, subsample=0.5, max_features=0.5, ccp_alpha=1.0),
    GradientBoostingRegressor(n_estimators=40, loss="huber", subsample=0.8, init=Ridge()),
    HistGradientBoostingRegressor(max_iter=90),
    HistGradientBoostingRegressor(max_iter=40, max_features=0.3, loss="absolute_error"),
    HistGradientBoostingRegressor(max_iter=90, early_stopping=True, n_iter_no_change=3),
    HistGradientBoostingRegressor(max_iter=90, early_stopping=True, scoring="r2", learning_rate=0.5),
    HistGradientBoostingRegressor(max_iter=90, early_stopping=True, validation_fraction=None, tol=0.05),
]


SPARSE = [e for e in IN_BLOCKS if not isinstance(e, HistGradientBoostingRegressor)]


@pytest.mark.parametrize(
    ("estimator", "sparse"), [*((e, False) for e in IN_BLOCKS), *((e, True) for e in SPARSE)], ids=str
)
def test_training_in_blocks_is_training_in_one_go(estimator: Any, sparse: bool) -> None:
    fold = make_fold(sparse=sparse)
    at_once = fit(clone(estimator), fold, seed=3, threads=1)
    watched = fit(clone(estimator), fold, seed=3, threads=1, watch=survives(MEASURED))
    assert np.array_equal(watched.predictions, at_once.predictions)
    assert state_of(watched.model) == state_of(at_once.model)
    assert str(watched.model) == str(at_once.model)
    assert at_once.curve == ()
    rounds = getattr(watched.model, "n_iter_", None) or len(watched.model.estimators_)
    assert [step for step, _ in watched.curve] == [s for s, _ in MEASURED if s + 1 < rounds] + [rounds - 1]
    score = float(np.sqrt(np.mean((watched.predictions - fold.y_valid) ** 2)))
    assert watched.curve[-1][1] == score


@pytest.mark.parametrize("scoring", ["loss", "neg_mean_squared_error"])
@pytest.mark.parametrize("fraction", [0.1, None])
def test_patience_that_ends_with_a_block_ends_the_training(scoring: str, fraction: float | None) -> None:
    fold = make_fold(repeats=3)

    def make() -> HistGradientBoostingRegressor:
        own = {"scoring": scoring, "validation_fraction": fraction, "tol": 20.0, "n_iter_no_change": 3}
        return HistGradientBoostingRegressor(max_iter=99, max_leaf_nodes=5, early_stopping=True, **own)

    at_once = fit(make(), fold, seed=3, threads=1)
    rounds = at_once.model.n_iter_
    assert 4 < rounds < 99
    for steps in ([rounds - 1], [rounds - 2], [rounds], [rounds - 3, rounds + 5], range(0, rounds, 3)):
        watch = survives(tuple((step, float("inf")) for step in steps))
        watched = fit(make(), fold, seed=3, threads=1, watch=watch)
        assert state_of(watched.model) == state_of(at_once.model)
        assert watched.curve[-1][0] == rounds - 1


class OwnForest(RandomForestRegressor):
    """A user's own, which may do anything."""


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingRegressor(n_estimators=20, n_iter_no_change=3, **SEEDED),
        RandomForestRegressor(n_estimators=40, oob_score=True, **SEEDED),
        RandomForestRegressor(n_estimators=20, warm_start=True, **SEEDED),
        RandomForestRegressor(n_estimators=20, random_state=np.random.RandomState(3)),
        BaggingRegressor(n_estimators=20, **SEEDED),
        AdaBoostRegressor(n_estimators=5, **SEEDED),
        MLPRegressor(max_iter=5, early_stopping=True, **SEEDED),
        SGDRegressor(**SEEDED),
        OwnForest(n_estimators=20, **SEEDED),
        make_pipeline(StandardScaler(), RandomForestRegressor(n_estimators=20, **SEEDED)),
        Ridge(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_what_would_not_be_identical_is_trained_in_one_go(estimator: Any) -> None:
    assert not has_blocks(estimator)
    watch = survives(((0, 0.0),))
    assert fit(estimator, make_fold(), seed=3, threads=1, watch=watch).curve == ()
    assert watch.curve == ()


@pytest.mark.parametrize("kind", [ExtraTreesRegressor, GradientBoostingRegressor])
def test_a_hopeless_ensemble_ends_at_its_rung(kind: type) -> None:
    fold = make_fold()
    whole = fit(kind(n_estimators=30), fold, seed=3, threads=1, watch=survives(MEASURED)).curve
    watch = survives((*MEASURED[:1], (8, whole[1][1] - 1e-6), *MEASURED[2:]))
    with pytest.raises(Pruned, match=r"pruned at round 9: rmse [\d.]+ > "):
        fit(kind(n_estimators=30), fold, seed=3, threads=1, watch=watch)
    assert watch.curve == whole[:2]


@pytest.mark.parametrize("kind", [RandomForestRegressor, HistGradientBoostingRegressor, xgboost.XGBRegressor])
def test_nothing_is_cut_after_the_last_round(kind: type) -> None:
    rounds = {"max_iter" if kind is HistGradientBoostingRegressor else "n_estimators": 9}
    watch = survives(((8, 0.0),))
    assert fit(kind(**rounds), make_fold(), seed=3, threads=1, watch=watch).curve[-1][0] == 8
    assert watch.reason == ""


class Listener(xgboost.callback.TrainingCallback):
    """A user's own callback."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.heard.append(epoch)
        return False


BOOSTED: list[dict[str, Any]] = [
    {"early_stopping_rounds": 5, "subsample": 0.7},
    {"n_estimators": 40, "colsample_bytree": 0.5},
    {"booster": "dart", "n_estimators": 10, "rate_drop": 0.3},
    {"booster": "gblinear", "n_estimators": 10, "updater": "coord_descent"},
]


@pytest.mark.parametrize("params", BOOSTED, ids=str)
def test_boosting_with_a_watch_is_boosting_without(params: dict[str, Any]) -> None:
    fold, listener = make_fold(), Listener()
    alone = fit(xgboost.XGBRegressor(**params), fold, seed=3, threads=1)
    estimator = xgboost.XGBRegressor(callbacks=[listener], **params)
    watch = survives(MEASURED)
    watched = fit(estimator, fold, seed=3, threads=1, watch=watch)
    assert np.array_equal(watched.predictions, alone.predictions)
    assert watched.model.get_booster().save_raw("json") == alone.model.get_booster().save_raw("json")
    assert (watched.curve, watched.metrics) == (alone.curve, alone.metrics)
    assert listener.heard == [step for step, _ in watched.curve]
    assert watched.curve[: len(watch.curve)] == watch.curve
    assert len(watch.curve) >= len(watched.curve) - 1


def test_boosting_ends_at_its_rung_after_the_users_own_callback() -> None:
    listener, fold = Listener(), make_fold()
    whole = fit(xgboost.XGBRegressor(n_estimators=40), fold, seed=3, threads=1).curve
    watch = survives(((20, 0.0),))
    estimator = xgboost.XGBRegressor(n_estimators=40, early_stopping_rounds=30, callbacks=[listener])
    with pytest.raises(Pruned, match="pruned at round 21: "):
        fit(estimator, fold, seed=3, threads=1, watch=watch)
    assert watch.curve == whole[:21]
    assert listener.heard == list(range(21))


def test_a_refit_is_never_watched() -> None:
    X, y = load_diabetes(return_X_y=True)
    watch = survives(((2, 0.0),))
    for estimator in (xgboost.XGBRegressor(n_estimators=9), RandomForestRegressor(n_estimators=9)):
        assert fit(estimator, Fold(X, y, None, None), seed=3, threads=1, watch=watch).predictions is None
    assert watch.curve == ()


@pytest.mark.parametrize(
    ("estimator", "pace"),
    [
        (xgboost.XGBRegressor(learning_rate=0.05), 0.5),
        (xgboost.XGBRegressor(eta=0.2), 2),
        (xgboost.XGBRegressor(), 3),
        (xgboost.XGBRegressor(learning_rate=-1), 1),
        (HistGradientBoostingRegressor(), 1),
        (GradientBoostingRegressor(learning_rate=np.float32(0.5)), 5),
        (RandomForestRegressor(), 10),
        (SGDRegressor(), 1),
        (object(), 10),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_pace_is_the_learning_rate(estimator: Any, pace: float) -> None:
    assert pace_of(estimator) == pytest.approx(pace)
