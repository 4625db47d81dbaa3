"""A booster of folded columns translated back, as if it had been trained on the one-hot columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweeps.models.onehot import Columns
from sweeps.models.ubjson import decode, encode

_BETWEEN = 0.5
"""Between a category's 0.0 and its 1.0, so that dense rows are understood as well."""

_LISTS = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def unfold(model: bytes | bytearray, columns: Sequence[Columns], width: int) -> bytes:
    """Let each tree split one-hot columns where it splits categories.

    Args:
        model: what ``Booster.save_raw("ubj")`` gives; its trees split off one category at a time.
        columns: by feature of this model: the one-hot column of each code, or the number's own.
        width: how many columns there are.

    Returns:
        Another model in the same form. It gives the same predictions, bit for bit: leaves and their order
        stay, and every row takes the same way.

    Raises:
        IndexError: a tree splits off a code without a column.
    """
    found = decode(model)
    learner = found["learner"]
    learner["feature_types"] = []
    learner["learner_model_param"]["num_feature"] = str(width)
    booster = learner["gradient_booster"]
    for tree in booster.get("gbtree", booster)["model"]["trees"]:  # dart keeps its trees one level deeper
        tree.update(_unfolded(tree, columns))
        tree["tree_param"]["num_feature"] = str(width)
    return encode(found)


def _unfolded(tree: dict[str, Any], columns: Sequence[Columns]) -> dict[str, Any]:
    """The parts of a tree that change. Both sides of a split stay: the category is on the right."""
    by_category = tree["categories_nodes"]
    code = np.zeros(len(tree["split_indices"]), np.int64)
    code[by_category] = tree["categories"]
    inner = np.flatnonzero(tree["left_children"] >= 0)
    indices, conditions = tree["split_indices"].copy(), tree["split_conditions"].copy()
    missing_left = tree["default_left"].copy()
    indices[inner] = [columns[f][c] for f, c in zip(indices[inner], code[inner], strict=True)]
    conditions[by_category], missing_left[by_category] = _BETWEEN, 1
    return {
        "split_indices": indices,
        "split_conditions": conditions,
        "default_left": missing_left,
        "split_type": np.zeros_like(tree["split_type"]),
        **{name: tree[name][:0] for name in _LISTS},
    }
