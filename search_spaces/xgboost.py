"""XGBoost with modern ranges: native categories, subsampling, rounds set by early stopping."""

from math import log

from hyperopt import hp
from hyperopt.pyll import scope
from xgboost import XGBRegressor

MODEL = XGBRegressor

SPACE = {
    # Early stopping sets the number of rounds, so the rate trades time for accuracy: below 0.05 a trial on
    # 66 000 rows takes three times as long for 0.02 of rmse, above 0.3 it stops after too few trees.
    "learning_rate": hp.loguniform("learning_rate", log(0.05), log(0.3)),
    # Interactions between 3 and 10 features; with native categories nothing needs deeper trees.
    "max_depth": scope.int(hp.quniform("max_depth", 3, 10, 1)),
    # Rows per leaf (for squared error): from 1 for small tables to 100 for noisy large ones.
    "min_child_weight": hp.loguniform("min_child_weight", log(1), log(100)),
    # Rows and columns per tree. Without subsampling the best trial on taxi trips loses 0.2 of rmse;
    # below one half each tree sees too little.
    "subsample": hp.uniform("subsample", 0.5, 1),
    "colsample_bytree": hp.uniform("colsample_bytree", 0.5, 1),
    # From next to none to strong. reg_alpha acts on sums of residuals, in units of the target: kept small.
    "reg_lambda": hp.loguniform("reg_lambda", log(0.01), log(100)),
    "reg_alpha": hp.loguniform("reg_alpha", log(0.001), log(10)),
    # A ceiling that early stopping rarely lets a trial reach; it bounds the time of a trial.
    "n_estimators": 1000,
    "early_stopping_rounds": 30,
    "tree_method": "hist",
}

# A sound start: the first trial is already a good model, whatever the search finds later.
FIRST = [
    {
        "learning_rate": 0.1,
        "max_depth": 8,
        "min_child_weight": 10,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "reg_lambda": 1,
        "reg_alpha": 0.01,
    }
]
