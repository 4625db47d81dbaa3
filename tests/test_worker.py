"""run_trial always gives an outcome, and leaves nothing behind for the next one."""

import math
import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io

from sweeps.data.datasets import load_dataset
from sweeps.data.prepared import open_folds, open_refit, prepare
from sweeps.data.spec import DataSpec
from sweeps.engines import open_engine
from sweeps.models import matrices
from sweeps.space.search_space import load_space
from sweeps.trial import Encoding, Outcome, Setup, State, Task
from sweeps.worker import run_trial

RIDGE = """
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.loguniform("alpha", -3, 3)}
MODEL = Ridge
"""
BOOSTED = """
from xgboost import XGBRegressor
SPACE = {
    "max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)),
    "learning_rate": hp.loguniform("learning_rate", -3, 0),
    "early_stopping_rounds": 5,
}
MODEL = XGBRegressor
"""
FOREST = """
from sklearn.ensemble import RandomForestRegressor
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)), "n_estimators": 40}
MODEL = RandomForestRegressor
"""
TRAIN = """
import os, random, sys
import numpy as np
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
"""
POINTS = {
    RIDGE: {"alpha": 0.5},
    BOOSTED: {"max_depth": 3.0, "learning_rate": 0.2},
    FOREST: {"max_depth": 4.0},
}
MEASURED = tuple((step, math.inf) for step in (5, 29, 89, 269))
"""Rungs where nothing is known yet."""


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """The diabetes data, encoded once with a validation split and once for three-fold cross-validation."""
    made = {}
    for cv in (None, 3):
        made[cv] = tmp_path_factory.mktemp("data") / "encoded"
        dataset = load_dataset(DataSpec(name="diabetes", cv=cv))
        prepare(dataset, Encoding(native_categories=False, keeps_missing=False), "auto", made[cv])
    return made


@pytest.fixture
def make_task(tmp_path, folders):
    """Writes a space and packs a point of it."""

    def make(body, *, cv=None, **changes):
        path = tmp_path / f"space{abs(hash(body))}.py"
        head = "from hyperopt import hp\nfrom hyperopt.pyll import scope\n"
        path.write_text(f'"""Made for a test."""\n{head}{body}\n')
        setup = Setup(str(path), load_space(str(path)).digest, str(folders[cv]), threads=1)
        return replace(Task(0, POINTS.get(body, {"x": 0.5}), seed=11, setup=setup), **changes)

    return make


def train(lines):
    return TRAIN + "\n".join(f"    {line}" for line in lines.split("; "))


@pytest.mark.parametrize("body", [RIDGE, BOOSTED], ids=["ridge", "boosted"])
def test_the_model_that_comes_back_has_the_score_that_comes_back(make_task, body):
    task = make_task(body)
    outcome = run_trial(task)
    assert outcome.state is State.COMPLETE, outcome.error
    assert outcome.error is None
    (fold,) = open_folds(task.setup.data)
    trusted = skops.io.get_untrusted_types(data=outcome.model)
    predicted = skops.io.loads(outcome.model, trusted=trusted).predict(fold.X_valid)
    residuals = fold.y_valid - predicted
    assert outcome.rmse == pytest.approx(float(np.sqrt(np.mean(residuals**2))), rel=1e-12)
    assert outcome.metrics["mae"] == pytest.approx(float(np.mean(np.abs(residuals))))
    assert 0 < outcome.metrics["r2"] < 1
    assert outcome.metrics["fit_seconds"] > 0


def test_the_same_task_gives_the_same_outcome(make_task):
    first, again = (run_trial(make_task(BOOSTED)) for _ in range(2))
    assert (first.rmse, first.curve, first.model is None) == (again.rmse, again.curve, again.model is None)
    assert first.rmse == pytest.approx(min(rmse for _, rmse in first.curve), rel=1e-6)


def test_cross_validation_gives_mean_and_spread(make_task):
    task = make_task(BOOSTED, cv=3)
    outcome = run_trial(task)
    assert outcome.state is State.COMPLETE, outcome.error
    assert outcome.metrics["rmse_std"] > 0
    assert outcome.model is None
    assert len(outcome.curve) > 5
    assert len(open_folds(task.setup.data)) == 3


