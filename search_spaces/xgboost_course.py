"""XGBoost as the MLOps course tunes it: deep trees, up to 1000 rounds (slow: kept for comparison).

The course minimises the validation RMSE of green taxi trips over exactly these ranges.
"""

from hyperopt import hp
from hyperopt.pyll import scope
from xgboost import XGBRegressor

MODEL = XGBRegressor
FEATURES = "dataset"

SPACE = {
    # Up to 100 levels: one-hot columns split off one zone pair per level, so the course lets trees grow deep.
    "max_depth": scope.int(hp.quniform("max_depth", 4, 100, 1)),
    # Bounds of loguniform are exponents: 0.05 ... 1.
    "learning_rate": hp.loguniform("learning_rate", -3, 0),
    # 0.007 ... 0.37 and 0.002 ... 0.37: light regularisation of the leaf weights.
    "reg_alpha": hp.loguniform("reg_alpha", -5, -1),
    "reg_lambda": hp.loguniform("reg_lambda", -6, -1),
    # 0.37 ... 20 trips per leaf.
    "min_child_weight": hp.loguniform("min_child_weight", -1, 3),
    "objective": "reg:squarederror",
    "seed": 42,
    "n_estimators": 1000,
    "early_stopping_rounds": 50,
}

# Two sound starts, since a random one may take minutes: the middle of every range, and before it the same
# with a high learning rate, which needs half the rounds.
FIRST = [
    {
        "max_depth": 52,
        "learning_rate": rate,
        "reg_alpha": 0.05,
        "reg_lambda": 0.03,
        "min_child_weight": 2.7,
    }
    for rate in (0.45, 0.22)
]
