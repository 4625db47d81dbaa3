"""Under which params of XGBoost folded one-hot columns give the same trees."""

from collections.abc import Mapping
from typing import Any

import numpy as np

_FREE = frozenset(
    (
        *("objective", "base_score", "scale_pos_weight", "huber_slope", "quantile_alpha"),
        *("tweedie_variance_power", "eval_metric", "n_jobs", "nthread", "verbosity", "validate_parameters"),
        *("random_state", "seed", "seed_per_iteration", "num_parallel_tree", "subsample"),
        *("learning_rate", "eta", "max_depth", "max_leaves", "max_bin", "grow_policy", "min_child_weight"),
        *("gamma", "min_split_loss", "max_delta_step", "reg_alpha", "alpha", "reg_lambda", "lambda"),
        *("rate_drop", "skip_drop", "one_drop", "sample_type", "normalize_type"),  # of dart
    )
)
"""They do not look at columns, whatever their value."""

_ONLY = {
    "booster": ("gbtree", "dart"),
    "tree_method": ("auto", "hist"),
    "device": ("cpu",),
    "sampling_method": ("uniform",),
    "colsample_bytree": (1,),
    "colsample_bylevel": (1,),
    "colsample_bynode": (1,),
}
"""Values under which they do not look at columns."""


def is_foldable(params: Mapping[str, Any], missing: float) -> bool:
    """Whether the trees are the same; params that are not known to be harmless are not.

    Args:
        params: as XGBoost's ``train`` takes them.
        missing: the value that stands for a missing one.
    """
    return bool(np.isnan(missing)) and all(
        name in _FREE or value in _ONLY.get(name, ()) for name, value in params.items()
    )


def smallest_side(params: Mapping[str, Any]) -> float:
    """The least number of training rows that any split leaves on a side; 0 where it is not known.

    With squared errors every row weighs 1, so ``min_child_weight`` counts rows.
    """
    if params.get("objective", "reg:squarederror") != "reg:squarederror" or "scale_pos_weight" in params:
        return 0.0
    return float(np.ceil(np.float32(params.get("min_child_weight", 1))))  # XGBoost keeps 32 bits of it