def test_a_refit_is_scored_on_what_it_was_trained_on(make_task):
    task = make_task(BOOSTED, cv=3, refit_rounds=7)
    outcome = run_trial(task)
    assert outcome.state is State.COMPLETE, outcome.error
    model = skops.io.loads(outcome.model, trusted=skops.io.get_untrusted_types(data=outcome.model))
    assert model.get_booster().num_boosted_rounds() == 7
    fold = open_refit(task.setup.data)
    residuals = fold.y_train - model.predict(fold.X_train)
    assert outcome.rmse == pytest.approx(float(np.sqrt(np.mean(residuals**2))))


def test_a_model_not_worth_keeping_stays(make_task):
    assert run_trial(make_task(RIDGE, keep_below=1.0)).model is None


def test_a_model_that_cannot_be_kept_is_noted(make_task):
    body = RIDGE.replace("MODEL = Ridge", "class Own(Ridge):\n    extra = property(lambda self: 1)\n")
    body += "def MODEL(alpha):\n    made = Own(alpha)\n    made.hook = (n for n in ())\n    return made\n"
    outcome = run_trial(make_task(body, point={"alpha": 0.5}))
    assert outcome.state is State.COMPLETE, outcome.error
    assert outcome.model is None
    assert outcome.error.startswith("the model could not be kept: Own: ")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("raise ValueError('too\\n  deep')", "ValueError: too deep"),
        ("raise MemoryError('no more')", "MemoryError: no more"),
        ("sys.exit(4)", "SystemExit: 4"),
        ("return float('nan')", "ValueError: rmse is nan, which is not finite"),
        ("return float('-inf')", "ValueError: rmse is -inf, which is not finite"),
        ("return None", "TypeError: train(): rmse is None, a NoneType, not a number"),
        ("raise RuntimeError('x' * 50_000)", "RuntimeError: xxx"),
        ("f = lambda n: f(n + 1); return f(0)", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_what_goes_wrong_in_a_trial_is_told(make_task, lines, reason):
    task = make_task(train(lines))
    outcome = run_trial(task)
    assert outcome.state is State.FAILED
    assert outcome.reason.startswith(reason)
    assert len(outcome.error) < 7000
    assert outcome.rmse is None


def test_the_traceback_starts_in_the_users_code(make_task):
    task = make_task(train("raise ValueError('here')"))
    lines = run_trial(task).error.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert task.setup.space in lines[1]
    assert lines[-1] == "ValueError: here"


def test_a_ctrl_c_goes_through(make_task):
    with pytest.raises(KeyboardInterrupt):
        run_trial(make_task(train("raise KeyboardInterrupt")))


def test_a_changed_space_is_refused(make_task):
    task = make_task(RIDGE)
    outcome = run_trial(replace(task, setup=replace(task.setup, space_digest="0" * 64)))
    assert outcome.state is State.FAILED
    assert "changed after the sweep began" in outcome.reason


def test_a_trial_leaves_nothing_behind(make_task, tmp_path, capsys):
    dirty = train(
        f"os.chdir({str(tmp_path)!r}); os.environ['LEFT_BEHIND'] = '1'; random.seed(0); np.random.seed(0); "
        "print('noise'); return 1.0"
    )
    before = Path.cwd(), dict(os.environ), random.getstate(), np.random.get_state()[1].tolist()
    assert run_trial(make_task(dirty)).rmse == 1.0
    assert before == (Path.cwd(), dict(os.environ), random.getstate(), np.random.get_state()[1].tolist())
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "noise\n")


def test_each_trial_draws_from_its_own_seed(make_task):
    body = train("return random.random() + np.random.rand()")
    task = make_task(body)
    first, again, other = (run_trial(replace(task, seed=seed)).rmse for seed in (1, 1, 2))
    assert first == again != other


def test_it_runs_the_same_on_a_process_of_its_own(make_task):
    task = make_task(BOOSTED)
    with open_engine("local", 1, 1) as engine:
        there = engine.submit(run_trial, task).result(60)
    here = run_trial(task)
    assert there.state is State.COMPLETE, there.error
    assert (there.rmse, there.curve) == (here.rmse, here.curve)


