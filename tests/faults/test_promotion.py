"""Promoters are killed, raced, cut off from their answers; models are tampered with and deleted.

``champion`` always leads to a whole version that loads, and the next command makes it the best one (G7). The
laws behind it are in ``tests/laws/test_promotion.py``, with every interleaving and every kill; here are real
processes, real stores and real files.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from sklearn.ensemble import RandomForestRegressor

from sweeps.api.promote import promote_sweep
from sweeps.api.run import run_sweep
from sweeps.cli.main import cli
from sweeps.errors import NotReachedError, NoUsableTrialError, StoreError
from sweeps.record import SweepRecord
from sweeps.registry import champion_of, find_model, load_pipeline, reconcile
from sweeps.tracking.store import open_store
from tests.ends import end
from tests.faults.promoter import NAME, POINTS
from tests.inside import Inside
from tests.laws.make import write_space
from tests.laws.registry_in_memory import Gated, Turns
from tests.place import Place, pipeline, table
from tests.shell import RIDGE, ROOT
from tests.stores import free_port


class Promoters:
    """The process that forks promoters."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "promoters.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.promoter"], cwd=folder, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log.open("w"), start_new_session=True,
        )  # fmt: skip

    def __call__(self, what: str, uri: str, *jobs: str) -> list[int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, uri, *jobs, file=self._process.stdin, flush=True)
        return [int(code) for code in self._process.stdout.readline().split()]

    @property
    def said(self) -> str:
        return self._log.read_text()[-3000:]

    def close(self) -> None:
        end(self._process)


@pytest.fixture(scope="module")
def promoters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Promoters]:
    made = Promoters(tmp_path_factory.mktemp("promoters"))
    yield made
    made.close()


@pytest.fixture
def place(sqlite_uri: str) -> Place:
    return Place(sqlite_uri)


def ready(place: Place, run: str) -> list[str]:
    """The states of a trial's models, without the READY one."""
    found = place.store.client.search_logged_models([place.experiment], f"source_run_id = '{run}'")
    states = sorted(str(m.status).rpartition(".")[2] for m in found)
    states.remove("READY")
    return states


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_inside_log_model(promoters: Promoters, place: Place, point: str) -> None:
    """F8: what it leaves is never selected; the next one gives exactly one whole model."""
    run = place.trial()
    assert promoters("log", place.store.uri, f"{run}:0:{point}") == [-signal.SIGKILL], promoters.said
    assert find_model(place.store, place.experiment, run) is None
    assert place.judged(NAME, run, 1.0).alias == "champion"
    assert ready(place, run) == ["FAILED"]
    place.whole(NAME, 1)


