"""Linear support vector regression: a linear model that far outliers cannot pull."""

from math import log

from hyperopt import hp
from sklearn.svm import LinearSVR

MODEL = LinearSVR
FEATURES = "dataset"

SPACE = {
    # The price of an error against the size of the weights; beyond 10 it takes minutes on 60 000 rows.
    "C": hp.loguniform("C", log(0.001), log(10)),
    # Errors below epsilon, in units of the target, are free: from all errors count to a coarse fit.
    "epsilon": hp.loguniform("epsilon", log(0.001), log(3)),
    # Absolute errors ignore outliers, squared ones are nearer to the rmse that is judged.
    "loss": hp.choice("loss", ["epsilon_insensitive", "squared_epsilon_insensitive"]),
    "dual": "auto",
    "max_iter": 2000,
}
