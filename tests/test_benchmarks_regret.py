"""The benchmarks that simulate: what they look up, their virtual clock, and both commands in a tiny run."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks import regret, staleness
from benchmarks.problems import NAMES, RECORDED, problem
from benchmarks.pruned_time import Judged, Known, Simulation, best_so_far, outcome
from benchmarks.recorded import space
from benchmarks.recorded.lookup import load
from benchmarks.recorded.record import record
from benchmarks.staleness import NONE, Way, random_sweep, trials_of
from benchmarks.virtual_time import run
from sweeps.pruning import Watch, open_pruner, survives
from sweeps.search.searcher import Searcher
from sweeps.trial import Cutoffs, Outcome, State

# recordings


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_is_whole(name: str) -> None:
    table = load(name)
    assert len(table) == 2048
    assert table.optimum == min(one.best for one in table.recordings)
    for one in table.recordings:
        steps, values = zip(*one.curve, strict=True)
        assert all(before < after for before, after in pairwise(steps))
        assert steps[-1] < one.rounds <= space.MOST_ROUNDS
        assert min(values) == one.best
        assert one.seconds > 0


def test_the_nearest_recording_of_a_recorded_point_is_its_own() -> None:
    table = load("friedman")
    for place in range(0, len(table), 200):
        assert table.near(space.params_at(table.units[place])).best == table.recordings[place].best


def test_a_point_in_the_unit_cube_survives_the_way_there_and_back() -> None:
    for unit in np.random.default_rng(0).random((20, len(space.LABELS))):
        back = space.unit_at(space.params_at(unit))
        assert back[:-1] == pytest.approx(unit[:-1])
        assert abs(back[-1] - unit[-1]) <= 0.5 / 7, "a depth stands for a seventh of its side"


def test_the_same_points_are_recorded_again(tmp_path: Path) -> None:
    with np.load(record("diabetes", 4, tmp_path)) as made:
        table = load("diabetes")
        assert made["unit"] == pytest.approx(table.units[:4], abs=1e-6)
        assert made["best"] == pytest.approx([one.best for one in table.recordings[:4]], rel=0.02)


# problems and the clock


@pytest.mark.parametrize("name", NAMES)
def test_no_point_is_better_than_the_optimum(name: str) -> None:
    what = problem(name)
    ends = list(run(what, Searcher(what.space, "random", 0), 1, 100))
    assert min(what.regret(one.value) for one in ends) >= -1e-4


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("branin", {"x0": math.pi, "x1": 2.275}),
        (
            "hartmann6",
            {f"x{i}": x for i, x in enumerate((0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573))},
        ),
        ("rosenbrock4", {f"x{i}": 1 for i in range(4)}),
        ("rastrigin5", {f"x{i}": 0 for i in range(5)}),
        ("ackley5", {f"x{i}": 0 for i in range(5)}),
        ("mixed", {"family": {"name": "boosting", "rate": 0.07, "depth": 6, "sample": 0.7, "penalty": "l2"}}),
    ],
)
def test_the_optimum_is_where_the_textbook_says(name: str, params: dict[str, object]) -> None:
    what = problem(name)
    assert what.regret(what.value(params)) == pytest.approx(0, abs=1e-5)


def test_slots_change_the_time_but_not_the_work() -> None:
    what = problem("branin")
    one, four = (list(run(what, Searcher(what.space, "random", 3), slots, 40)) for slots in (1, 4))
    assert {e.number: e.value for e in one} == {e.number: e.value for e in four}
    assert [e.number for e in one] == list(range(40))
    assert sorted(e.time for e in four) == [e.time for e in four]
    assert one[-1].time / 4 <= four[-1].time < one[-1].time / 2


def test_one_slot_visits_what_an_ordinary_loop_visits() -> None:
    what = problem("mixed")
    ends = list(run(what, Searcher(what.space, "tpe", 1), 1, 30))
    trials = regret.sweep(what, 1, 30, 2)
    assert trials.regret[1].tolist() == np.minimum.accumulate([what.regret(e.value) for e in ends]).tolist()


def test_time_to_a_regret_is_that_of_the_median_seed() -> None:
    made = regret.Sweeps(
        np.array([[3.0, 1.0], [3.0, 2.0], [0.5, 0.5]]), np.array([[1.0, 4.0], [1.0, 5.0], [2.0, 6.0]])
    )
    assert made.time_to(1) == 4
    assert made.time_to(0.5) == math.inf
    assert made.quartiles(2)[1] == 1


# pruning in virtual time


def each(trials: Iterable[Judged]) -> Callable[[], tuple[int, Judged] | None]:
    numbered = enumerate(trials)
    return lambda: next(numbered, None)


def as_a_worker(trial: Judged, pace: float, cutoffs: Cutoffs, *, forecast: bool) -> Outcome:
    """The outcome of a trial whose every round goes before the watch of its task."""
    watch, last = survives(cutoffs, forecast=forecast), trial.recording.rounds - 1
    if isinstance(watch, Watch):
        watch.pace = pace
    else:
        watch.most = space.MOST_ROUNDS
    for step, rmse in enumerate(best_so_far(trial.recording)):
        if not watch(step, rmse) and step < last:
            break
    if step < last:
        return Outcome(State.PRUNED, watch.figure, curve=watch.curve, rungs=watch.rungs, error=watch.reason)
    return Outcome(State.COMPLETE, trial.recording.best, curve=watch.curve, rungs=watch.rungs)


@pytest.mark.parametrize("way", [Way("forecast"), Way("asha"), Way("median", {"min_rounds": "10"})], ids=str)
def test_simulated_trials_end_where_workers_would_end_them(way: Way) -> None:
    trials, units = trials_of("diabetes", way)[:80], load("diabetes").units
    simulation = Simulation(open_pruner(way.name, way.options), Known.SUBMITTED, 1, each(trials))
    known, rounds = open_pruner(way.name, way.options), []
    for place, trial in enumerate(trials):
        pace = space.params_at(units[place])["learning_rate"] / 0.1
        ended = as_a_worker(trial, pace, known.cutoffs(), forecast=known.forecasts)
        known.learn(ended)
        rounds.append(len(ended.curve))
    assert [ended.rounds for ended in simulation.run()] == rounds
    assert sum(rounds) < 0.9 * sum(trial.recording.rounds for trial in trials)


def test_without_a_pruner_every_trial_takes_its_time() -> None:
    trials = trials_of("friedman", NONE)[:40]
    ends = list(Simulation(open_pruner("none", {}), Known.SUBMITTED, 4, each(trials)).run())
    assert {ended.rmse for ended in ends} == {trial.recording.best for trial in trials}
    work = sum(trial.recording.seconds for trial in trials)
    assert work / 4 <= ends[-1].time <= work / 4 + max(trial.recording.seconds for trial in trials)


@pytest.mark.parametrize("name", ["forecast", "median"])
def test_with_one_slot_no_cutoff_is_stale(name: str) -> None:
    stale, fresh = (
        random_sweep("diabetes", Way(name, known=known), 1, 5, 60)
        for known in (Known.SUBMITTED, Known.FINISHED)
    )
    assert stale == fresh


def test_a_live_channel_knows_what_still_runs() -> None:
    """Two equal trials at once: the one behind meets the figure of the one ahead, and is not worse."""
    way = Way("asha", {"min_trials": "1", "eta": "2"})
    ahead, behind = first_that_overtakes([trial for trial in trials_of("friedman", way) if trial.rungs])
    by = {
        known: list(Simulation(open_pruner(way.name, way.options), known, 2, each([ahead, behind])).run())
        for known in (Known.FINISHED, Known.LIVE)
    }
    assert all(ended.rung is None for ended in by[Known.FINISHED])
    assert [ended.trial for ended in by[Known.LIVE] if ended.rung] == [behind]


def first_that_overtakes(trials: Sequence[Judged]) -> tuple[Judged, Judged]:
    """Two trials of which the one worse at the first rung gets there later, but before the other ends."""

    def due(trial: Judged) -> float:
        return trial.recording.seconds_at(trial.rungs[0].rounds)

    return next(
        (ahead, behind)
        for ahead, behind in permutations(trials, 2)
        if due(ahead) < due(behind) < ahead.recording.seconds
        and behind.rungs[0].figure > ahead.rungs[0].figure
    )


def test_a_pruned_trial_tells_its_best_so_far_and_no_rmse_to_select() -> None:
    way = Way("forecast")
    trials = trials_of("diabetes", way)[:80]
    ends = Simulation(open_pruner(way.name, way.options), Known.SUBMITTED, 1, each(trials)).run()
    cut = next(ended for ended in ends if ended.rung)
    assert cut.rmse == math.inf
    told = outcome(cut)
    assert told.state is State.PRUNED
    assert told.rmse == best_so_far(cut.trial.recording)[cut.rounds - 1] >= cut.trial.recording.best


# the commands


@pytest.mark.parametrize(("command", "tables"), [(regret, 4), (staleness, 3)], ids=["regret", "staleness"])
def test_a_quick_run_publishes_its_tables(command: ModuleType, tables: int, tmp_path: Path) -> None:
    command.main(["--quick", "--out", str(tmp_path)])
    name = command.__name__.rpartition(".")[2]
    document = json.loads((tmp_path / f"{name}.json").read_text())
    assert len(document["tables"]) == tables
    for table in document["tables"]:
        assert table["rows"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert f"python -m benchmarks.{name} --quick" in (tmp_path / f"{name}.md").read_text()
