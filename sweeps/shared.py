"""Files of the driver that lie elsewhere on a worker: where a task finds them.

A task names files by their paths on the driver. Whoever runs it on another machine has brought them there and
says where; on the driver's own machine a path is what it says.
"""

import os
from collections.abc import Mapping

Places = Mapping[str, str]
"""From a folder of the driver to the one here with the same files."""

_PLACES: dict[str, str] = {}


def lie_at(places: Places) -> None:
    """Say where the driver's folders lie, for all that this process runs from now on."""
    _PLACES.clear()
    _PLACES.update(places)


def here(path: str) -> str:
    """Give the path here of a file or folder of the driver.

    Args:
        path: absolute, as the driver names it.
    """
    for folder in sorted(_PLACES, key=len, reverse=True):
        if path == folder or path.startswith(folder + os.sep):
            return _PLACES[folder] + path[len(folder) :]
    return path
