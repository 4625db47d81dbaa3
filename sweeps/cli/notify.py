"""``--notify``: who is told of a sweep."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import click

from sweeps.cli.output import warn
from sweeps.notify.target import OPTION, VARIABLE, Address, read_target

NEARBY = re.compile(r"localhost|127(\.\d+){3}|::1")


def _checked(ctx: click.Context, param: click.Parameter, texts: Sequence[str]) -> tuple[str, ...]:
    """Check that all of them can be told, before anything is started, and warn of what they give away.

    Raises:
        UsageError: one of them is no command and no web address.
    """
    for text in texts:
        target = read_target(text)
        if not isinstance(target, Address) or text.startswith(VARIABLE):
            continue
        parts = urlsplit(text)
        if parts.password is not None:
            better = f"put the address into a variable, and {OPTION} {VARIABLE}NAME"
            warn(f"{OPTION} {target.shown}: others on this machine can read its password; {better}")
        if (
            parts.password is not None
            and parts.scheme == "http"
            and not NEARBY.fullmatch(parts.hostname or "")
        ):
            warn(f"{OPTION} {target.shown}: user and password travel unencrypted; use https")
    return tuple(texts)


NOTIFY_OPTIONS = (
    click.option(
        OPTION,
        multiple=True,
        metavar="COMMAND|URL",
        callback=_checked,
        help="Tell it of a new best, the verdict and the end, as JSON.",
    ),
)