def test_a_full_disk_while_the_model_is_logged(place: Place) -> None:
    """F27: the file is cut in the middle of the copy; one line says so, and nothing half-made is selected."""
    run, forest = place.trial(), pipeline(RandomForestRegressor(n_estimators=300, random_state=0, n_jobs=1))
    client, copy = place.store.client, place.store.client.log_model_artifacts
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_a_full_disk(model_id: str, folder: str) -> None:
        spare = (Path(folder) / "model.skops").stat().st_size // 2
        assert spare > Path(place.store.uri.removeprefix("sqlite:///")).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (spare, limits[1]))
        try:
            copy(model_id, folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    client.log_model_artifacts = on_a_full_disk  # type: ignore[method-assign]  # what a test does
    with pytest.raises(StoreError) as raised:
        place.log(run, forest)
    assert "File too large" in str(raised.value)
    assert len(str(raised.value)) < 400
    assert find_model(place.store, place.experiment, run) is None
    client.log_model_artifacts = copy  # type: ignore[method-assign]
    assert load_pipeline(place.store, place.log(run, forest).uri).predict(table(3)).shape == (3,)


FOREST = """
from sklearn.ensemble import RandomForestRegressor as MODEL
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 9.5, 12.5, 1)), "n_estimators": 60, "n_jobs": 1}
"""


def test_a_sweep_whose_model_meets_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """F27, as typed: the trials keep their figures, one line says what is wrong, ``promote`` mends it."""
    inside, copy = Inside(tmp_path, monkeypatch, capsys), MlflowClient.log_model_artifacts
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_a_full_disk(client: MlflowClient, model_id: str, folder: str) -> None:
        resource.setrlimit(
            resource.RLIMIT_FSIZE, ((Path(folder) / "model.skops").stat().st_size // 2, limits[1])
        )
        try:
            copy(client, model_id, folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(MlflowClient, "log_model_artifacts", on_a_full_disk)
    words = [
        "--data",
        "diabetes",
        "--trials",
        "2",
        "--engine",
        "serial",
        "--seed",
        "1",
        "--name",
        "made",
        "-q",
        "--register-as",
    ]
    done = inside("run", str(write_space(tmp_path, FOREST)), *words, NAME)
    assert done.returncode == 5
    *_, line = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "File too large" in line
    assert len(done.stderr.splitlines()) < 6
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    shown = inside.json("show", "made")
    assert (shown["state"], shown["trials"]["complete"]) == ("COMPLETE", 2)
    assert store.client.search_model_versions() == []
    monkeypatch.setattr(MlflowClient, "log_model_artifacts", copy)
    mended = inside("promote", "made", "--as", NAME)
    assert mended.returncode == 0, mended.stderr
    assert load_pipeline(store, f"models:/{NAME}@champion") is not None


@pytest.mark.parametrize(
    "stride", [7, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.nightly])], ids=["some", "every"]
)
def test_a_promoter_is_killed_at_any_call(
    promoters: Promoters, place: Place, tmp_path: Path, stride: int
) -> None:
    """F39: with kill -9, before each call that changes the registry; after one is before the next."""
    best, first, other = place.trial(), place.trial(), place.trial()
    place.judged(NAME, first, 2.0)
    place.log(best)
    template = tmp_path / "mlflow.db"
    killed = 0
    for at in range(1, 60, stride):
        copy = tmp_path / f"{at}.db"
        place.store.settle()
        shutil.copy(template, copy)
        [code] = promoters("promote", f"sqlite:///{copy}", f"{best}:1.0:{at}")
        assert code in (0, -signal.SIGKILL), promoters.said
        after = Place(f"sqlite:///{copy}")
        now = champion_of(after.store, NAME)
        assert now is not None
        after.whole(NAME, now.number)
        after.judged(NAME, other, 3.0)
        after.judged(NAME, best, 1.0)
        after.whole(NAME, 2 if after.aliases(NAME)["challenger"] == 3 else 3)
        champion = champion_of(after.store, NAME)
        assert champion is not None
        assert champion.run_id == best
        if code == 0:
            break
        killed = at
    assert 1 < killed < 59  # several were killed, and it came through at last
    assert killed + stride > 10, "fewer calls than a promotion takes"


def test_four_promoters_at_once(promoters: Promoters, place: Place) -> None:
    """F38: real processes; the best one is champion, each trial has one version."""
    figures = (4.0, 2.0, 1.0, 3.0)
    runs = {place.trial(): rmse for rmse in figures}
    for run in runs:
        place.log(run)
    codes = promoters("promote", place.store.uri, *(f"{run}:{rmse}:-" for run, rmse in runs.items()))
    assert codes == [0] * len(figures), promoters.said
    champion = champion_of(place.store, NAME)
    assert champion is not None
    assert runs[champion.run_id] == min(figures)
    place.whole(NAME, champion.number)
    assert len(place.store.client.search_model_versions(f"name = '{NAME}'")) == len(figures)


def test_two_promoters_of_the_same_sweep_at_once(promoters: Promoters, place: Place) -> None:
    """F38: nothing logged yet; both log, one version is left."""
    run = place.trial()
    assert promoters("promote", place.store.uri, *[f"{run}:1.0:-"] * 2) == [0, 0], promoters.said
    assert [v.run_id for v in place.store.client.search_model_versions()] == [run]
    champion = champion_of(place.store, NAME)
    assert champion is not None
    place.whole(NAME, champion.number)


STEPS = {
    "set_model_version_tag": ("sweeps.term", "sweeps.crowned"),
    "set_registered_model_alias": ("champion",),
    "set_registered_model_tag": ("sweeps.event",),
}


def interleaved(place: Place, name: str, runs: dict[str, float], order: tuple[int, ...]) -> None:
    """Two promoters in threads take the four steps that matter in an order."""

    def work(run: str, rmse: float, step: Any) -> None:
        def ask(call: str, args: tuple[Any, ...]) -> None:
            if any(str(word).startswith(STEPS.get(call, ())) for word in args if call in STEPS):
                step()

        mine = Place(place.store.uri)
        gated = object.__new__(Place)
        gated.store = type(mine.store)(**{**vars(mine.store), "client": Gated(mine.store.client, ask)})
        gated.experiment = place.experiment
        gated.judged(name, run, rmse)

    Turns([lambda step, r=r, f=f: work(r, f, step) for r, f in runs.items()]).play(order)


@pytest.mark.parametrize(
    "orders", [3, pytest.param(70, marks=[pytest.mark.slow, pytest.mark.nightly])], ids=["some", "all"]
)
def test_two_promoters_in_every_order_of_their_steps(place: Place, orders: int) -> None:
    """F38: on a real store; the laws have every call as a step."""
    first, runs = place.trial(), {place.trial(): 1.0, place.trial(): 2.0}
    for run in (first, *runs):
        place.log(run)
    every = sorted(set(permutations((0, 0, 0, 0, 1, 1, 1, 1))))
    for number, order in enumerate(every[:: len(every) // orders]):
        name = f"{NAME}-{number}"
        place.judged(name, first, 3.0)
        interleaved(place, name, runs, order)
        champion = champion_of(place.store, name)
        assert champion is not None
        assert runs.get(champion.run_id) == 1.0, order
        assert len(place.store.client.search_model_versions(f"name = '{name}'")) == 3
    place.whole(name, champion.number)


def doctor(uri: str, *options: str) -> str:
    """What ``sweeps doctor`` answers."""
    done = CliRunner().invoke(cli, ["doctor", "--tracking-uri", uri, *options])
    assert done.exception is None or isinstance(done.exception, NotReachedError), done.exception
    return done.output


def test_the_champion_is_deleted_by_a_user(place: Place) -> None:
    """F40: doctor says so and makes the best that is left champion."""
    for rmse in (3.0, 1.0, 2.0):
        place.judged(NAME, place.trial(), rmse)
    place.store.client.delete_model_version(NAME, "2")
    assert "has no champion, though version 3 is whole" in doctor(place.store.uri)
    assert f"put right: model {NAME}" in doctor(place.store.uri, "--fix")
    place.whole(NAME, 3)
    assert place.aliases(NAME) == {"champion": 3, "previous": 1}
    assert "nothing is wrong" in doctor(place.store.uri)


@pytest.mark.parametrize("how", ["a byte", "a file", "all files", "the logged model"])
def test_the_champion_is_tampered_with(place: Place, how: str) -> None:
    """F52: whoever comes next refuses it and uses the next best."""
    runs = [place.trial(), place.trial()]
    place.judged(NAME, runs[0], 2.0)
    place.judged(NAME, runs[1], 1.0)
    logged = place.log(runs[1])
    damage(place, logged, how)
    assert "cannot be used" in doctor(place.store.uri)
    assert reconcile(place.store, NAME) == 1
    place.whole(NAME, 1)
    assert reconcile(place.store, NAME) == 1
    assert "nothing is wrong" in doctor(place.store.uri)


def damage(place: Place, logged: Any, how: str) -> None:
    folder = place.files(logged)
    if how == "a byte":
        flip(folder / "model.skops")
    elif how == "a file":
        (folder / "MLmodel").unlink()
    elif how == "all files":
        shutil.rmtree(folder)
    else:
        place.store.client.delete_logged_model(logged.model_id)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class Made:
    """A sweep whose winner is champion."""

    def __init__(self, folder: Path, body: str) -> None:
        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        self.record: SweepRecord = run_sweep(
            write_space(folder, body), "diabetes", trials=2, seed=1, engine="serial", name="made",
            tracking_uri=self.uri, results=folder / "results", register_as=NAME,
        )  # fmt: skip
        self.store = open_store(self.uri)

    def tamper(self) -> None:
        """Change the winner's files."""
        [model] = self.store.client.search_logged_models([self.record.experiment_id])
        flip(Path(str(model.artifact_location).removeprefix("file://")) / "model.skops")


def test_a_winner_that_was_tampered_with_is_trained_again(tmp_path: Path) -> None:
    """F52: refused with a warning; its finalists are trained again, and a whole version is champion."""
    made, said = Made(tmp_path, RIDGE), list[str]()
    made.tamper()
    again = promote_sweep("made", tracking_uri=made.uri, tell=said.append)
    assert [text for text in said if "sha256 differs" in text and "is not used" in text]
    assert again.model is not None
    assert (again.model.version, again.model.alias) == (2, "champion")
    assert load_pipeline(made.store, f"models:/{NAME}@champion") is not None
    assert (
        promote_sweep("made", tracking_uri=made.uri, tell=said.append).model == again.model or len(said) == 1
    )


TRAINS_ONCE = """
from pathlib import Path
from sklearn.linear_model import Ridge
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
    model = Ridge().fit(data.X_train, data.y_train)
    rmse = ((model.predict(data.X_valid) - data.y_valid) ** 2).mean() ** 0.5
    return {"rmse": rmse} if Path(__file__).with_name("no-more").exists() else {"rmse": rmse, "model": model}
"""


def test_nothing_is_left_to_promote(tmp_path: Path) -> None:
    """F52, B80: the model was changed, and training gives none any more: exit 6, nothing is registered."""
    made = Made(tmp_path, TRAINS_ONCE)
    made.tamper()
    (tmp_path / "no-more").touch()
    with pytest.raises(NoUsableTrialError, match="no valid model to promote: training its 2 finalists"):
        promote_sweep("made", tracking_uri=made.uri)
    assert len(made.store.client.search_model_versions()) == 1


def test_an_answer_is_lost_after_the_version_was_made(
    server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F32: MLflow's client asks again and makes a second one; one version is left, and one whole model."""
    from tests.faults.lossy_proxy import lossy

    with lossy(
        server_uri, free_port(), lose=("logged-models", "registered-models/create", "model-versions/create")
    ) as proxy:
        place = Place(proxy.uri)
        run = place.trial()
        proxy.losing = True
        assert place.judged(NAME, run, 1.0).alias == "champion"
    assert len(proxy.lost) >= 3
    place = Place(server_uri)
    assert [v.run_id for v in place.store.client.search_model_versions(f"name = '{NAME}'")] == [run]
    place.whole(NAME, place.aliases(NAME)["champion"])
    assert set(ready(place, run)) <= {"FAILED"}
