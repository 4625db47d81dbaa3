"""What every pruner keeps to, on made outcomes; what pruning does to real training stands in test_worker."""

import math
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest

from sweeps.pruning import Pruner, Watch, open_pruner, survives
from sweeps.trial import Curve, Cutoffs, Outcome, State

PRUNERS = [
    ("asha", {"min_rounds": "4", "min_trials": "1"}),
    ("asha", {"min_rounds": "1", "eta": "2", "min_trials": "4"}),
    ("asha", {"min_rounds": "3", "eta": "1.5"}),
    ("median", {"min_rounds": "2"}),
]
SEEDS = range(6)
every_pruner = pytest.mark.parametrize(("name", "options"), PRUNERS, ids=lambda v: "-".join(v) if v else v)
every_seed = pytest.mark.parametrize("seed", SEEDS)


def curve(draw: random.Random) -> Curve:
    """A noisy descent of one to sixty rounds; few figures, so that there are ties."""
    start, rate = draw.uniform(4, 9), draw.uniform(0.02, 0.5)
    rounds = draw.randint(1, 60)
    return tuple((n, round(2 + start * math.exp(-rate * n) + draw.gauss(0, 0.2), 1)) for n in range(rounds))


def train(path: Curve, cutoffs: Cutoffs) -> Outcome:
    """What a worker would give for a trial with this curve."""
    watch = survives(cutoffs)
    for step, rmse in path[:-1]:
        if not watch(step, rmse):
            return Outcome(
                State.PRUNED, watch.figure, curve=watch.curve, rungs=watch.rungs, error=watch.reason
            )
    return Outcome(State.COMPLETE, min(rmse for _, rmse in path), curve=path, rungs=watch.rungs)


def sweep(pruner: Pruner, seed: int, trials: int = 60) -> list[Outcome]:
    """Trials one after the other, some of which fail."""
    draw = random.Random(seed)
    outcomes = []
    for _ in range(trials):
        failed = Outcome(State.FAILED, error="made", rungs=((0, 0.1), (3, 0.1)))
        outcomes.append(failed if draw.random() < 0.1 else train(curve(draw), pruner.cutoffs()))
        pruner.learn(outcomes[-1])
    return outcomes


def taught(name: str, options: dict[str, str], outcomes: Sequence[Outcome]) -> Pruner:
    pruner = open_pruner(name, options)
    for outcome in outcomes:
        pruner.learn(outcome)
    return pruner


def at_rung(outcome: Outcome, step: int, name: str) -> float | None:
    """The definition of what a trial counts at a rung, from its whole curve."""
    figure = min((rmse for n, rmse in outcome.curve if n <= step), default=math.inf)
    if outcome.state is State.COMPLETE:
        return figure
    if outcome.state is State.PRUNED:
        return figure if outcome.curve[-1][0] >= step else math.inf if name == "median" else None
    return None


def known(outcomes: Sequence[Outcome], step: int, name: str) -> list[float]:
    return [figure for one in outcomes if (figure := at_rung(one, step, name)) is not None]


def candidates(figures: Sequence[float]) -> Iterator[float]:
    """Figures a further trial may come with: those known, and beside them."""
    for figure in {*figures, 0.0, 5.0}:
        yield from (math.nextafter(figure, -math.inf), figure, math.nextafter(figure, math.inf))


@every_pruner
@every_seed
def test_a_trial_survives_if_it_is_among_the_best_one_in_eta(
    name: str, options: dict[str, str], seed: int
) -> None:
    pruner = open_pruner(name, options)
    outcomes = sweep(pruner, seed)
    eta = Fraction(options.get("eta", "3" if name == "asha" else "2"))
    least = int(options.get("min_trials", "3" if name == "asha" else "5"))
    assert len(pruner.cutoffs()) > 8
    for step, highest in pruner.cutoffs():
        others = known(outcomes, step, name)
        for figure in candidates(others):
            rank = 1 + sum(other < figure for other in others)
            expected = len(others) < least or rank <= math.ceil((len(others) + 1) / eta)
            assert (figure <= highest) is expected, (step, figure)


@every_pruner
@every_seed
def test_at_least_one_in_eta_of_those_known_would_survive(
    name: str, options: dict[str, str], seed: int
) -> None:
    pruner = open_pruner(name, options)
    outcomes = sweep(pruner, seed)
    eta = float(options.get("eta", "3" if name == "asha" else "2"))
    for step, highest in pruner.cutoffs():
        others = known(outcomes, step, name)
        assert sum(figure <= highest for figure in others) >= len(others) / eta
        assert min(others) <= highest


