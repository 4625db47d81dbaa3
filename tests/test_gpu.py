"""``--device cuda``: what is refused, what is kept, and that nothing trains on the CPU in silence.

``pytest tests/test_gpu.py -k real`` is for a machine that has a GPU.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor

from sweeps.data.datasets import load_dataset
from sweeps.data.prepared import open_folds, prepare
from sweeps.data.spec import DataSpec
from sweeps.engines import open_engine, visible_gpus
from sweeps.models import fit
from sweeps.models.device import to_cpu
from sweeps.settings import Sweep
from sweeps.space.search_space import load_space
from sweeps.trial import Encoding, Outcome, Setup, State, Task
from sweeps.worker import run_trial
from tests.gpus import DIVIDED, FIRST, SECOND, TWO, fake_gpus
from tests.laws.make import write_space
from tests.shell import RIDGE, Shell

BOOSTED = """
from xgboost import XGBRegressor as MODEL
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 4, 1)), "n_estimators": 20, OWN}
"""
WRAPPED = """
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 4, 1))}
def MODEL(**params):
    return TransformedTargetRegressor(XGBRegressor(n_estimators=20, **params), transformer=StandardScaler())
"""
EITHER = """
from sklearn.linear_model import Ridge
from xgboost import XGBRegressor
SPACE = hp.choice("kind", [
    {"model": Ridge, "alpha": hp.loguniform("alpha", -3, 0)},
    {"model": XGBRegressor, "n_estimators": 5},
])
FIRST = [{"kind": "Ridge"}, {"kind": "XGBRegressor"}]
"""
FALLS_BACK = "device='cuda': XGBoost finds no GPU here and falls back to the CPU"


def boosted(own: str = "") -> str:
    return BOOSTED.replace("OWN", own)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has ``nvidia-smi`` list some GPUs; CUDA itself knows better."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def make(*lines: str, code: int = 0) -> None:
        monkeypatch.setenv("PATH", fake_gpus(tmp_path / f"gpus-{len(lines)}-{code}", lines, code))

    return make


@pytest.fixture
def gpus(machine: Callable[..., None]) -> None:
    """A machine with two GPUs that do not work."""
    machine(*TWO)


@pytest.mark.parametrize(
    ("lines", "code", "found"),
    [
        (TWO, 0, [FIRST, SECOND]),
        (
            DIVIDED,
            0,
            [
                "MIG-33333333-aaaa-bbbb-cccc-000000000003",
                "MIG-GPU-11111111-aaaa-bbbb-cccc-000000000001/7/0",
                SECOND,
            ],
        ),
        ((*reversed(TWO),), 0, [SECOND, FIRST]),
        (("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",), 9, []),
        (("No devices were found",), 0, []),
    ],
    ids=["two", "divided", "reversed", "no driver", "none"],
)
def test_gpus_are_those_that_are_listed(
    machine: Callable[..., None], lines: tuple[str, ...], code: int, found: list[str]
) -> None:
    machine(*lines, code=code)
    assert visible_gpus() == tuple(found)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("0,1", ["0", "1"]),
        (" 2 , GPU-8932f937 ", ["2", "GPU-8932f937"]),
        ("MIG-GPU-1/7/0", ["MIG-GPU-1/7/0"]),
        ("3,3", ["3"]),
        ("0,-1,1", ["0"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_what_is_visible_comes_first(monkeypatch: pytest.MonkeyPatch, named: str, found: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == tuple(found)


def test_a_machine_without_the_program_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == ()


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("body", "words", "said"),
    [
        (boosted(), ("cuda:1",), "--device: must be cpu or cuda, got 'cuda:1'"),
        (boosted(), ("cuda", "--workers", "3"), "there are 2 GPUs here, not 3 (pass 2 at most"),
        (RIDGE, ("cuda",), "trains on a GPU: of those that sweeps knows, XGBoost's do (leave it out)"),
        (boosted('"device": "cpu"'), ("cuda",), "sets device='cpu' itself (delete 'device' there)"),
        (
            boosted('"device": hp.choice("device", ["cuda", "cuda:1"])'),
            ("cuda",),
            "sets device='cuda:1' itself",
        ),
    ],
    ids=["a number", "workers", "no such model", "fixed", "searched"],
)
def test_what_makes_no_sense_is_refused_before_a_trial(
    shell: Shell, body: str, words: tuple[str, ...], said: str
) -> None:
    done = shell.run(body, "--device", *words, "--trials", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (shell.folder / "mlflow.db").exists()


def test_a_machine_without_gpu_ends_with_2(shell: Shell) -> None:
    shell.env["CUDA_VISIBLE_DEVICES"] = ""
    done = shell.run(boosted(), "--device", "cuda")
    assert done.returncode == 2
    assert "--device cuda: no GPU here: CUDA_VISIBLE_DEVICES='' names none" in done.stderr


def test_a_space_that_takes_a_gpu_by_itself_is_told_how_to_take_one_for_each_trial(shell: Shell) -> None:
    done = shell("lint", str(write_space(shell.folder, boosted('"device": "cuda"'))))
    assert done.returncode == 0
    assert "device='cuda' sends the trials of all workers to the same GPU" in done.stdout + done.stderr
    assert "leave it out: --device cuda gives each trial a GPU to itself" in done.stdout + done.stderr
    assert "GPU" not in shell("lint", str(write_space(shell.folder, boosted(), "cpu"))).stdout


@pytest.mark.skipif(bool(visible_gpus()), reason="there is a GPU to find here")
@pytest.mark.usefixtures("gpus")
def test_trials_that_would_train_on_the_cpu_fail(shell: Shell) -> None:
    done = shell.run(boosted(), "--device", "cuda", "--trials", "3")
    assert done.returncode == 6
    assert f"3 of 3 trials failed; most common (3): RuntimeError: {FALLS_BACK}" in done.stderr
    assert "2 workers × 1 thread and a GPU each" in done.stderr


@pytest.mark.skipif(bool(visible_gpus()), reason="there is a GPU to find here")
@pytest.mark.usefixtures("gpus")
def test_a_choice_between_models_trains_the_others_on_the_cpu_and_the_device_is_kept(shell: Shell) -> None:
    words = "--trials", "4", "--seed", "1", "--device", "cuda", "--workers", "1", "--json"
    done = shell.run(EITHER, *words)
    assert done.returncode == 0, done.stderr
    shown = json.loads(shell("show", "last", "--json").stdout)
    states = {trial["params"]["model"]: trial["state"] for trial in shown["history"]}
    assert states == {"Ridge": "COMPLETE", "XGBRegressor": "FAILED"}
    assert "--device cuda" in shell("show", "last").stdout.replace("\n", " ")
    boosted = next(t["trial"] for t in shown["history"] if t["state"] == "FAILED")

    resumed = shell("resume", "last", "--trials", "8", "--json")
    assert resumed.returncode == 0, resumed.stderr
    later = [t for t in json.loads(shell("show", "last", "--json").stdout)["history"] if t["trial"] > 3]
    assert len(later) == 4
    assert {t["state"] for t in later if t["params"]["model"] == "XGBRegressor"} <= {"FAILED"}

    again = shell("reproduce", f"last:{boosted}")
    assert again.returncode == 0, again.stderr
    assert "otherwise than then" not in again.stdout
    shell.env["CUDA_VISIBLE_DEVICES"] = ""
    elsewhere = shell("reproduce", f"last:{boosted}")
    assert elsewhere.returncode == 9
    assert "device cuda -> cpu" in elsewhere.stderr
    for command in (("resume", "last", "--trials", "9"), ("promote", "last", "--refit", "train+valid")):
        refused = shell(*command)
        assert refused.returncode == 2
        assert "--device cuda: no GPU here" in refused.stderr


def test_sweeps_without_a_device_are_those_of_before() -> None:
    sweep = Sweep("xgboost", DataSpec(name="diabetes"), stop_rules(), seed=1)
    assert "device" not in sweep.to_json()
    assert Sweep.from_json(sweep.to_json()).device == "cpu"


def stop_rules() -> Any:
    from sweeps.stopping import StopRules

    return StopRules(1)


class Trials:
    """Runs trials on the diabetes data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        prepare(load_dataset(DataSpec(name="diabetes")), Encoding(False, False), "auto", folder / "data")
        (self.fold,) = open_folds(str(folder / "data"))

    def task(self, body: str, device: str) -> Task:
        path = write_space(self._folder, body)
        setup = Setup(str(path), load_space(str(path)).digest, str(self._folder / "data"), 1, device)
        return Task(0, {"max_depth": 3}, 11, setup)

    def rmse(self, outcome: Outcome) -> float:
        """Of the model that came back."""
        residuals = self.fold.y_valid - self.model(outcome).predict(self.fold.X_valid)
        return float(np.sqrt(np.mean(residuals**2)))

    def model(self, outcome: Outcome) -> Any:
        assert outcome.model is not None, outcome.error
        return skops.io.loads(outcome.model, trusted=skops.io.get_untrusted_types(data=outcome.model))


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path)


