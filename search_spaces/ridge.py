"""Ridge regression: a linear model with shrunk weights; one hyperparameter, the fastest baseline."""

from math import log

from hyperopt import hp
from sklearn.linear_model import Ridge

MODEL = Ridge
FEATURES = "dataset"

SPACE = {
    # As if that many rows said that all weights are zero: from none to as many as a small table has.
    "alpha": hp.loguniform("alpha", log(0.001), log(1000)),
}