@every_pruner
@every_seed
def test_the_order_of_outcomes_does_not_matter(name: str, options: dict[str, str], seed: int) -> None:
    pruner = open_pruner(name, options)
    outcomes = sweep(pruner, seed)
    for order in range(5):
        shuffled = random.Random(order).sample(outcomes, len(outcomes))
        assert taught(name, options, shuffled).cutoffs() == pruner.cutoffs()


@every_pruner
@every_seed
def test_a_better_trial_never_loosens_a_cutoff_and_a_worse_one_never_tightens_it(
    name: str, options: dict[str, str], seed: int
) -> None:
    outcomes = sweep(open_pruner(name, options), seed)
    before = taught(name, options, outcomes).cutoffs()
    for factor in (0.2, 0.9, 1.0):
        rungs = tuple((step, highest * factor) for step, highest in before)
        better = Outcome(State.COMPLETE, 0.1, rungs=rungs)
        after = taught(name, options, [*outcomes, better]).cutoffs()
        assert all(new <= old for (_, new), (_, old) in zip(after, before, strict=True))
    worse = Outcome(State.COMPLETE, 99.0, rungs=tuple((step, highest * 1.1) for step, highest in before))
    after = taught(name, options, [*outcomes, worse]).cutoffs()
    assert all(new >= old for (_, new), (_, old) in zip(after, before, strict=True))


@every_pruner
@every_seed
def test_it_prunes_but_never_the_best_of_those_at_its_rung(
    name: str, options: dict[str, str], seed: int
) -> None:
    pruner, outcomes = open_pruner(name, options), []
    draw = random.Random(seed)
    for _ in range(60):
        outcome = train(curve(draw), pruner.cutoffs())
        if outcome.state is State.PRUNED:
            step, figure = outcome.rungs[-1]
            assert figure == outcome.rmse
            assert figure > min(known(outcomes, step, name))
        pruner.learn(outcome)
        outcomes.append(outcome)
    assert 5 < sum(outcome.state is State.PRUNED for outcome in outcomes) < 60


@every_pruner
def test_what_failed_or_was_lost_teaches_nothing(name: str, options: dict[str, str]) -> None:
    for state in (State.FAILED, State.LOST):
        outcome = Outcome(state, error="made", rungs=((3, 1.0),), curve=((3, 1.0),))
        assert taught(name, options, [outcome] * 9).cutoffs() == open_pruner(name, options).cutoffs()


@every_pruner
def test_where_nothing_is_known_all_survive_and_are_measured(name: str, options: dict[str, str]) -> None:
    cutoffs = open_pruner(name, options).cutoffs()
    assert {highest for _, highest in cutoffs} == {math.inf}
    steps = [step for step, _ in cutoffs]
    assert steps == sorted(set(steps))
    assert steps[0] == int(options["min_rounds"]) - 1
    outcome = train(tuple((n, 5.0) for n in range(50)), cutoffs)
    assert outcome.state is State.COMPLETE
    assert outcome.rungs == tuple((step, 5.0) for step in steps if step < 49)


def test_none_never_prunes() -> None:
    pruner = open_pruner("none", {})
    outcomes = sweep(pruner, seed=0)
    assert pruner.cutoffs() == ()
    assert State.PRUNED not in {outcome.state for outcome in outcomes}


@every_seed
def test_what_is_not_a_number_does_not_survive(seed: int) -> None:
    pruner = open_pruner("asha", {"min_rounds": "2", "min_trials": "1"})
    sweep(pruner, seed)
    for bad in (math.nan, math.inf):
        watch = survives(pruner.cutoffs())
        assert [watch(step, bad) for step in range(3)] == [True, False, False]
        assert watch.rungs == ()
    watch = survives(pruner.cutoffs())
    assert all(watch(step, rmse) for step, rmse in enumerate([math.nan, 0.1, math.nan, math.nan]))
    assert watch.figure == 0.1


