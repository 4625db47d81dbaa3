"""What is scored is what is saved."""

import json

import numpy as np
import pytest
import scipy.sparse
import skops.io
import xgboost
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVR

from sweeps.models import build, fit
from sweeps.trial import Fold

BOOSTED = {"xgboost.core.Booster", "xgboost.sklearn.XGBRegressor"}


def make_fold(rows=400, *, categories=False, sparse=False, refit=False):
    """Read-only arrays, as memory-mapped ones are; the last column holds codes, some missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 4))
    X[:, 3] = rng.integers(0, 12, rows)
    y = X[:, 0] * 2 + np.sin(X[:, 3] * 7) * 3 + rng.normal(size=rows) * 0.3
    if categories:
        X[::17, 3] = np.nan
    cut = rows * 3 // 4
    parts = [X[:cut], y[:cut], X[cut:], y[cut:]]
    for part in parts:
        part.setflags(write=False)
    if sparse:
        parts[0], parts[2] = scipy.sparse.csr_matrix(parts[0]), scipy.sparse.csr_matrix(parts[2])
    if refit:
        parts[2] = parts[3] = None
    return Fold(*parts, categorical=(3,) if categories else ())


def boosted(**params):
    return xgboost.XGBRegressor(**{"n_estimators": 60, "max_depth": 4, "learning_rate": 0.3} | params)


def rmse(predictions, fold):
    return float(np.sqrt(np.mean((predictions - fold.y_valid) ** 2)))


@pytest.mark.parametrize("form", [{}, {"categories": True}, {"sparse": True}])
@pytest.mark.parametrize("params", [{"early_stopping_rounds": 3}, {}, {"booster": "dart", "n_estimators": 8}])
def test_the_saved_booster_predicts_bit_for_bit_what_was_scored(form, params):
    fold = make_fold(**form)
    fitted = fit(boosted(**params), fold, seed=1, threads=1)
    data = skops.io.dumps(fitted.model)
    assert set(skops.io.get_untrusted_types(data=data)) == BOOSTED
    loaded = skops.io.loads(data, trusted=sorted(BOOSTED))
    assert np.array_equal(loaded.predict(fold.X_valid).astype(float), fitted.predictions)
    assert type(loaded) is xgboost.XGBRegressor
    assert loaded.n_jobs is None


class Looks(xgboost.callback.TrainingCallback):
    """Notes how many threads XGBoost trains with."""

    def __init__(self):
        self.threads = []

    def after_iteration(self, model, epoch, evals_log):
        self.threads.append(json.loads(model.save_config())["learner"]["generic_param"]["nthread"])
        return False


@pytest.mark.parametrize(("given", "expected"), [({}, "3"), ({"n_jobs": 2}, "2"), ({"nthread": 2}, "2")])
def test_xgboost_trains_with_its_share_of_threads_unless_the_user_said(given, expected):
    looks = Looks()
    fit(boosted(n_estimators=2, callbacks=[looks], **given), make_fold(), seed=1, threads=3)
    assert looks.threads == [expected] * 2


def test_the_best_round_of_the_curve_is_the_score():
    fold = make_fold(categories=True)
    fitted = fit(boosted(n_estimators=None, early_stopping_rounds=5), fold, seed=1, threads=1)
    best = int(fitted.metrics["best_iteration"])
    steps, values = zip(*fitted.curve, strict=True)
    assert values[best] == min(values)
    assert steps == tuple(range(best + 1 + 5))
    assert rmse(fitted.predictions, fold) == pytest.approx(values[best], rel=1e-6)
    assert fitted.model.get_booster().num_boosted_rounds() == best + 1


def test_without_early_stopping_all_rounds_are_used():
    fitted = fit(boosted(n_estimators=7), make_fold(), seed=1, threads=1)
    assert fitted.metrics["best_iteration"] == 6
    assert len(fitted.curve) == 7
    assert fitted.model.get_booster().num_boosted_rounds() == 7


def test_it_is_what_the_class_itself_would_fit():
    fold = make_fold()
    own = boosted(random_state=3, subsample=0.7, n_jobs=1).fit(fold.X_train, fold.y_train)
    ours = fit(boosted(subsample=0.7), fold, seed=3, threads=1)
    assert np.allclose(own.predict(fold.X_valid), ours.predictions, rtol=1e-5)


def test_matrices_used_by_an_earlier_trial_change_nothing():
    fold = make_fold(categories=True)
    fresh = fit(boosted(), make_fold(categories=True), seed=1, threads=1).predictions
    fit(boosted(max_bin=16, tree_method="approx", device="cpu"), fold, seed=2, threads=1)
    assert np.array_equal(fit(boosted(), fold, seed=1, threads=1).predictions, fresh)


def test_categories_are_split_as_categories():
    fold = make_fold(categories=True)
    model = fit(boosted(), fold, seed=1, threads=1).model
    assert model.feature_types == ["q", "q", "q", "c"]
    codes = make_fold(categories=True)
    shuffled = Fold(fold.X_train, fold.y_train, fold.X_valid, fold.y_valid)
    assert not np.array_equal(
        fit(boosted(), shuffled, seed=1, threads=1).predictions,
        fit(boosted(), codes, seed=1, threads=1).predictions,
    )


def test_a_boosted_model_works_at_the_end_of_a_pipeline():
    fold = make_fold(categories=True)
    fitted = fit(boosted(early_stopping_rounds=3), fold, seed=1, threads=1)
    pipeline = make_pipeline(FunctionTransformer(), fitted.model)
    loaded = skops.io.loads(skops.io.dumps(pipeline), trusted=sorted(BOOSTED))
    assert np.array_equal(loaded.predict(np.array(fold.X_valid)).astype(float), fitted.predictions)


def test_the_users_seed_and_objective_are_kept():
    fold = make_fold()

    def squared(truth, predicted):
        return predicted - truth, np.ones_like(truth)

    seeded = [fit(boosted(seed=5, subsample=0.5), fold, seed=s, threads=1).predictions for s in (1, 2)]
    assert np.array_equal(*seeded)
    own = fit(boosted(objective=squared, base_score=0.0), fold, seed=1, threads=1)
    assert rmse(own.predictions, fold) < np.std(fold.y_valid) / 2


def test_a_forest_of_xgboost_is_one_round():
    fitted = fit(xgboost.XGBRFRegressor(n_estimators=9, max_depth=4), make_fold(), seed=1, threads=1)
    assert isinstance(fitted.model, xgboost.XGBRFRegressor)
    assert len(fitted.curve) == 1


def test_a_refit_trains_for_the_rounds_it_is_told():
    fitted = fit(boosted(early_stopping_rounds=3), make_fold(refit=True), seed=1, threads=1, rounds=11)
    assert fitted.predictions is None
    assert fitted.curve == ()
    assert fitted.model.get_booster().num_boosted_rounds() == 11


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "estimator",
    [LinearRegression(), Ridge(), Lasso(alpha=0.01), LinearSVR(), RandomForestRegressor(n_estimators=5)],
    ids=lambda e: type(e).__name__,
)
def test_regressors_fit_read_only_arrays(estimator, sparse):
    fold = make_fold(sparse=sparse)
    fitted = fit(estimator, fold, seed=1, threads=2)
    assert fitted.predictions.shape == fold.y_valid.shape
    assert rmse(fitted.predictions, fold) < np.std(fold.y_valid)
    assert getattr(fitted.model, "n_jobs", None) is None


def test_the_seed_reaches_every_step():
    model = make_pipeline(StandardScaler(), TransformedTargetRegressor(RandomForestRegressor(n_estimators=5)))
    fit(model, make_fold(), seed=7, threads=1)
    assert model[-1].regressor_.random_state == 7


def test_histogram_boosting_takes_categories_but_no_sparse_features():
    model = fit(
        HistGradientBoostingRegressor(max_iter=5), make_fold(categories=True), seed=1, threads=1
    ).model
    assert list(model.is_categorical_) == [False, False, False, True]
    with pytest.raises(ValueError, match="FEATURES = 'auto'"):
        fit(HistGradientBoostingRegressor(), make_fold(sparse=True), seed=1, threads=1)


def test_a_model_with_the_wrong_number_of_predictions_is_refused():
    class Short(Ridge):
        def predict(self, X):
            return super().predict(X)[:-1]

    with pytest.raises(ValueError, match=r"Short\.predict gave"):
        fit(build(Short, {}), make_fold(), seed=1, threads=1)
