"""Whether others may change what is about to be run or trusted."""

import os
import stat
from pathlib import Path


def exposed(path: Path) -> str:
    """Say who else may write a file, or put another in its place, as a warning; empty where nobody may.

    The group of one user alone, which many systems give to each, is not somebody else; nor are those who may
    write in a folder whose files are kept from each other, such as ``/tmp``.
    """
    if os.name != "posix":
        return ""
    for place in (path, path.parent):
        if who := writers(place):
            mode = "o-w" if who == "everybody" else "g-w"
            return f"{place} may be written by {who}, and it is code that you run (chmod {mode} {place})"
    return ""


def writers(place: Path) -> str:
    """Say who else may write a file or in a folder; empty where nobody may, or there is nothing."""
    try:
        status = place.stat()
    except OSError:  # told when it is read
        return ""
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "everybody"
    return _group(status.st_gid) if status.st_mode & stat.S_IWGRP else ""


def _group(number: int) -> str:
    """Name a group with other members than us; empty for one that is ours alone."""
    import grp
    import pwd

    try:
        group, me = grp.getgrgid(number), pwd.getpwuid(os.getuid())
    except KeyError:  # as in many containers, where nobody else is
        return ""
    own = group.gr_name == me.pw_name or number == 0
    return "" if own and set(group.gr_mem) <= {me.pw_name} else f"the group {group.gr_name}"
