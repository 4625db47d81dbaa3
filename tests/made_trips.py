"""Small months of green taxi trips, made up: what takes the place of the public record in tests."""

from pathlib import Path

import numpy as np
import pandas as pd


def write_months(folder: Path, *months: int, rows: int = 400) -> None:
    """Write months of 2023 under their public names."""
    folder.mkdir(parents=True, exist_ok=True)
    for month in months:
        made_month(month, rows).to_parquet(folder / f"green_tripdata_2023-{month:02}.parquet")


def made_month(month: int, rows: int) -> pd.DataFrame:
    """Give trips that take four minutes and three more a mile, give or take two."""
    rng = np.random.default_rng(month)
    pickup = pd.Timestamp(2023, month, 1) + pd.to_timedelta(rng.integers(0, 27 * 86400, rows), "s")
    distance = rng.gamma(2, 1.5, rows)
    minutes = 4 + 3 * distance + rng.uniform(-2, 2, rows)
    whole = {name: rng.integers(1, 6, rows) for name in ("PULocationID", "DOLocationID", "VendorID")}
    floats = {name: rng.integers(1, 3, rows) * 1.0 for name in ("RatecodeID", "trip_type", "passenger_count")}
    return pd.DataFrame(
        {
            "lpep_pickup_datetime": pickup,
            "lpep_dropoff_datetime": pickup + pd.to_timedelta(60 * minutes, "s"),
            "trip_distance": distance,
            **whole,
            **floats,
        }
    )