@pytest.mark.skipif(bool(visible_gpus()), reason="there is a GPU to find here")
@pytest.mark.parametrize(
    "body", [boosted(), boosted('"device": "cuda"'), WRAPPED], ids=["plain", "own", "in"]
)
def test_a_trial_says_that_it_would_fall_back(trials: Trials, body: str) -> None:
    outcome = run_trial(trials.task(body, "cpu" if "device" in body else "cuda"))
    assert (outcome.state, outcome.reason) == (State.FAILED, f"RuntimeError: {FALLS_BACK}")


def test_a_trial_refuses_a_space_that_contradicts(trials: Trials) -> None:
    outcome = run_trial(trials.task(boosted('"device": "cpu"'), "cuda"))
    assert outcome.state is State.FAILED
    assert "device='cpu' contradicts --device cuda" in outcome.reason


def test_what_is_kept_is_on_the_cpu_with_the_same_trees(trials: Trials) -> None:
    """Here the model is trained on the CPU and only says otherwise, which is what loading it would meet."""
    fold = trials.fold
    model = TransformedTargetRegressor(XGBRegressor(n_estimators=5), transformer=StandardScaler())
    expected = model.fit(fold.X_train, fold.y_train).predict(fold.X_valid)
    for part in (model.regressor, model.regressor_):
        part.device = "cuda"
    model.regressor_.get_booster().set_param({"device": "cuda"})
    to_cpu(model)
    assert (model.regressor.device, model.regressor_.device) == ("cpu", "cpu")
    assert device_of(model.regressor_) == "cpu"
    np.testing.assert_array_equal(model.predict(fold.X_valid), expected)


