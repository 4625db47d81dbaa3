"""Laws of promotion: whatever is killed, raced or deleted, at rest the best whole version is champion."""

import random
from collections.abc import Callable
from contextlib import nullcontext
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.record import ModelVersion
from sweeps.registry import Candidate, Judged, LoggedModel, Version, history, promote, reconcile, rollback
from sweeps.selection import verdict
from tests.laws.registry_in_memory import DeadError, Gated, Registry, Turns

ROWS = "march"


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models have no files here; the registry in a database is not asked for one."""
    monkeypatch.setattr("sweeps.registry.versions.pointed_at", lambda _: nullcontext())
    monkeypatch.setattr("sweeps.registry.aliases.load_pipeline", lambda *_: None)
    monkeypatch.setattr("sweeps.registry.going_back.load_pipeline", lambda *_: None)
    monkeypatch.setattr("sweeps.registry.versions.load_pipeline", lambda *_: None)


def store(client: Any) -> Any:
    return SimpleNamespace(client=client, uri="", shown="memory")


def promoted(client: Any, rmse: float, rows: str = ROWS, run: str = "", beat: bool = True) -> ModelVersion:
    """Promote the model of a run that has this rmse; the champion's is on its version."""
    run_id = run or f"run{rmse}"
    candidate = Candidate(LoggedModel(f"m-{run_id}"), run_id, {}, rows, rmse)

    def judge(rival: Version | None) -> Judged:
        if rival is None:
            return Judged(verdict(rmse, None))
        theirs = float(rival.run_id.removeprefix("run"))
        return Judged(verdict(rmse, theirs) if beat else verdict(0.0, None, "cannot be scored"), "", theirs)

    return promote(store(client), "m", candidate, judge)[0]


def rmses(registry: Registry) -> dict[str, float]:
    """The rmse of whoever has each alias."""
    return {a: float(registry.versions[v].run_id.removeprefix("run")) for a, v in registry.aliases.items()}


def at_rest(registry: Registry, best: float, versions: int) -> None:
    assert rmses(registry)["champion"] == best
    assert len(registry.versions) == versions
    assert len({v.run_id for v in registry.versions.values()}) == versions
    champion = registry.versions[registry.aliases["champion"]]
    assert champion.tags["sweeps.validated"] == "true"
    assert champion.tags["sweeps.verdict"] == "champion"
    assert registry.aliases.get("previous") != registry.aliases["champion"]
    assert registry.aliases.get("challenger") != registry.aliases["champion"]


def race(registry: Registry, figures: list[float], order: list[int]) -> None:
    """Promoters with these figures take their steps in an order."""
    works: list[Callable[[Callable[[], None]], object]] = [
        lambda step, rmse=rmse: promoted(Gated(registry, lambda *_: step()), rmse) for rmse in figures
    ]
    Turns(works).play(order)


def races(seed: int, times: int, champion: float | None) -> None:
    draw = random.Random(seed)
    for figures in ([1.0, 2.0], [2.0, 1.0], [2.0, 1.0, 0.5], [1.0, 4.0, 2.0, 0.5], [0.6, 2.5, 0.5, 1.0, 0.7]):
        for _ in range(times):
            registry = Registry()
            if champion is not None:
                promoted(registry, champion)
            steps = draw.choice([40, 120, 200, 300])
            order = [
                draw.randrange(len(figures)) for _ in range(steps) for _ in range(draw.choice([1, 1, 6]))
            ]
            race(registry, figures, order)
            everyone = [*figures, *([champion] if champion else [])]
            at_rest(registry, min(everyone), len(everyone))


@pytest.mark.parametrize("champion", [None, 3.0, 1.5])
def test_any_interleaving_of_promoters_makes_the_best_champion(champion: float | None) -> None:
    """F38: two to five promoters, a step being one call to the store."""
    races(seed=0, times=15, champion=champion)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("champion", [None, 3.0])
def test_many_interleavings(champion: float | None, seed: int) -> None:
    """F38: thousands of them."""
    races(seed, 250, champion)


def test_two_promoters_of_the_same_sweep_make_one_version() -> None:
    for seed in range(40):
        registry, draw = Registry(), random.Random(seed)
        race(registry, [1.0, 1.0], [draw.randrange(2) for _ in range(80)])
        at_rest(registry, 1.0, 1)


