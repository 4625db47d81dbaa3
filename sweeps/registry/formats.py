"""Models on disk in a format that runs no code when loaded, restricted to types we know."""

import io
import re
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import SpaceError, StoreError
from sweeps.registry.calls import forbidden_calls

if TYPE_CHECKING:
    import pandas as pd

SKOPS_FILE = "model.skops"
MLMODEL_BYTES = 2**20

TRUSTED = re.compile(
    r"operator\.(methodcaller|attrgetter|itemgetter)|numpy\.dtype"
    r"|xgboost\.core\.Booster|xgboost\.sklearn\.XGB(RF)?Regressor"
    r"|sklearn\.tree\._tree\.Tree"
    r"|sklearn\.ensemble\._hist_gradient_boosting\.predictor\.TreePredictor"
    r"|functools\.partial|sklearn\.utils\.validation\.check_array"  # of HistGradientBoosting with categories
    r"|sklearn\.neighbors\._(kd|ball)_tree\.(KD|Ball)Tree"
    r"|sklearn\.metrics\._dist_metrics\.\w+Distance64"
    r"|sklearn\.neural_network\._stochastic_optimizers\.(Adam|SGD)Optimizer"
    r"|sklearn\._loss\.loss\.\w+Loss\w*"
    r"|sklearn\.gaussian_process\.kernels\.\w+"
    r"|sklearn\.feature_selection\._(univariate_selection|mutual_info)\.(f|r|mutual_info)_(regression|classif)"
    r"|scipy\.interpolate\._bsplines\.BSpline|scipy\._lib\.array_api_compat\.numpy\._aliases\.asarray"
)
"""Types beyond those skops knows itself that hold figures, not code (from scikit-learn's own estimators)."""

DISTRIBUTIONS = ("scikit-learn", "skops", "numpy", "pandas", "scipy")


def save_checked(pipeline: Any, example: "pd.DataFrame", folder: Path, model_id: str) -> None:
    """Write a pipeline as an MLflow model of the skops format.

    Args:
        pipeline: fitted, from raw rows to predictions.
        example: a few raw rows, for the signature and as input example.
        folder: made here.
        model_id: of the logged model it becomes.

    Raises:
        SpaceError: it holds a type that is not on our list, or one that skops cannot write.
    """
    import mlflow.sklearn
    from mlflow.models import Model, infer_signature

    extra = untrusted_types(pipeline)
    packages = [*DISTRIBUTIONS, *(["xgboost"] if any(t.startswith("xgboost.") for t in extra) else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints on integer columns, of no use to whoever runs a sweep
        mlflow.sklearn.save_model(
            pipeline,
            str(folder),
            mlflow_model=Model(model_uuid=model_id, model_id=model_id),
            serialization_format="skops",
            skops_trusted_types=extra,
            signature=infer_signature(example, pipeline.predict(example)),
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in packages],
        )


def untrusted_types(pipeline: Any) -> list[str]:
    """Give the types in a pipeline that skops wants to be told about; all of them are on our list.

    Raises:
        SpaceError: one is not, or skops cannot write the pipeline.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        written = skops.io.dumps(pipeline)
        types: list[str] = skops.io.get_untrusted_types(data=written)
    except (UnsupportedTypeException, TypeError, AttributeError) as error:
        raise SpaceError(
            "the model", f"skops cannot write it: {error}", "only safe formats are registered"
        ) from error
    strange = [name for name in types if not TRUSTED.fullmatch(name)]
    if strange := strange or forbidden_calls(io.BytesIO(written)):
        raise SpaceError(
            "the model",
            f"holds {', '.join(strange)}, which is on no list of what is safe",
            "only safe formats are registered: use a regressor of scikit-learn or XGBoost, or --no-register",
        )
    return types


def load_checked(folder: Path, name: str) -> Any:
    """Load a model that was written in the skops format, whatever its own description claims.

    Args:
        folder: with ``MLmodel`` in it.
        name: of the model, for messages.

    Raises:
        StoreError: it is of another format, brings code, or holds a type or a call that is not on our lists.
    """
    import skops.io

    path = folder / _skops_file(folder, name)
    try:
        types = skops.io.get_untrusted_types(file=path)
        strange = [t for t in types if not TRUSTED.fullmatch(t)] or forbidden_calls(str(path))
        if not strange:
            return skops.io.load(path, trusted=types)
    except Exception as error:  # what a hostile file makes a reader raise is no bug of ours
        wrong = f"cannot be read: {type(error).__name__}: {error}"[:300]
        raise StoreError(f"model {name}", wrong) from error
    raise StoreError(f"model {name}", f"holds {', '.join(strange)}, which is on no list of what is safe")


def _skops_file(folder: Path, name: str) -> str:
    described = folder / "MLmodel"
    if not described.is_file():
        raise StoreError(f"model {name}", "has no MLmodel file, it is not whole")
    flavors = _flavors(described, name)
    if (flavors.get("sklearn") or {}).get("serialization_format") != "skops":
        kinds = ", ".join(sorted(flavors)) or "none"
        raise StoreError(f"model {name}", f"is not a scikit-learn model in skops format (flavors: {kinds})")
    if any(flavor.get("code") for flavor in flavors.values()):
        raise StoreError(f"model {name}", "brings code of its own, which is never run")
    if not (folder / SKOPS_FILE).is_file():
        raise StoreError(f"model {name}", f"has no {SKOPS_FILE}, it is not whole")
    return SKOPS_FILE


def _flavors(described: Path, name: str) -> dict[str, dict[str, Any]]:
    """Read the flavors of an MLmodel file; those that are no mapping are left out."""
    import yaml  # type: ignore[import-untyped]  # it ships no types; MLflow brings it

    if described.stat().st_size > MLMODEL_BYTES:
        raise StoreError(f"model {name}", f"has an MLmodel file of more than {MLMODEL_BYTES} bytes")
    try:
        content = yaml.safe_load(described.read_text("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise StoreError(f"model {name}", "has an MLmodel file that cannot be read") from error
    flavors = content.get("flavors") if isinstance(content, dict) else None
    found = flavors.items() if isinstance(flavors, dict) else ()
    return {str(key): value for key, value in found if isinstance(value, dict)}
