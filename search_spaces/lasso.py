"""Lasso: a linear model that drops features; one hyperparameter."""

from math import log

from hyperopt import hp
from sklearn.linear_model import Lasso

MODEL = Lasso
FEATURES = "dataset"

SPACE = {
    # In units of the target per scaled feature. The course uses 0.01; at 10 little is left of most models,
    # below 0.001 the solver crawls and the result is least squares.
    "alpha": hp.loguniform("alpha", log(0.001), log(10)),
    "max_iter": 5000,
}
