"""C1 to C4: a model of another origin is judged without trusting it, or refused; no code of it runs."""
# ruff: noqa: E501 - one hostile model a line

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweeps.errors import StoreError
from sweeps.registry import champion_of, load_pipeline, predict_safely
from sweeps.registry.apart import predict_apart
from sweeps.registry.calls import forbidden_calls
from sweeps.registry.formats import load_checked
from sweeps.registry.store import pointed_at
from sweeps.tracking.store import Store, ensure_experiment, open_store
from tests.security import hostile

ROWS = pd.DataFrame({"x": [0.5, 1.5, 2.5]})
PYFUNC = "flavors: {{python_function: {{loader_module: {loader}, code: code}}, sklearn: {{serialization_format: {how}{more}}}}}"
HOSTILE = {
    "loader_module": (lambda s: (PYFUNC.format(loader="hostile_loader", how="cloudpickle", more=""), {"code__hostile_loader_py": f"open({str(s)!r}, 'w')".encode()}), "skops format"),
    "code beside skops": (lambda s: (PYFUNC.format(loader="mlflow.sklearn", how="skops", more=""), {"code__skops_py": f"open({str(s)!r}, 'w')".encode()}), "brings code"),
    "model_class": (lambda _: ("flavors: {xgboost: {model_class: os.getcwd, data: model.ubj}}", {}), r"not a scikit-learn .* xgboost"),
    "pickle": (lambda s: ("flavors: {sklearn: {serialization_format: pickle, pickled_model: model.pkl}}", {"model_pkl": hostile.bomb(s)}), "skops format"),
    "pickle added, never read": (lambda s: (hostile.MLMODEL, {"model_pkl": hostile.bomb(s), "python_model_pkl": hostile.bomb(s)}), ""),
    "pickle in place of skops": (lambda s: (hostile.MLMODEL, {"model": hostile.bomb(s)}), "cannot be read: BadZipFile"),
    "trust widened": (lambda s: ("flavors: {sklearn: {serialization_format: skops, skops_trusted_types: [tests.security.hostile.Bomb]}}", {"model": hostile.dumped(hostile.Bomb(s))}), "holds .*Bomb"),
    "a chain to the shell": (lambda s: (hostile.MLMODEL, {"model": hostile.shell(s)}), r"holds attrgetter\(__class__.*methodcaller\(system"),
    "evaluates": (lambda s: (hostile.MLMODEL, {"model": hostile.chain(hostile.call("eval", f"open('{s}', 'w')"))}), r"methodcaller\(eval"),
    "writes": (lambda s: (hostile.MLMODEL, {"model": hostile.chain(hostile.call("to_csv", str(s)))}), r"methodcaller\(to_csv"),
    "writes by name": (lambda s: (hostile.MLMODEL, {"model": hostile.chain(hostile.call("apply", "to_csv"))}), r"methodcaller\(apply, to_csv"),
    "YAML that makes objects": (lambda s: (f"flavors: !!python/object/apply:os.system ['touch {s}']", {}), "cannot be read"),
    "YAML that explodes": (lambda _: ("a: &a [x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)), {}), "flavors: none"),
    "YAML without end": (lambda _: ("flavors: " + "[" * 100_000, {}), "cannot be read"),
    "YAML too large": (lambda _: ("#" * (2**20 + 1), {}), "more than"),
    "YAML of another shape": (lambda _: ("[flavors]", {}), "flavors: none"),
    "YAML of odd flavors": (lambda _: ("flavors: {sklearn: skops, code: 1}", {}), "flavors: none"),
    "YAML that is none": (lambda _: (b"\xff\xfe\x00", {}), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_and_nothing_of_it_runs(name: str, tmp_path: Path) -> None:
    make, wrong = HOSTILE[name]
    sentinel = tmp_path / "sentinel"
    mlmodel, files = make(sentinel)
    folder = hostile.write(tmp_path / "model", mlmodel, **files)
    if wrong:
        with pytest.raises(StoreError, match=wrong) as caught:
            load_checked(folder, "theirs")
        assert len(str(caught.value)) <= 600
        assert "\n" not in str(caught.value)
    else:
        load_checked(folder, "theirs").predict([[1.0]])
    assert not sentinel.exists()


def renumbered(description: dict) -> None:  # type: ignore[type-arg]
    """Give the method's name the number of the pipeline's first name: skops reads a number once."""
    steps = description["content"]["content"]["steps"]["content"]
    first = steps[0]["content"][0]
    func = steps[0]["content"][1]["content"]["content"]["func"]
    first["content"] = '"eval"'
    func["attrs"]["content"][0]["__id__"] = first["__id__"]


def retyped(description: dict) -> None:  # type: ignore[type-arg]
    """Hide the method behind another kind of node."""
    steps = description["content"]["content"]["steps"]["content"]
    steps[0]["content"][1]["content"]["content"]["func"]["__loader__"] = "TypeNode"


@pytest.mark.parametrize("trick", [renumbered, retyped])
def test_a_description_that_contradicts_itself_is_refused(trick: Callable[..., None], tmp_path: Path) -> None:
    good = hostile.chain(hostile.call("astype", "float64"))
    assert forbidden_calls(io.BytesIO(good)) == []
    folder = hostile.write(tmp_path / "model", model=hostile.edited(good, trick))
    with pytest.raises(StoreError, match=r"two different things|holds methodcaller"):
        load_checked(folder, "theirs")


def test_what_our_own_features_call_is_allowed() -> None:
    calls = [
        hostile.call("astype", float),
        hostile.call("apply", hostile.attribute("dt.hour")),
        hostile.call("add", ["_", ""]),
        hostile.call("to_dict", "records"),
        hostile.attribute("T"),
        hostile.item("x"),
    ]
    assert forbidden_calls(io.BytesIO(hostile.chain(*calls))) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}")


def register(store: Store, folder: Path, name: str) -> None:
    """Make a model of somebody else's a champion."""
    model = store.client.create_logged_model(ensure_experiment(store, "theirs"), "model")
    store.client.log_model_artifacts(model.model_id, str(folder))
    store.client.finalize_logged_model(model.model_id, "READY")
    store.client.create_registered_model(name)
    with pointed_at(store):
        store.client.create_model_version(name, f"models:/{model.model_id}")
    store.client.set_registered_model_alias(name, "champion", "1")


def test_a_crafted_tree_crashes_its_own_process_only(store: Store, tmp_path: Path) -> None:
    register(store, hostile.write(tmp_path / "m", model=hostile.crafted_tree()), "crafted")
    champion = champion_of(store, "crafted")
    assert champion is not None
    load_pipeline(store, champion.uri)  # it reads as a sound tree would
    with pytest.raises(StoreError, match=r"its process was killed by SIG(SEGV|BUS) while it predicted"):
        predict_safely(store, champion.uri, ROWS)


def test_a_foreign_champion_predicts_apart_as_it_does_here(store: Store, tmp_path: Path) -> None:
    folder = hostile.write(tmp_path / "m")
    register(store, folder, "sound")
    there = predict_safely(store, "models:/sound@champion", ROWS)
    np.testing.assert_array_equal(there, load_checked(folder, "sound").predict(ROWS))


def test_what_goes_wrong_apart_is_told_in_a_line(tmp_path: Path) -> None:
    folder = hostile.write(tmp_path / "m")
    with pytest.raises(StoreError, match=r"model theirs: ValueError: .*features") as caught:
        predict_apart(folder, "theirs", pd.DataFrame({"x": [1.0], "y": [2.0]}))
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=r"did not predict within"):
        predict_apart(folder, "theirs", ROWS, seconds=0.01)


UNPICKLED = """
import pickle, sys, cloudpickle
loads, seen = pickle.loads, []
sys.addaudithook(lambda event, args: seen.append(args) if event == "pickle.find_class" else None)
for name in ("dump", "dumps"):
    setattr(cloudpickle, name, lambda *_: sys.exit(f"cloudpickle.{name}"))
import importlib.util, sweeps
if importlib.util.find_spec("dask"):  # its import copies functions of its own by pickle
    import dask.delayed
options = {"trials": 1, "engine": "serial", "tracking_uri": "sqlite:///mlflow.db", "register_as": "m", "cache": False}
before = len(seen)
for seed in (1, 2):
    print(sweeps.run_sweep("ridge", "diabetes", seed=seed, **options).model.alias)
print({module for module, _ in seen[before:] if not module.startswith(("numpy", "sklearn", "scipy"))})
"""


@pytest.mark.slow
def test_a_sweep_and_its_promotion_unpickle_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLED], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "champion"
    assert done.stdout.splitlines()[-1] == "set()"
    stored = [p.name for p in tmp_path.rglob("*") if p.suffix in (".pkl", ".pickle", ".joblib")]
    assert stored == []
