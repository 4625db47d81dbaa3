"""Random forest as the MLOps course tunes it (hpo.py): few shallow trees, seconds a trial.

With the course's features, 15 trials and seed 42 this gives the course's published figures.
"""

from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.ensemble import RandomForestRegressor

MODEL = RandomForestRegressor
FEATURES = "dataset"

SPACE = {
    # One split to 20 levels: deeper trees on one-hot zone pairs take minutes.
    "max_depth": scope.int(hp.quniform("max_depth", 1, 20, 1)),
    # The error falls with the number of trees and flattens after some 50.
    "n_estimators": scope.int(hp.quniform("n_estimators", 10, 50, 1)),
    # Both keep leaves from holding single trips.
    "min_samples_split": scope.int(hp.quniform("min_samples_split", 2, 10, 1)),
    "min_samples_leaf": scope.int(hp.quniform("min_samples_leaf", 1, 4, 1)),
    "random_state": 42,
}
