"""Params are judged without training, in one line."""

import subprocess
import sys

import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sweeps.models import build, check_params, encoding_of
from sweeps.trial import Encoding

COURSE = {"max_depth": 5, "learning_rate": 0.1, "reg_alpha": 0.1, "reg_lambda": 0.1, "min_child_weight": 1.5}


def forest_or_boosting(**params):
    return xgboost.XGBRegressor(**params)


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (
            xgboost.XGBRegressor,
            COURSE | {"objective": "reg:squarederror", "seed": 42, "early_stopping_rounds": 50},
        ),
        (xgboost.XGBRegressor, {"eta": 0.3, "lambda": 1.0, "alpha": 0.5, "nthread": 1, "device": "cuda"}),
        (xgboost.XGBRegressor, {"booster": "dart", "rate_drop": 0.1, "min_child_weight": 2}),
        (xgboost.XGBRFRegressor, {"n_estimators": 5, "max_depth": 3}),
        (RandomForestRegressor, {"max_depth": 3, "min_samples_split": 0.5}),
        (None, {"model": Lasso, "alpha": 0.1}),
        (forest_or_boosting, {"max_depth": 4}),
        (lambda alpha: make_pipeline(StandardScaler(), Ridge(alpha)), {"alpha": 2.0}),
    ],
)
def test_sound_params_pass(model, params):
    check_params(model, params)


@pytest.mark.parametrize(
    ("model", "params", "said"),
    [
        (xgboost.XGBRegressor, {"max_deph": 3}, "did you mean 'max_depth'"),
        (
            xgboost.XGBRegressor,
            {"max_depth": 6.0},
            r"max_depth draws 6.0: XGBRegressor needs an int \(wrap it: ",
        ),
        (xgboost.XGBRegressor, {"seed": 42.0}, "seed draws 42.0: XGBRegressor needs an int"),
        (xgboost.XGBRegressor, {"n_estimators": 10.0}, "n_estimators draws 10.0"),
        (xgboost.XGBRegressor, {"subsample": 1.5}, r"value 1.5 for Parameter subsample exceed bound \[0,1\]"),
        (xgboost.XGBRegressor, {"objective": "reg:linearr"}, "XGBRegressor: Unknown objective function"),
        (xgboost.XGBRegressor, {"rate_drop": 0.1}, "unknown parameter of XGBRegressor 'rate_drop'"),
        (forest_or_boosting, {"max_deph": 3}, "did you mean 'max_depth'"),
        (RandomForestRegressor, {"max_depht": 3}, "did you mean 'max_depth'.*min_samples_leaf"),
        (
            RandomForestRegressor,
            {"max_depth": 6.0},
            "max_depth draws 6.0: RandomForestRegressor needs an int",
        ),
        (HistGradientBoostingRegressor, {"max_iter": 50.0}, "max_iter draws 50.0"),
        (Lasso, {"alpha": -1.0}, "'alpha' parameter of Lasso must be"),
        (Lasso, {"alpha": -1.0, "max_iter": 5.0}, "Lasso"),
        (lambda alpha: make_pipeline(StandardScaler(), Ridge(alpha)), {"alpha": -2.0}, "parameter of Ridge"),
        (lambda alpha: make_pipeline(StandardScaler(), Ridge(alpha)), {"beta": 2.0}, "unexpected keyword"),
        (RandomForestClassifier, {"max_depth": 2}, "is a classifier"),
        (None, {"alpha": 2.0}, "no MODEL, and no key 'model'"),
        (None, {"model": Ridge()}, "give the class or a function"),
        (lambda **_: 3, {"alpha": 2.0}, r"gave a int without fit and predict\(\)"),
    ],
)
def test_unsound_params_are_refused_in_one_line(model, params, said):
    with pytest.raises(ValueError, match=said) as refused:
        check_params(model, params)
    assert "\n" not in str(refused.value)


def test_checking_warns_of_nothing(recwarn):
    check_params(xgboost.XGBRegressor, COURSE | {"booster": "gblinear"})
    assert not recwarn.list


def test_build_leaves_the_params_as_they_are():
    params = {"model": Ridge, "alpha": 2.0}
    assert build(None, params).alpha == 2.0
    assert params == {"model": Ridge, "alpha": 2.0}


@pytest.mark.parametrize(
    ("estimator", "wanted"),
    [
        (None, Encoding(False, False)),
        (xgboost.XGBRegressor(), Encoding(True, True)),
        (HistGradientBoostingRegressor(), Encoding(True, True)),
        (make_pipeline(xgboost.XGBRegressor()), Encoding(True, True)),
        (RandomForestRegressor(), Encoding(False, True)),
        (Ridge(), Encoding(False, False)),
        (make_pipeline(StandardScaler(), xgboost.XGBRegressor()), Encoding(False, False)),
    ],
)
def test_each_model_says_what_features_it_wants(estimator, wanted):
    assert encoding_of(estimator) == wanted


def test_importing_the_package_imports_no_library():
    code = (
        "import sys; from sweeps.models import build, check_params, fit; "
        "print([m for m in ('xgboost', 'sklearn', 'mlflow', 'scipy', 'hyperopt') if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
        ).stdout
        == "[]\n"
    )