def test_a_worker_builds_its_matrices_once(make_task, folders, tmp_path, monkeypatch):
    """Not once for each trial: of many rows and columns that takes longer than the training."""
    fresh = shutil.copytree(folders[None], tmp_path / "fresh")
    built, build = [], matrices._build
    monkeypatch.setattr(matrices, "_build", lambda *given: built.append(given) or build(*given))
    task = make_task(BOOSTED)
    task = replace(task, setup=replace(task.setup, data=str(fresh)))
    first, second = (run_trial(replace(task, point=POINTS[BOOSTED] | {"max_depth": n})) for n in (2, 4))
    assert (first.state, second.state) == (State.COMPLETE, State.COMPLETE)
    assert first.rmse != second.rmse
    assert len(built) == 1


THREADS = """
from joblib import effective_n_jobs
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_info
SPACE = {"alpha": hp.uniform("alpha", 0, 1)}
def threads():
    return sorted({one["num_threads"] for one in threadpool_info()}), effective_n_jobs(None)
"""
LOOKING = {
    "fit": """
class Looks(Ridge):
    def fit(self, X, y):
        raise ValueError(*threads())
MODEL = lambda **params: Looks(**params)
""",
    "train": """
def train(params, data, report):
    raise ValueError(*threads())
""",
}


@pytest.mark.parametrize("name", ["serial", "local"])
def test_a_trial_has_its_share_of_threads_and_no_more(make_task, name):
    """BLAS and OpenMP (threadpoolctl), and what scikit-learn makes of ``n_jobs=None`` (joblib)."""
    tasks = [make_task(THREADS + body, point={"alpha": 0.5}) for body in LOOKING.values()]
    shared = [replace(task, setup=replace(task.setup, threads=3)) for task in tasks]
    with open_engine(name, 1, 3) as engine:
        outcomes = [engine.submit(run_trial, task).result(60) for task in shared]
    assert [outcome.reason for outcome in outcomes] == ["ValueError: ([3], 3)"] * 2


def test_what_a_trial_imports_is_held_from_the_next_one_on():
    """Though the look for thread pools is not made anew for each trial."""
    code = """
from sweeps.models.threads import limited
with limited(3):
    import numpy
    import sklearn.utils
from threadpoolctl import threadpool_info
with limited(3):
    print(len(threadpool_info()) > 0, {one["num_threads"] for one in threadpool_info()})
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "True {3}\n"


def test_a_worker_never_imports_mlflow():
    code = "import sys, sweeps.worker; print('mlflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "False\n"


def cut_at(rung: int, known: Outcome):
    """Cutoffs that the same trial fails at this rung, by a hair."""
    return tuple((step, rmse - 1e-9 if step == rung else math.inf) for step, rmse in known.rungs)


def alike(one: Outcome, other: Outcome):
    """Equal but for the time it took, and for the archive's own bytes of a model."""
    first, second = (
        replace(outcome, model=None, metrics={**outcome.metrics, "fit_seconds": 0})
        for outcome in (one, other)
    )
    return first == second and (one.model is None) is (other.model is None)


@pytest.mark.parametrize(("body", "rung", "round_"), [(BOOSTED, 29, 15), (FOREST, 89, 9)], ids=["xgb", "rf"])
def test_a_pruned_trial_is_the_beginning_of_the_same_trial_unpruned(make_task, body, rung, round_):
    whole = run_trial(make_task(body, cutoffs=MEASURED))
    assert whole.state is State.COMPLETE, whole.error
    assert [step for step, _ in whole.rungs][:2] == [5, 29]
    pruned = run_trial(make_task(body, cutoffs=cut_at(rung, whole)))
    assert pruned.state is State.PRUNED, pruned.error
    assert pruned.curve == whole.curve[: len(pruned.curve)]
    assert pruned.curve[-1][0] == round_ - 1
    assert pruned.rmse == min(rmse for _, rmse in pruned.curve) == dict(whole.rungs)[rung]
    assert pruned.rungs == tuple((step, rmse) for step, rmse in whole.rungs if step <= rung)
    assert pruned.reason == f"pruned at round {round_}: rmse {pruned.rmse:.6g} > {pruned.rmse - 1e-9:.6g}"
    assert pruned.metrics.keys() == {"fit_seconds"}
    assert pruned.metrics["fit_seconds"] > 0
    assert pruned.model is None


