"""run_trial always gives an outcome, and leaves nothing behind for the next one."""

import os
import random
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
from sweeps.space.search_space import load_space
from sweeps.trial import Encoding, Setup, State, Task
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
TRAIN = """
import os, random, sys
import numpy as np
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
"""
POINTS = {RIDGE: {"alpha": 0.5}, BOOSTED: {"max_depth": 3.0, "learning_rate": 0.2}}


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


def test_a_worker_never_imports_mlflow():
    code = "import sys, sweeps.worker; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
