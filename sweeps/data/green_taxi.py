"""NYC green taxi trips by the protocol of the public course: predict the duration of a trip at its pickup.

Source: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page
"""

from pathlib import Path

import pandas as pd

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
