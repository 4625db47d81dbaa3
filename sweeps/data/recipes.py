"""Which features a sweep takes: automatic ones, the dataset's own, or the user's. No heavy import."""

from typing import TYPE_CHECKING, Any

from sweeps.errors import SpaceError, unknown

if TYPE_CHECKING:
    from sweeps.data.datasets import Dataset


def choose_features(dataset: "Dataset", features: Any) -> Any:
    """None for automatic features, the name of a recipe, or the transformer that was given.

    Raises:
        SpaceError: a word that means nothing here.
    """
    if not isinstance(features, str):
        return features
    if features not in ("auto", "dataset"):
        raise SpaceError(
            "FEATURES", unknown("features", features, ("auto", "dataset")), "or give a transformer"
        )
    return dataset.recipe if features == "dataset" else None


def build_recipe(name: str) -> Any:
    """Give an unfitted scikit-learn transformer.

    Raises:
        KeyError: no recipe of this name.
    """
    from sweeps.data.taxi_features import course_features

    return {"green-taxi": course_features}[name]()
