"""What a space draws: each point is evaluated and shown to the model, without training."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sweeps.errors import SpaceError, one_line
from sweeps.lint.contents import MAX_VALUE
from sweeps.lint.finding import Finding, Severity, find, refused
from sweeps.lint.integers import whole_labels
from sweeps.lint.labels import alike, bad_name
from sweeps.lint.proposal import log_uniform, uniform
from sweeps.space.hyperparameters import Hyperparameter
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point

DRAWS = 50
DRAW_SEED = 0
FAR = 3
"""Standard deviations from the mean at which a normal distribution is tried too."""


def check_points(space: SearchSpace) -> Iterator[Finding]:
    """Find the first point that cannot be a trial.

    Some 50 seeded points, with every option of every choice, both ends of all steps, and FIRST; then the
    tails of what has no bounds.
    """
    for point in _points(space):
        try:
            _check(space, point)
        except SpaceError as error:
            yield _told(space, error)
            return
    if space.train is None:
        yield from _unused(space)
    yield from _tails(space)


def _points(space: SearchSpace) -> Iterator[Point]:
    from sweeps.space.draws import draw_values

    forced = [*_options(space), *space.first_points(), *_ends(space)]
    for index, drawn in enumerate(draw_values(space, max(DRAWS, len(forced)), DRAW_SEED)):
        yield drawn | (forced[index] if index < len(forced) else {})


def _options(space: SearchSpace) -> Iterator[dict[str, Any]]:
    for found in space.hyperparameters:
        yield from (dict((*found.branch, (found.label, index))) for index in range(len(found.options)))


def _ends(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """The first and the last step of whatever has steps: fifty draws may well miss them."""
    for found in space.hyperparameters:
        if "q" in found.args or found.distribution == "randint":
            ends = (end for end in found.reach if math.isfinite(end))
            yield from ({**dict(found.branch), found.label: end} for end in ends)


def _unused(space: SearchSpace) -> Iterator[Finding]:
    """Params that the model takes without a word and does not use, in some option."""
    from sweeps.models import unused_params

    names = list[str]()
    for point in with_every_option(space):
        with suppress(SpaceError, ValueError):  # one refused for other reasons is not what is looked for here
            names += unused_params(space.model, evaluated(space, point))
    for name in dict.fromkeys(names):
        label = next((h.label for h in space.hyperparameters if h.path[-1:] == (name,)), None)
        what = f"{name} has no effect" if label is None else f"{label!r}: {name} has no effect"
        why, fix = "the model does not use it beside the other params", "leave it out"
        yield find(Severity.WARNING, "no-effect", space, label, what, why, fix)


def with_every_option(space: SearchSpace) -> Iterator[Point]:
    """Give a point for each option of each choice, and one more."""
    from sweeps.space.draws import draw_values

    drawn = next(draw_values(space, 1, DRAW_SEED))
    return ({**drawn, **option} for option in ({}, *_options(space)))


def _tails(space: SearchSpace) -> Iterator[Finding]:
    from sweeps.space.draws import draw_values

    drawn = next(draw_values(space, 1, DRAW_SEED))
    for found in space.hyperparameters:
        for value in _far(found):
            try:
                _check(space, drawn | dict(found.branch) | {found.label: value})
            except SpaceError as error:
                yield _unbounded(space, found, value, error)
                break


def _far(found: Hyperparameter) -> tuple[float, ...]:
    if "sigma" not in found.args:
        return ()
    mu, sigma, q = found.args["mu"], found.args["sigma"], found.args.get("q")
    ends = (mu - FAR * sigma, mu + FAR * sigma)
    if "log" in found.distribution:
        ends = (math.exp(ends[0]), math.exp(ends[1]))
    return ends if q is None else (round(ends[0] / q) * q, round(ends[1] / q) * q)


def _unbounded(space: SearchSpace, found: Hyperparameter, value: float, error: SpaceError) -> Finding:
    what = f"{found.label!r}: {found.written} has no bounds; at {value:.4g} a trial fails"
    low, high = sorted(_far(found))
    fix = log_uniform(found.label, low, high) if low > 0 else uniform(found.label, max(low, 0.0), high)
    told = f"did you mean {fix}?" if high > max(low, 0.0) else "use a distribution with bounds"
    return find(Severity.WARNING, "unbounded", space, found.label, what, error.wrong, told)


def _check(space: SearchSpace, point: Point) -> None:
    for label, value in point.items():
        if not math.isfinite(value):
            raise SpaceError(space.at(label), f"{label!r} draws {value}")
    params = evaluated(space, point)
    _check_params(space, params)
    if space.train is None:
        _check_model(space, params)


def evaluated(space: SearchSpace, point: Point) -> dict[str, Any]:
    """Give the params of a point.

    Raises:
        SpaceError: the expression cannot be evaluated there.
    """
    try:
        return space.params(point)
    except SpaceError:
        raise
    except Exception as error:
        text = f"SPACE cannot be evaluated at {dict(point)}: {type(error).__name__}: {error}"
        raise SpaceError(space.at(), text) from error


def _check_params(space: SearchSpace, params: Mapping[str, Any]) -> None:
    fixed = {".".join(constant.path) for constant in space.leaves[1]}
    logged = space.logged_params(params)
    for one, other in alike(logged):
        raise SpaceError(space.at(), f"params {one!r} and {other!r} differ only by case or Unicode form")
    for name, value in logged.items():
        if text := bad_name(name):
            raise SpaceError(space.at(name), f"param {one_line(f'{name!r:.80}')} {text}")
        if isinstance(value, float) and not math.isfinite(value) and name not in fixed:
            raise SpaceError(space.at(name), f"{name!r} draws {value}")
        if (length := len(str(value))) > MAX_VALUE:
            raise SpaceError(space.at(name), f"{name!r} is {length} characters; MLflow stores {MAX_VALUE}")


def _check_model(space: SearchSpace, params: Mapping[str, Any]) -> None:
    from sweeps.models import check_params

    try:
        check_params(space.model, params)
    except ValueError as error:
        found = _named(space, str(error))
        text = str(error).replace("scope.int(hp.quniform(...))", _as_whole(space, found))
        raise SpaceError(space.at(found.label if found else None), text) from error


def _named(space: SearchSpace, text: str) -> Hyperparameter | None:
    """The hyperparameter that an error of the model is about, by its label or its key."""
    for found in space.hyperparameters:
        if any(re.search(rf"\b{re.escape(name)}\b", text) for name in (found.label, *found.path[-1:])):
            return found
    return None


def _as_whole(space: SearchSpace, found: Hyperparameter | None) -> str:
    if found is None or "high" not in found.args or found.label in whole_labels(space):
        return "scope.int(hp.quniform(...))"
    low, high = (round(end) for end in found.reach)
    if "log" in found.distribution and low > 0:
        return log_uniform(found.label, low, high, whole=True)
    return uniform(found.label, low, high, whole=True) if high > low else "scope.int(hp.quniform(...))"


def _told(space: SearchSpace, error: SpaceError) -> Finding:
    found = _named(space, error.wrong)
    needs_int = "needs an int" in error.wrong
    return refused("float-for-int" if needs_int else "refused", error, found.label if found else None)
