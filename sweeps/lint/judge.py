"""All families of findings together."""

from collections.abc import Callable, Iterable, Iterator

from sweeps.errors import SpaceError
from sweeps.lint.bounds import check_bounds
from sweeps.lint.contents import check_contents
from sweeps.lint.device import check_own_device
from sweeps.lint.exposure import check_exposure
from sweeps.lint.finding import Finding, Severity, refused
from sweeps.lint.integers import check_integers
from sweeps.lint.labels import check_labels
from sweeps.lint.options import check_options
from sweeps.lint.points import check_points
from sweeps.lint.repeats import Repeats, check_repeats, repeats
from sweeps.lint.scale import check_scale
from sweeps.lint.training import check_training
from sweeps.space.search_space import SearchSpace, faults

Check = Callable[[SearchSpace], Iterator[Finding]]

READ: tuple[Check, ...] = (check_exposure, check_contents, check_labels, check_options)
"""Need no sound arguments."""
ARGUED: tuple[Check, ...] = (check_bounds, check_scale, check_integers, check_training)
DRAWN: tuple[Check, ...] = (check_points, check_own_device)


def judge(space: SearchSpace, trials: int | None = None) -> tuple[list[Finding], Repeats | None]:
    """List all that is found in a search space, the gravest first.

    Points are drawn only where nothing stands against it: then some 50, among them every option of every
    choice, are evaluated and shown to the model; nothing is trained.

    Args:
        space: as opened; it need not be sound.
        trials: of the sweep it is meant for; None leaves out how many points would repeat.

    Returns:
        The findings, and what was found of repeated points; None where nothing could be drawn.
    """
    found = [refused("arguments", error) for error in faults(space)]
    found += _all(READ, space)
    if not _refuses(found):
        found += _all(ARGUED, space)
        found += _all(DRAWN, space)
    counted = None
    if trials and not _refuses(found):
        try:
            counted = repeats(space, trials)
            found += check_repeats(space, counted)
        except SpaceError as error:
            found.append(refused("refused", error))
    order = list(Severity)
    return sorted(dict.fromkeys(found), key=lambda f: (order.index(f.severity), f.line or 0)), counted


def check_space(space: SearchSpace, trials: int | None = None) -> list[str]:
    """Refuse a search space that cannot work; give the warnings, one line each.

    Args:
        space: as loaded.
        trials: as for ``judge``.

    Raises:
        SpaceError: the first thing that cannot work, with the line where it can be found.
    """
    found, _ = judge(space, trials)
    if (error := refusal(found)) is not None:
        raise error
    return [finding.text for finding in found if finding.severity is Severity.WARNING]


def refusal(found: Iterable[Finding]) -> SpaceError | None:
    """Give the first of the errors; None where there is none."""
    return next((finding.error for finding in found if finding.severity is Severity.ERROR), None)


def _all(checks: Iterable[Check], space: SearchSpace) -> list[Finding]:
    return [finding for check in checks for finding in check(space)]


def _refuses(found: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in found)
