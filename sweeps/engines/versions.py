"""Whether a worker has the versions that the driver has: another one may give other figures, or none."""

from collections.abc import Mapping

from sweeps.environment import PACKAGES

COMPARED = tuple(name for name in PACKAGES if name != "mlflow")
"""Packages that trials depend on; workers never import MLflow."""


def difference(driver: Mapping[str, str], worker: Mapping[str, str]) -> str:
    """Say in what a worker's versions differ from the driver's, and what to type there; empty if in nothing.

    Args:
        driver: from ``sweeps.environment``; what it does not have is not compared.
        worker: likewise.
    """
    ours, theirs = _compared(driver), _compared(worker)
    odd = [name for name, version in ours.items() if theirs.get(name) != version]
    told = [f"{name} {theirs.get(name, 'is missing')} where the driver has {ours[name]}" for name in odd]
    pins = [f"{name}=={ours[name]}" for name in odd if name not in ("python", "sweeps")]
    return ", ".join(told) + (f" (type there: pip install {' '.join(pins)})" if pins else "")


def _compared(versions: Mapping[str, str]) -> dict[str, str]:
    """What is compared; of Python only what decides which packages it takes, such as 3.12."""
    python = ".".join(versions["python"].split(".")[:2])
    return {"python": python, **{name: versions[name] for name in COMPARED if name in versions}}