def deadly(registry: Registry, at: int) -> Any:
    """A client whose process dies before its ``at``-th call."""
    calls = 0

    def ask(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls >= at:
            raise DeadError

    return Gated(registry, ask)


NEXT: dict[str, tuple[Callable[[Any], object], bool]] = {
    "the same again": (lambda client: promoted(client, 1.0), True),
    "a worse one": (lambda client: promoted(client, 2.0), False),
    "a better one": (lambda client: promoted(client, 0.5), False),
    "doctor": (lambda client: reconcile(store(client), "m"), False),
}


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("before", [[], [3.0], [0.9], [3.0, 2.5, 0.8]])
def test_a_promoter_may_be_killed_before_any_call(then: str, before: list[float]) -> None:
    """F39: and at no time the champion is worse than before."""
    mend, again = NEXT[then]
    at = 0
    while True:
        at += 1
        registry = Registry()
        for rmse in before:
            promoted(registry, rmse)
        client = deadly(registry, at)
        try:
            promoted(client, 1.0)
        except DeadError:
            pass
        else:
            break
        if before:
            assert rmses(registry)["champion"] in (min(before), 1.0)
            assert rmses(registry)["champion"] <= min(before)
        mend(registry)
        whole = {
            float(v.run_id.removeprefix("run")) for v in registry.versions.values()
            if v.tags.get("sweeps.validated")
        }  # fmt: skip
        if whole:
            assert rmses(registry)["champion"] == min(whole), at
        if again:
            at_rest(registry, min([*before, 1.0]), len(before) + 1)
    assert at > 15


def test_a_killed_promoter_and_one_at_work_in_any_order() -> None:
    """F38 and F39 together."""
    draw = random.Random(1)
    for _ in range(100):
        registry = Registry()
        promoted(registry, 3.0)
        at = draw.randrange(1, 40)

        def dies(step: Callable[[], None], at: int = at, registry: Registry = registry) -> None:
            client = deadly(registry, at)
            try:
                promoted(Gated(client, lambda *_: step()), 1.0)
            except DeadError:
                return

        def lives(step: Callable[[], None], registry: Registry = registry) -> None:
            promoted(Gated(registry, lambda *_: step()), 2.0)

        Turns([dies, lives]).play([draw.randrange(2) for _ in range(100)])
        promoted(registry, 1.0)
        at_rest(registry, 1.0, 3)


def test_a_champion_that_was_deleted_is_followed_by_the_best_that_is_left() -> None:
    """F40: not by the one before it, where a challenger was better."""
    registry = Registry()
    for rmse in (3.0, 1.0, 2.0):
        promoted(registry, rmse)
    registry.delete_model_version("m", registry.aliases["champion"])
    assert reconcile(store(registry), "m") == 3
    assert rmses(registry) == {"champion": 2.0, "previous": 3.0}
    assert history(store(registry), "m")[-1].what == "best left"
    promoted(registry, 2.5)
    assert rmses(registry) == {"champion": 2.0, "previous": 3.0, "challenger": 2.5}


def test_an_alias_that_somebody_moved_stays_where_it_is() -> None:
    """A person decided: it is no leftover of a kill."""
    registry = Registry()
    for rmse in (3.0, 1.0):
        promoted(registry, rmse)
    registry.set_registered_model_alias("m", "champion", "1")
    assert reconcile(store(registry), "m") == 1
    promoted(registry, 3.5)
    assert rmses(registry)["champion"] == 3.0
    promoted(registry, 2.0)
    assert rmses(registry)["champion"] == 2.0
    assert [e.what for e in history(store(registry), "m")].count("by hand") == 1


def test_a_foreign_champion_that_cannot_be_scored_stays() -> None:
    registry = Registry()
    registry.create_registered_model("m")
    registry.create_model_version("m", "s3://theirs", "run9.0", "")
    registry.set_registered_model_alias("m", "champion", "1")
    assert promoted(registry, 1.0, beat=False).alias == "challenger"
    assert rmses(registry)["champion"] == 9.0
    assert promoted(registry, 0.5).alias == "champion"
    assert rmses(registry) == {"champion": 0.5, "previous": 9.0, "challenger": 1.0}


def test_figures_of_other_rows_decide_nothing() -> None:
    registry = Registry()
    promoted(registry, 1.0, rows="january")
    february = Candidate(LoggedModel("m-2"), "run2.0", {}, "february", 2.0)
    better = Judged(verdict(2.0, 5.0), "", 5.0)  # in February the first one is off by 5
    promote(store(registry), "m", february, lambda _: better)
    assert rmses(registry) == {"champion": 2.0, "previous": 1.0}
    assert reconcile(store(registry), "m") == 2


@pytest.mark.parametrize("orders", list(permutations([0.5, 1.0, 2.0])))
def test_the_order_of_promotions_does_not_matter(orders: tuple[float, ...]) -> None:
    registry = Registry()
    for rmse in orders:
        promoted(registry, rmse)
    at_rest(registry, 0.5, 3)


def test_a_rollback_stays_until_something_better_comes() -> None:
    registry = Registry()
    for rmse in (3.0, 2.0, 1.0):
        promoted(registry, rmse)
    assert rollback(store(registry), "m").version == 2
    assert rmses(registry)["champion"] == 2.0
    assert reconcile(store(registry), "m") == 2
    again = promoted(registry, 1.0)
    assert again.alias == "challenger"
    assert "rollback m --to 3" in again.reason
    promoted(registry, 2.5)
    assert rmses(registry)["champion"] == 2.0
    assert rollback(store(registry), "m", 3).version == 3
    assert rmses(registry) == {"champion": 1.0, "previous": 2.0, "challenger": 2.5}
    assert rollback(store(registry), "m", 1).version == 1
    assert [e.what for e in history(store(registry), "m")].count("rolled back") == 3


def test_a_rollback_may_be_killed_before_any_call() -> None:
    at = 0
    while True:
        at += 1
        registry = Registry()
        for rmse in (3.0, 2.0, 1.0):
            promoted(registry, rmse)
        client = deadly(registry, at)
        try:
            rollback(store(client), "m")
        except DeadError:
            pass
        else:
            break
        assert rmses(registry)["champion"] in (1.0, 2.0)
        before = rmses(registry)["champion"]
        reconcile(store(registry), "m")
        assert rmses(registry)["champion"] in (before, 2.0)
        rollback(store(registry), "m", 2)
        assert rmses(registry)["champion"] == 2.0
    assert at > 5
