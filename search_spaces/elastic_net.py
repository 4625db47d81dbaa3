"""Elastic net: between ridge and lasso, for many correlated features."""

from math import log

from hyperopt import hp
from sklearn.linear_model import ElasticNet

MODEL = ElasticNet

SPACE = {
    # The strength of both penalties together; see lasso for the bounds.
    "alpha": hp.loguniform("alpha", log(0.001), log(10)),
    # The share of the lasso. Below 0.05 the solver is slow and unreliable: use ridge there.
    "l1_ratio": hp.uniform("l1_ratio", 0.05, 1),
    "max_iter": 5000,
}
