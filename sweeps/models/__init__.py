"""How a model is made, judged and trained: XGBoost, scikit-learn regressors, the user's own ``train()``.

Importing this package imports neither XGBoost nor scikit-learn.
"""

from sweeps.models.build import build
from sweeps.models.check import check_params, devices_of, unused_params
from sweeps.models.custom import fit_custom
from sweeps.models.encoding import encoding_of
from sweeps.models.fitted import Fitted
from sweeps.models.fitting import fit
from sweeps.models.pace import pace_of, rounds_of

__all__ = [
    "Fitted",
    "build",
    "check_params",
    "devices_of",
    "encoding_of",
    "fit",
    "fit_custom",
    "pace_of",
    "rounds_of",
    "unused_params",
]
