"""Loops with one slot, ours and Hyperopt's own, and what they minimise."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hyperopt import STATUS_FAIL, STATUS_OK, Trials, fmin

from sweeps.search.searcher import Searcher
from sweeps.space.canonical import canonical
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Outcome, Point, Proposal, State
from tests.laws.make import outcome

Loss = Callable[[Any], float | None]


def loss(params: Any) -> float:
    """A smooth function of every number in nested params."""
    if isinstance(params, Mapping):
        return sum(loss(part) for part in params.values())
    if isinstance(params, list | tuple):
        return sum(loss(part) for part in params)
    return abs(float(params) - 0.3) if isinstance(params, int | float | np.number) else 0.0


def failing(params: Any) -> float | None:
    """The same, but a part of the space fails."""
    value = loss(params)
    return None if int(value * 1000) % 3 == 0 else value


def told(value: float | None) -> Outcome:
    """The outcome of a trial with this loss."""
    return outcome(state=State.FAILED) if value is None else outcome(value)


def points_of_fmin(space: SearchSpace, algo: Any, trials: int, seed: int, objective: Loss) -> list[Point]:
    """What Hyperopt's own loop visits."""

    def result(params: Any) -> dict[str, Any]:
        value = objective(params)
        return {"status": STATUS_FAIL} if value is None else {"status": STATUS_OK, "loss": value}

    rng, seen = np.random.default_rng(seed), Trials()
    fmin(result, space.expression, algo, trials, trials=seen, rstate=rng, show_progressbar=False)
    drawn = [doc["misc"]["vals"] for doc in seen._dynamic_trials]
    return [{label: value[0] for label, value in values.items() if len(value)} for values in drawn]


def asked(searcher: Searcher, trials: int, objective: Loss = loss) -> list[Proposal]:
    """What a loop with one slot asks, until there is no more."""
    proposals = []
    for number in range(trials):
        if (proposal := searcher.ask(number)) is None:
            break
        proposals.append(proposal)
        searcher.tell(number, told(objective(proposal.params)))
    return proposals


def points_of(searcher: Searcher, trials: int, objective: Loss) -> list[Point]:
    """What a loop with one slot visits."""
    return [dict(proposal.point) for proposal in asked(searcher, trials, objective)]


def keys_of(space: SearchSpace, points: Sequence[Point]) -> list[Any]:
    """What makes two of the points the same."""
    return [canonical(space.params(point), point) for point in points]


def first_repeat(space: SearchSpace, points: Sequence[Point]) -> int:
    """How many points are new before one comes again."""
    keys = keys_of(space, points)
    return next((n for n, key in enumerate(keys) if key in keys[:n]), len(keys))
