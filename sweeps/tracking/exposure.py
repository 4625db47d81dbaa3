"""What a store's address gives away before anything is sent."""

import os
import re
from urllib.parse import urlsplit

from sweeps.tracking.probe import shown

NEARBY = re.compile(r"localhost|127(\.\d+){3}|::1")
CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
"""With these MLflow signs in to a server; an address may hold user and password, too."""


def exposures(uri: str, typed: bool) -> list[str]:
    """Say how a store's password may become known to others, as warnings.

    Args:
        uri: of the store, as given.
        typed: whether it stood on the command line, which every user of this machine may read.
    """
    try:
        parts = urlsplit(uri)
        password, host = parts.password, parts.hostname or ""
    except ValueError:  # told later, as an error
        return []
    found = []
    if password and typed:
        better = "put the address into MLFLOW_TRACKING_URI instead"
        found.append(f"--tracking-uri {shown(uri)}: others on this machine can read its password; {better}")
    signs_in = password is not None or any(os.environ.get(name) for name in CREDENTIALS)
    if parts.scheme == "http" and signs_in and not NEARBY.fullmatch(host):
        found.append(f"MLflow {shown(uri)}: user and password travel unencrypted; use https")
    return found
