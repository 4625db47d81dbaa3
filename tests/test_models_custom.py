"""The user's own train(): what it may return, and what is said of the rest."""

import numpy as np
import pytest

from sweeps.models import fit_custom
from sweeps.pruning import Pruned, survives
from sweeps.trial import Fold

FOLD = Fold(np.zeros((3, 1)), np.zeros(3), np.zeros((2, 1)), np.zeros(2))


class Model:
    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize(
    ("returned", "metrics", "kept"),
    [
        (1.5, {"rmse": 1.5}, False),
        (np.float32(1.5), {"rmse": 1.5}, False),
        ({"rmse": 2, "mape": 0.1}, {"rmse": 2.0, "mape": 0.1}, False),
        ({"rmse": 2.0, "model": Model()}, {"rmse": 2.0}, True),
        (({"rmse": 2.0, "depth": 3}, Model()), {"rmse": 2.0, "depth": 3.0}, True),
        ((2.0, Model()), {"rmse": 2.0}, True),
    ],
)
def test_what_train_may_return(returned, metrics, kept):
    fitted = fit_custom(lambda params, data, report: returned, {}, FOLD)
    assert fitted.metrics == metrics
    assert (fitted.model is not None) is kept


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "rmse is None, a NoneType, not a number"),
        ("1.5", "rmse is '1.5', a str"),
        (1 + 2j, "a complex"),
        (np.zeros(3), "a ndarray"),
        (True, "a bool"),
        ({"loss": 1.0}, "no 'rmse', only: loss"),
        ({"rmse": 1.0, "mae": float("nan")}, "mae is nan, which is not finite"),
        ({"rmse": 1.0, "note": "fine"}, "note is 'fine'"),
        ((1.0, Model(), 3), "a tuple"),
    ],
)
def test_anything_else_is_refused_by_name(returned, said):
    with pytest.raises((TypeError, ValueError), match=said):
        fit_custom(lambda params, data, report: returned, {}, FOLD)


def test_the_curve_is_what_was_reported():
    def train(params, data, report):
        for step in range(3):
            report(np.int64(step), np.float32(params["start"] - step))
        return 1.0

    assert fit_custom(train, {"start": 5}, FOLD).curve == ((0, 5.0), (1, 4.0), (2, 3.0))


@pytest.mark.parametrize(("step", "rmse"), [(0, float("inf")), (0, "x"), (0.5, 1.0)])
def test_a_report_that_is_no_figure_is_refused(step, rmse):
    with pytest.raises((TypeError, ValueError), match="report"):
        fit_custom(lambda params, data, report: report(step, rmse) or 1.0, {}, FOLD)


def test_the_params_are_the_trials_own_copy():
    params = {"a": 1}
    fit_custom(lambda params, data, report: params.pop("a"), params, FOLD)
    assert params == {"a": 1}


def test_a_hopeless_train_does_not_come_back_from_its_report():
    reported, caught = [], []

    def train(params, data, report):
        for step in range(10):
            reported.append(step)
            try:
                report(step, 5.0 - 0.1 * step)
            except Exception as error:  # noqa: BLE001  # as a careful user may write
                caught.append(error)

    watch = survives(((2, 6.0), (4, 4.0)))
    with pytest.raises(Pruned, match=r"pruned at round 5: rmse 4\.6 > 4"):
        fit_custom(train, {}, FOLD, watch=watch)
    assert (reported, caught) == ([0, 1, 2, 3, 4], [])
    assert watch.curve == tuple((step, 5.0 - 0.1 * step) for step in range(5))


def test_a_watch_changes_nothing_for_a_train_that_survives():
    def train(params, data, report):
        for step in (3, 1, 2, 2):
            report(step, 5.0 - step)
        return 1.0

    watch = survives(((0, 0.0), (2, 9.0)))
    alone, watched = fit_custom(train, {}, FOLD), fit_custom(train, {}, FOLD, watch=watch)
    assert alone == watched
    assert watch.curve == alone.curve == ((1, 4.0), (2, 3.0), (3, 2.0))
