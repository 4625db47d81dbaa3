"""Whether XGBoost may train on rows that were binned while they were read.

Its histogram method bins the rows in any case. A ``QuantileDMatrix`` does so while it reads them; a
``DMatrix`` copies them first, at eight bytes a value in place of one. The bins are the same, and so are the
trees.
"""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

BINS = 256
"""XGBoost's own number, where ``max_bin`` is not given."""

_ONLY = {"booster": ("gbtree",), "tree_method": ("hist", "auto"), "device": ("cpu",)}
"""Values under which trees see nothing but bins; the first is XGBoost's own."""


def bins_of(params: Mapping[str, Any], X: Any) -> int | None:
    """Give the number of bins of each column; None where the rows themselves are needed.

    Sparse rows stay as they are: to bin 5 702 one-hot columns did not end within 300 s.

    Args:
        params: as XGBoost's ``train`` takes them; None for what is not given.
        X: training rows.
    """
    given = {name: value for name, value in params.items() if value is not None}
    seen = all(given.get(name, values[0]) in values for name, values in _ONLY.items())
    bins = given.get("max_bin", BINS)
    if hasattr(X, "tocsr") or not seen or given.keys() & {"updater", "process_type"}:
        return None
    return int(bins) if isinstance(bins, Integral) and int(bins) > 1 else None
