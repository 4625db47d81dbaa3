"""Which form of the features an estimator wants."""

from typing import Any

from sweeps.models.kinds import is_boosted, is_histogram, is_pipeline
from sweeps.trial import Encoding


def encoding_of(estimator: Any) -> Encoding:
    """The encoding for an estimator; None stands for the user's own ``train()``.

    A pipeline with steps before its regressor gets numbers without gaps: those steps would take category
    codes for quantities, and most refuse missing numbers.
    """
    if is_pipeline(estimator):
        return encoding_of(estimator[0]) if len(estimator) == 1 else Encoding(False, False)
    if is_boosted(estimator) or is_histogram(estimator):
        return Encoding(native_categories=True, keeps_missing=True)
    return Encoding(native_categories=False, keeps_missing=_takes_missing(estimator))


def _takes_missing(estimator: Any) -> bool:
    if not hasattr(estimator, "__sklearn_tags__"):
        return False
    from sklearn.utils import get_tags

    return bool(get_tags(estimator).input_tags.allow_nan)
