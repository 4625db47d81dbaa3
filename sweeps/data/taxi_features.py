"""The features of the public course for green taxi trips."""

from operator import attrgetter, methodcaller
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


def course_features() -> Any:
    """The course's features, unfitted: one-hot ``PULocationID_DOLocationID`` and the distance.

    Two dictionary vectorizers side by side give the course's columns in its order: the pairs sort before the
    distance. They keep an explicit zero distance, which for XGBoost is not the same as an absent one.
    """
    pair = make_pipeline(
        FunctionTransformer(methodcaller("astype", "str")),
        FunctionTransformer(methodcaller("add", ["_", ""])),
        # Turned round and summed: pandas wants an axis by name only, which skops cannot keep.
        FunctionTransformer(methodcaller("astype", "object")),
        FunctionTransformer(attrgetter("T")),
        FunctionTransformer(methodcaller("sum")),
        FunctionTransformer(methodcaller("to_frame", "PU_DO")),
        *_vectorizer(),
    )
    distance = make_pipeline(*_vectorizer())
    parts = [("pair", pair, ["PULocationID", "DOLocationID"]), ("distance", distance, ["trip_distance"])]
    return ColumnTransformer(parts, sparse_threshold=1.0)


def _vectorizer() -> list[Any]:
    return [FunctionTransformer(methodcaller("to_dict", "records")), DictVectorizer()]
