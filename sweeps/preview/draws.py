"""The points a sweep would begin with, and points of every branch."""

from collections.abc import Sequence

from sweeps.preview.branches import Branch
from sweeps.space.draws import draw_points, draw_values
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point


def point_in(space: SearchSpace, branch: Branch, drawn: Sequence[Point], seed: int) -> Point:
    """Give the first of some points that takes a branch; one of its own where the branch is rare."""
    found = next((point for point in drawn if branch.holds(point)), None)
    return found if found is not None else {**next(draw_values(space, 1, seed)), **branch.options}


def timed_points(
    space: SearchSpace, branches: Sequence[Branch], count: int, seed: int
) -> list[tuple[Branch, Point]]:
    """Draw points to time: of each branch in turn, so that each is among them."""
    drawn = draw_points(space, 40 * count, seed)
    queues = {branch.name: [point for point in drawn if branch.holds(point)] for branch in branches}
    chosen = list[tuple[Branch, Point]]()
    for turn in range(count):
        for branch in branches:
            if turn < len(queues[branch.name]) and len(chosen) < count:
                chosen.append((branch, queues[branch.name][turn]))
    return chosen