@pytest.mark.parametrize("body", [RIDGE, BOOSTED], ids=["ridge", "boosted"])
def test_a_trial_that_survives_is_the_trial_without_pruning(make_task, body):
    alone, watched = run_trial(make_task(body)), run_trial(make_task(body, cutoffs=MEASURED))
    assert alone.rungs == ()
    assert alike(replace(watched, rungs=()), alone)


def test_a_forest_has_a_curve_only_where_it_is_watched(make_task):
    alone, watched = run_trial(make_task(FOREST)), run_trial(make_task(FOREST, cutoffs=MEASURED))
    assert alone.curve == ()
    assert [step for step, _ in watched.curve] == [0, 2, 8, 26, 39]
    assert watched.curve[-1][1] == watched.rmse == alone.rmse


def test_a_pruned_train_keeps_what_it_reported(make_task):
    body = train("[report(n, 9.0 - n) for n in range(7)]; return 1.0")
    outcome = run_trial(make_task(body, cutoffs=((0, 10.0), (3, 5.5))))
    assert (outcome.state, outcome.rmse) == (State.PRUNED, 6.0)
    assert outcome.curve == ((0, 9.0), (1, 8.0), (2, 7.0), (3, 6.0))
    assert outcome.reason == "pruned at round 4: rmse 6 > 5.5"


@pytest.mark.parametrize("after", ["return 1.0", "raise RuntimeError('stopped')"])
def test_a_train_that_swallows_its_end_is_pruned_all_the_same(make_task, after):
    body = train(f"try: report(3, 6.0)\n    except BaseException: {after}; return 1.0")
    outcome = run_trial(make_task(body, cutoffs=((3, 5.5),)))
    assert (outcome.state, outcome.rmse) == (State.PRUNED, 6.0)


def test_a_train_that_fails_before_its_end_has_failed(make_task):
    body = train("report(3, 5.0); raise RuntimeError('mine')")
    outcome = run_trial(make_task(body, cutoffs=((3, 5.5),)))
    assert (outcome.state, outcome.reason) == (State.FAILED, "RuntimeError: mine")


def test_a_ctrl_c_goes_through_a_pruned_trial_too(make_task):
    body = train("try: report(3, 6.0)\n    except BaseException: raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        run_trial(make_task(body, cutoffs=((3, 5.5),)))


def test_a_trial_that_never_was_a_number_fails(make_task):
    body = BOOSTED.replace("SPACE = {", 'SPACE = {"base_score": 1e300, ')
    outcome = run_trial(make_task(body, point=POINTS[BOOSTED], cutoffs=((1, 5.5),)))
    assert outcome.state is State.FAILED
    assert outcome.rmse is None


def test_folds_are_cut_by_their_mean_so_far(make_task):
    whole = run_trial(make_task(BOOSTED, cv=3, cutoffs=MEASURED))
    assert whole.state is State.COMPLETE, whole.error
    assert len(whole.folds) == 3
    assert whole.rmse == pytest.approx(np.mean(whole.folds))
    mean = float(np.mean(whole.folds[:2]))
    pruned = run_trial(make_task(BOOSTED, cv=3, cutoffs=((0, math.inf), (1, mean - 1e-6), (2, 0.0))))
    assert pruned.state is State.PRUNED
    assert pruned.folds == whole.folds[:2]
    assert pruned.rmse == pytest.approx(mean)
    assert pruned.reason.startswith("pruned at fold 2: mean rmse ")
    assert pruned.metrics["rmse_std"] > 0
    assert len(pruned.curve) > 5
    last = run_trial(make_task(BOOSTED, cv=3, cutoffs=((2, 0.0),)))
    assert (last.state, last.folds) == (State.COMPLETE, whole.folds)


@pytest.mark.parametrize("body", [BOOSTED, train("report(0, 2.0); return 1.0")], ids=["boosted", "train"])
def test_a_refit_is_never_pruned(make_task, body):
    outcome = run_trial(make_task(body, cv=3, refit_rounds=7, cutoffs=((0, 0.0), (2, 0.0))))
    assert outcome.state is State.COMPLETE, outcome.error


def test_an_outcome_that_was_pruned_travels(make_task):
    task = make_task(BOOSTED, cutoffs=((5, 0.0),))
    with open_engine("local", 1, 1) as engine:
        there = engine.submit(run_trial, task).result(60)
    assert there.state is State.PRUNED, there.error
    assert alike(there, run_trial(task))
