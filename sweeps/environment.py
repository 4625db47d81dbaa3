"""What else decides a figure: versions, machine, threads. Kept with a sweep, compared on reproduction."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("sweeps", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "hyperopt", "mlflow")
"""Those whose version may change what a trial comes to."""


def environment(threads: int) -> dict[str, str]:
    """Give what a sweep runs with, as text by name.

    Args:
        threads: of one trial.

    Returns:
        ``python``, ``system``, ``machine``, ``threads``, and the version of each installed package of
        ``PACKAGES``.
    """
    found = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "threads": str(threads),
    }
    return found | {name: text for name in PACKAGES if (text := installed(name)) is not None}


def installed(package: str) -> str | None:
    """Give the version of an installed package; None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
