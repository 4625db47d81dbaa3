"""Extremely randomised trees: a forest with random thresholds, faster than a random forest."""

from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.ensemble import ExtraTreesRegressor

MODEL = ExtraTreesRegressor
FEATURES = "dataset"

SPACE = {
    # Random thresholds need more levels than a random forest's best ones for the same fit.
    "max_depth": scope.int(hp.quniform("max_depth", 4, 30, 1)),
    # Averaging more trees never hurts; beyond 100 the gain is below the noise of a validation set.
    "n_estimators": scope.int(hp.quniform("n_estimators", 20, 100, 1)),
    # Each tree sees all rows, so small leaves overfit: up to 20 rows per leaf.
    "min_samples_leaf": scope.int(hp.quniform("min_samples_leaf", 1, 20, 1)),
    # The share of features tried per split; 1 is best with one strong feature, less decorrelates the trees.
    "max_features": hp.uniform("max_features", 0.3, 1),
}
