"""Which family of models? A conditional tree over boosting, trees and linear models.

Each option names its model under ``model``; the search learns about families and their ranges together.
Labels carry the family's name, since a label stands for one hyperparameter only.
"""

from math import log

from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.linear_model import ElasticNet, Ridge
from xgboost import XGBRegressor

SPACE = hp.choice(
    "model",
    [
        {
            # The ranges of xgboost.py, without those that matter least.
            "model": XGBRegressor,
            "learning_rate": hp.loguniform("xgboost_learning_rate", log(0.05), log(0.3)),
            "max_depth": scope.int(hp.quniform("xgboost_max_depth", 3, 10, 1)),
            "min_child_weight": hp.loguniform("xgboost_min_child_weight", log(1), log(100)),
            "subsample": hp.uniform("xgboost_subsample", 0.5, 1),
            "colsample_bytree": hp.uniform("xgboost_colsample_bytree", 0.5, 1),
            "n_estimators": 1000,
            "early_stopping_rounds": 30,
        },
        {
            # As gradient_boosting.py.
            "model": HistGradientBoostingRegressor,
            "learning_rate": hp.loguniform("hist_learning_rate", log(0.03), log(0.3)),
            "max_iter": scope.int(hp.qloguniform("hist_max_iter", log(50), log(500), 1)),
            "max_leaf_nodes": scope.int(hp.qloguniform("hist_max_leaf_nodes", log(8), log(128), 1)),
            "min_samples_leaf": scope.int(hp.qloguniform("hist_min_samples_leaf", log(3), log(100), 1)),
        },
        {
            # As extra_trees.py, shallower: here it sees one-hot columns of all features.
            "model": ExtraTreesRegressor,
            "max_depth": scope.int(hp.quniform("trees_max_depth", 4, 16, 1)),
            "n_estimators": scope.int(hp.quniform("trees_n_estimators", 20, 100, 1)),
            "min_samples_leaf": scope.int(hp.quniform("trees_min_samples_leaf", 1, 20, 1)),
            "max_features": hp.uniform("trees_max_features", 0.3, 1),
        },
        {
            # Linear models win on small tables, and take no time.
            "model": Ridge,
            "alpha": hp.loguniform("ridge_alpha", log(0.001), log(1000)),
        },
        {
            "model": ElasticNet,
            "alpha": hp.loguniform("elastic_alpha", log(0.001), log(10)),
            "l1_ratio": hp.uniform("elastic_l1_ratio", 0.05, 1),
            "max_iter": 5000,
        },
    ],
)

# The two families that win most often, before the draws begin.
FIRST = [
    {"model": "XGBRegressor", "xgboost_learning_rate": 0.1, "xgboost_max_depth": 6},
    {"model": "Ridge", "ridge_alpha": 1},
]
