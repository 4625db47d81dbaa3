"""Where this user's caches lie. Standard library only."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Give ``SWEEPS_CACHE_DIR``, else ``$XDG_CACHE_HOME/sweeps``, else ``~/.cache/sweeps``."""
    if named := os.environ.get("SWEEPS_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "sweeps"