@every_seed
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_a_watch_ends_a_trial_at_the_first_rung_whose_cutoff_it_passes(share: float, seed: int) -> None:
    """Also where steps are left out: what was seen before a rung is judged at the next step."""
    draw = random.Random(seed)
    for _ in range(50):
        path = tuple(point for point in curve(draw) if draw.random() <= share)
        cutoffs = tuple((step, draw.uniform(2, 8)) for step in sorted(draw.sample(range(70), 5)))
        passed = [
            (step, min(seen), highest)
            for step, highest in cutoffs
            if path and step <= path[-1][0] and (seen := [rmse for n, rmse in path if n <= step])
        ]
        hopeless = [step for step, figure, highest in passed if figure > highest]
        ended = hopeless[0] if hopeless else math.inf
        watch = survives(cutoffs)
        assert [watch(step, rmse) for step, rmse in path] == [step < ended for step, _ in path]
        assert watch.reason.startswith(f"pruned at round {ended + 1}: " if hopeless else "")
        assert bool(watch.reason) is bool(hopeless)
        assert watch.rungs == tuple((step, figure) for step, figure, _ in passed if step <= ended)


@every_pruner
def test_a_rung_that_was_passed_unseen_teaches_nothing(name: str, options: dict[str, str]) -> None:
    first, second = (step for step, _ in open_pruner(name, options).cutoffs()[:2])
    unseen = Outcome(State.COMPLETE, 3.0, rungs=((second, 4.0),), curve=((second, 4.0),))
    cutoffs = dict(taught(name, options, [unseen] * 9).cutoffs())
    assert cutoffs.pop(first) == math.inf
    assert cutoffs.pop(second) == 4.0
    assert set(cutoffs.values()) == {3.0}


@every_seed
def test_leaving_out_steps_between_rungs_changes_nothing_that_was_measured(seed: int) -> None:
    """As a forest does, that is measured at its rungs only."""
    draw = random.Random(seed)
    for _ in range(50):
        falling = tuple((step, 9.0 - 0.1 * step) for step in range(draw.randint(1, 60)))
        cutoffs = tuple((step, draw.uniform(2, 9)) for step in sorted(draw.sample(range(70), 5)))
        every, few = survives(cutoffs), survives(cutoffs)
        for step, rmse in falling:
            every(step, rmse)
        for step, rmse in falling:
            if step in few.steps:
                few(step, rmse)
        assert (every.reason, every.rungs) == (few.reason, few.rungs)


@pytest.mark.parametrize("pace", [0.1, 0.5, 3.0, 10.0])
def test_a_slower_learner_is_judged_as_much_later(pace: float) -> None:
    """The same descent at another learning rate passes the same rungs with the same figures."""

    def descent(done: float) -> float:
        return 2 + 7 * math.exp(-done / 100)

    cutoffs = tuple((step, descent(0.8 * (step + 1)) - (step == 809)) for step in (29, 89, 269, 809))
    watch = survives(cutoffs)
    watch.pace = pace
    rounds = next(n for n in range(1, 100_000) if not watch(n - 1, descent(n * pace)))
    assert rounds == round(810 / pace)
    assert [figure for _, figure in watch.rungs] == pytest.approx([descent(n) for n in (30, 90, 270, 810)])
    assert [step for step, _ in watch.rungs] == [29, 89, 269, 809]


def folds_outcome(folds: Sequence[float], cutoffs: Cutoffs) -> Outcome:
    watch = Watch(cutoffs, folds=True)
    done = next((n for n, rmse in enumerate(folds[:-1], 1) if not watch(n - 1, rmse)), len(folds))
    seen = tuple(folds[:done])
    state = State.PRUNED if watch.reason else State.COMPLETE
    return Outcome(state, sum(seen) / done, folds=seen, error=watch.reason or None)


@every_seed
def test_folds_are_judged_by_their_mean_so_far(seed: int) -> None:
    draw = random.Random(seed)
    pruner = open_pruner("asha", {"min_trials": "1"})
    outcomes: list[Outcome] = []
    for _ in range(40):
        level = draw.uniform(3, 9)
        folds = [level + draw.gauss(0, 1) for _ in range(5)]
        cutoffs = pruner.cutoffs()
        outcome = folds_outcome(folds, cutoffs)
        for rung in (0, 2) if outcomes else ():
            known = [sum(o.folds[: rung + 1]) / (rung + 1) for o in outcomes if len(o.folds) > rung]
            best = sorted(known)[math.ceil((len(known) + 1) / 3) - 1]
            assert dict(cutoffs)[rung] == pytest.approx(best)
            if len(outcome.folds) == rung + 1:
                assert outcome.rmse is not None
                assert outcome.rmse > best
        pruner.learn(outcome)
        outcomes.append(outcome)
    assert {len(o.folds) for o in outcomes} == {1, 3, 5}
