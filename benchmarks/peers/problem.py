"""The course's problem: green taxi trips of January 2023, validated on February.

Source: the MLflow week of the public MLOps course; the data is
https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import xgboost as xgb
from sklearn.datasets import load_diabetes
from sklearn.feature_extraction import DictVectorizer
from sklearn.model_selection import train_test_split

from search_spaces.xgboost_course import SPACE as COURSE

ROUNDS: int = COURSE["n_estimators"]
PATIENCE: int = COURSE["early_stopping_rounds"]
FIXED = {"objective": COURSE["objective"], "seed": COURSE["seed"]}
XGBOOST = {
    name: value for name, value in COURSE.items() if name not in ("n_estimators", "early_stopping_rounds")
}
"""The course's ranges for Hyperopt, from the file that our own sweep reads."""


class Rows(NamedTuple):
    """Encoded rows: ``X`` (rows, features), CSR for the trips; ``y`` (rows,) in minutes."""

    X_train: Any
    y_train: Any
    X_valid: Any
    y_valid: Any

    def matrices(self, threads: int | None = None) -> tuple[xgb.DMatrix, xgb.DMatrix]:
        """Build XGBoost's matrices."""
        return (
            xgb.DMatrix(self.X_train, self.y_train, nthread=threads),
            xgb.DMatrix(self.X_valid, self.y_valid, nthread=threads),
        )


def load(data: str) -> Rows:
    """Give the rows of ``green-taxi``, or of ``diabetes`` for a quick check."""
    if data == "diabetes":
        X, y = load_diabetes(return_X_y=True)
        X_train, X_valid, y_train, y_valid = train_test_split(X, y, random_state=0)
        return Rows(X_train, y_train, X_valid, y_valid)
    folder = Path(os.environ.get("SWEEPS_DATA_DIR", "data"))
    train, valid = (
        read_month(folder / f"green_tripdata_{month}.parquet") for month in ("2023-01", "2023-02")
    )
    vectorizer = DictVectorizer()
    return Rows(
        vectorizer.fit_transform(_features(train)),
        train["duration"].to_numpy(),
        vectorizer.transform(_features(valid)),
        valid["duration"].to_numpy(),
    )


def read_month(path: Path) -> pd.DataFrame:
    """Give the trips of 1 to 60 minutes with the course's columns."""
    frame = pd.read_parquet(path)
    minutes = (frame["lpep_dropoff_datetime"] - frame["lpep_pickup_datetime"]).dt.total_seconds() / 60
    frame = frame.assign(duration=minutes)[(minutes >= 1) & (minutes <= 60)]
    pair = frame["PULocationID"].astype(str) + "_" + frame["DOLocationID"].astype(str)
    return frame.assign(PU_DO=pair)


def _features(trips: pd.DataFrame) -> Any:
    return trips[["PU_DO", "trip_distance"]].to_dict(orient="records")
