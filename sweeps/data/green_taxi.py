"""NYC green taxi trips by the protocol of the public course: predict the duration of a trip at its pickup.

Source: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page
"""

from operator import attrgetter, methodcaller
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sweeps.data.parquet_file import read_parquet
from sweeps.errors import DataError

TARGET = "duration"
PICKUP, DROPOFF = "lpep_pickup_datetime", "lpep_dropoff_datetime"
CATEGORICAL = ("PULocationID", "DOLocationID", "RatecodeID", "trip_type", "VendorID")
NUMBERS = ("trip_distance", "passenger_count")
KNOWN_AT_PICKUP = (PICKUP, *CATEGORICAL, *NUMBERS)
"""Payment, amounts and the store-and-forward flag are known only after the trip."""


def read_month(path: Path) -> pd.DataFrame:
    """Trips of 1 to 60 minutes: what is known at pickup, and ``duration`` in minutes.

    Raises:
        DataError: not whole, or a column missing in that month.
    """
    frame = read_parquet(path, path.name)
    wanted = (*KNOWN_AT_PICKUP, DROPOFF)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        reason = f"no column {', '.join(missing)}; it is no month of green taxi trips as published since 2015"
        raise DataError(path.name, reason, "choose another month")
    minutes = (frame[DROPOFF] - frame[PICKUP]).dt.total_seconds() / 60
    kept = minutes.between(1, 60)
    trips = frame.loc[kept, list(KNOWN_AT_PICKUP)].reset_index(drop=True)
    return trips.assign(**{TARGET: minutes[kept].to_numpy()})


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
