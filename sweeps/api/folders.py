"""The folder a sweep's report lies in."""


def folder_name(name: str) -> str:
    """Make a folder's name of a sweep's: it cannot leave the results folder."""
    legal = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".") or "sweep"
    return legal.encode()[:200].decode(errors="ignore")  # file systems count bytes
