"""XGBoost for the benchmark of memory: a few rounds; matrices and histograms are there after the first."""

from hyperopt import hp
from xgboost import XGBRegressor

MODEL = XGBRegressor

SPACE = {
    "learning_rate": hp.uniform("learning_rate", 0.09, 0.11),
    "max_depth": 8,
    "n_estimators": 30,
    "tree_method": "hist",
}
