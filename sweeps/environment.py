"""What else decides a figure: versions, machine, threads, device. Kept with a sweep, compared later."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("sweeps", "numpy", "scipy", "pandas", "scikit-learn", "xgboost", "hyperopt", "mlflow")
"""Those whose version may change what a trial comes to."""


def environment(threads: int, device: str = "cpu") -> dict[str, str]:
    """Give what a sweep runs with, as text by name.

    Args:
        threads: of one trial.
        device: ``cpu`` or ``cuda``.

    Returns:
        ``python``, ``system``, ``machine``, ``threads``, ``device``, and the version of each installed
        package of ``PACKAGES``.
    """
    found = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "threads": str(threads),
        "device": device,
    }
    return found | {name: text for name in PACKAGES if (text := installed(name)) is not None}


def installed(package: str) -> str | None:
    """Give the version of an installed package; None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