def device_of(model: XGBRegressor) -> str:
    config = json.loads(model.get_booster().save_config())
    return str(config["learner"]["generic_param"]["device"])


@pytest.mark.skipif(not visible_gpus(), reason="there is no GPU here")
@pytest.mark.parametrize("body", [boosted(), WRAPPED], ids=["plain", "wrapped"])
def test_real_gpus_train_the_same_kind_of_model(trials: Trials, body: str) -> None:
    with open_engine("local", 1, 1, device="cuda") as engine:
        there = engine.submit(run_trial, trials.task(body, "cuda")).result(300)
    here = run_trial(trials.task(body, "cpu"))
    assert there.state is State.COMPLETE, there.error
    assert there.rmse == pytest.approx(here.rmse, rel=0.05)
    assert trials.rmse(there) == pytest.approx(there.rmse, rel=1e-5)
    model = trials.model(there)
    fitted = getattr(model, "regressor_", model)
    assert (fitted.device, device_of(fitted)) == ("cpu", "cpu")


@pytest.mark.skipif(not visible_gpus(), reason="there is no GPU here")
def test_real_gpus_train_on_one_hot_columns(trials: Trials) -> None:
    import scipy.sparse as sp

    from sweeps.trial import Fold

    random = np.random.default_rng(0)
    codes = random.integers(0, 2000, 30_000)
    X = sp.csr_matrix((np.ones(30_000), (np.arange(30_000), codes)), shape=(30_000, 2000))
    fold = Fold(X[:20_000], codes[:20_000] % 7.0, X[20_000:], codes[20_000:] % 7.0)
    figures = [
        fit(XGBRegressor(n_estimators=20, device=device), fold, seed=1, threads=2).curve[-1][1]
        for device in ("cuda", "cpu")
    ]
    assert figures[0] == pytest.approx(figures[1], rel=0.01)
