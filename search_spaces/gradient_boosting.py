"""scikit-learn's histogram gradient boosting: native categories and missing values, no extra package."""

from math import log

from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.ensemble import HistGradientBoostingRegressor

MODEL = HistGradientBoostingRegressor

SPACE = {
    # Rate and rounds belong together: both on a log scale. Above 10 000 rows scikit-learn stops early by
    # itself, so max_iter is a ceiling there and a real choice on small tables.
    "learning_rate": hp.loguniform("learning_rate", log(0.03), log(0.3)),
    "max_iter": scope.int(hp.qloguniform("max_iter", log(50), log(500), 1)),
    # The size of a tree; trees grow best leaf first, so depth is left free.
    "max_leaf_nodes": scope.int(hp.qloguniform("max_leaf_nodes", log(8), log(128), 1)),
    # 20 is scikit-learn's default; small tables want less, noisy ones more.
    "min_samples_leaf": scope.int(hp.qloguniform("min_samples_leaf", log(3), log(100), 1)),
    "l2_regularization": hp.loguniform("l2_regularization", log(0.001), log(10)),
    # The share of features tried per split.
    "max_features": hp.uniform("max_features", 0.4, 1),
    "n_iter_no_change": 20,
}
