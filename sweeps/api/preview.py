"""``preview``: what a sweep of a search space would be like, before it runs; nothing is recorded or kept."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeps.api.encodings import Encodings
from sweeps.data.cache import DataCache
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.spec import DataSpec
from sweeps.engines import Engine
from sweeps.lint.finding import Finding
from sweeps.lint.judge import judge, refusal
from sweeps.preview.branches import Branch, covering, find_branches
from sweeps.preview.disk import Disk, Tracking, disk, tracking
from sweeps.preview.draws import point_in, timed_points
from sweeps.preview.marginals import Marginal, marginals
from sweeps.preview.rows import made_up, part
from sweeps.preview.trying import Tried, Trier, row_steps, time_trials
from sweeps.preview.wall_time import Timing, WallTime, wall_time
from sweeps.scratch import scratch_folder
from sweeps.search.searcher import Searcher, trial_seed
from sweeps.space.draws import draw_points
from sweeps.space.search_space import SearchSpace, open_space
from sweeps.trial import Point, Proposal, Setup, State, Task
from sweeps.worker import run_trial

FEW_ROWS = 200
MANY_DRAWS = 2000
MOST_DRY = 12
TIMED, MORE_TIMED = 12, 6
"""Points that are timed, and how many of them at least beside those of the branches."""


@dataclass(frozen=True)
class Forecast:
    """What a sweep would take."""

    trials: int
    workers: int
    threads: int
    rows: int
    """Training rows."""
    time: WallTime
    slowdown: float
    """How many times as long a trial takes while all workers train."""
    disk: Disk
    tracking: Tracking


@dataclass(frozen=True)
class Preview:
    """All that can be said before a sweep."""

    space: SearchSpace
    seed: int
    findings: list[Finding]
    draws: list[Proposal]
    """The points that a sweep with this seed begins with; once it has learned, other ones follow."""
    marginals: list[Marginal]
    branches: list[Branch]
    tried: list[Tried]
    """One trial on few rows for each branch, or for some that have every option among them."""
    data: str
    made_up: bool
    """Whether the rows were made up, as no data was named."""
    forecast: Forecast | None
    """None where no trial worked."""
    warnings: list[str]


@dataclass(frozen=True)
class Wish:
    """What is asked of a preview."""

    space: str
    data: DataSpec | None = None
    """None: rows are made up."""
    rows: int = 10_000
    """Training rows to forecast for where they are made up."""
    draws: int = 10
    trials: int = 20
    seed: int = 0
    budget: float = 3.0
    """Seconds for timed trials."""
    features: str | None = None
    top: int = 5


def preview(wish: Wish, engine: Engine) -> Preview:
    """Look at a search space from all sides.

    Args:
        wish: what to look at.
        engine: open, as for the sweep; its slots are the workers of the forecast.

    Raises:
        SpaceError: the space cannot work.
        DataError: the data cannot be used.
    """
    space = open_space(wish.space)
    found, _ = judge(space, wish.trials)
    if (error := refusal(found)) is not None:
        raise error
    dataset = load_dataset(wish.data) if wish.data is not None else made_up(wish.rows)
    points = draw_points(space, MANY_DRAWS, wish.seed)
    branches = find_branches(space)
    with scratch_folder() as scratch, DataCache(None) as cache:
        tasks = _Tasks(space, dataset, wish, engine.threads, scratch, cache)
        trier = Trier(engine, run_trial, tasks.task)
        few = min(FEW_ROWS, len(dataset.train.y))
        dry = [(b, point_in(space, b, points, wish.seed)) for b in covering(branches, MOST_DRY)]
        trier.warm(dry[0][1], few)
        tried = [trier.dry(branch, point, few) for branch, point in dry]
        worked = [(t, p) for t, (_, p) in zip(tried, dry, strict=True) if t.outcome.state is State.COMPLETE]
        forecast = _forecast(space, wish, engine, len(dataset.train.y), branches, worked, trier)
    return Preview(
        space,
        wish.seed,
        found,
        first_points(space, wish.draws, wish.seed),
        marginals(space, points),
        branches,
        tried,
        dataset.name,
        wish.data is None,
        forecast,
        [*dataset.warnings, *tasks.warnings],
    )


def first_points(space: SearchSpace, count: int, seed: int) -> list[Proposal]:
    """Give the points that a sweep with this seed begins with: FIRST, then random draws."""
    searcher = Searcher(space, "random", seed)
    asked = (searcher.ask(number) for number in range(count))
    return [proposal for proposal in asked if proposal is not None]


class _Tasks:
    """Makes tasks, with the data encoded for each number of rows."""

    def __init__(
        self, space: SearchSpace, dataset: Dataset, wish: Wish, threads: int, scratch: Path, cache: DataCache
    ) -> None:
        self._space, self._dataset, self._wish = space, dataset, wish
        self._threads, self._scratch, self._cache = threads, scratch, cache
        self._known: dict[int, Encodings] = {}

    def task(self, point: Point, rows: int, keep: bool) -> Task:
        """Make the task of a point."""
        params = self._space.params(point)
        folder = self._encodings(rows).of(params).folder
        setup = Setup(str(self._space.path), self._space.digest, str(folder), self._threads)
        seed = trial_seed(self._wish.seed, 0)
        return Task(0, point, seed, setup, keep_below=math.inf if keep else -math.inf)

    @property
    def warnings(self) -> list[str]:
        """What encoding found worth telling, without repeats."""
        return list(dict.fromkeys(text for known in self._known.values() for text in known.warnings))

    def _encodings(self, rows: int) -> Encodings:
        if rows not in self._known:
            dataset, folder = part(self._dataset, rows), self._scratch / str(rows)
            given = dataset, dataset, self._space, self._wish.features, folder
            self._known[rows] = Encodings(*given, self._cache)
        return self._known[rows]


def _forecast(
    space: SearchSpace,
    wish: Wish,
    engine: Engine,
    rows: int,
    branches: Sequence[Branch],
    worked: Sequence[tuple[Tried, Point]],
    trier: Trier,
) -> Forecast | None:
    """Time trials, those that worked on few rows and others, and forecast a sweep from them."""
    if not worked:
        return None
    fine = {option for tried, _ in worked for option in tried.branch.options.items()}
    usable = [branch for branch in branches if fine.issuperset(branch.options.items())]
    points = [(tried.branch, point) for tried, point in worked]
    points += timed_points(space, usable, max(TIMED - len(points), MORE_TIMED), wish.seed)
    known = [Timing(i, t.branch.name, t.rows, t.seconds) for i, (t, _) in enumerate(worked)]
    steps = row_steps(min(FEW_ROWS, rows), rows)
    timings = time_trials(trier, points, steps, wish.budget, known)
    longest = max(timings, key=lambda t: t.seconds)
    slowdown = trier.slowdown(*points[longest.point], longest.rows, longest.seconds)
    shares = {branch.name: branch.share for branch in usable}
    workers = min(engine.slots, wish.trials)
    time = wall_time(timings, shares, rows, wish.trials, workers, slowdown)
    needs = _disk(space, [tried for tried, _ in worked], wish)
    return Forecast(wish.trials, workers, engine.threads, rows, time, slowdown, needs, tracking(wish.trials))


def _disk(space: SearchSpace, worked: Sequence[Tried], wish: Wish) -> Disk:
    """Forecast from the dry trials: their models are those of few rows."""
    outcomes = [tried.outcome for tried in worked]
    params = statistics.fmean(_count(space, point) for point in draw_points(space, 50, wish.seed))
    steps = statistics.fmean(len(outcome.curve) for outcome in outcomes)
    model = max(len(outcome.model or b"") for outcome in outcomes)
    return disk(wish.trials, params, steps, model, wish.top)


def _count(space: SearchSpace, point: Point) -> int:
    return len(space.logged_params(space.params(point)))
