"""Every shipped search space: sound, described, defended, and usable by plain Hyperopt."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hyperopt import Trials, fmin, hp, rand
from hyperopt.pyll import scope
from sklearn.datasets import make_regression

from sweeps.lint import check_space
from sweeps.models import build
from sweeps.space.search_space import load_space

FOLDER = Path(__file__).parents[1] / "search_spaces"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
SHIPPED = [
    "any_regressor", "elastic_net", "extra_trees", "gradient_boosting", "lasso",
    "linear_svr", "random_forest", "ridge", "xgboost", "xgboost_course",
]  # fmt: skip


def load(name: str) -> Any:
    return load_space(str(FOLDER / f"{name}.py"))


def test_what_is_shipped() -> None:
    assert NAMES == SHIPPED


@pytest.mark.parametrize("name", NAMES)
def test_it_lints_without_a_word(name: str) -> None:
    space = load(name)
    assert check_space(space) == []
    assert 20 < len(space.summary) <= 100
    assert "sweeps" not in [
        line.split()[1].partition(".")[0] for line in space.source.splitlines() if "import" in line
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_works_with_plain_fmin(name: str) -> None:
    space, seen = load(name), list[Mapping[str, Any]]()

    def objective(params: Mapping[str, Any]) -> float:
        seen.append(params)
        return float(len(seen))

    rng, trials = np.random.default_rng(0), Trials()
    fmin(objective, space.expression, rand.suggest, 12, trials=trials, rstate=rng, show_progressbar=False)
    for params in seen:
        made = build(space.model, params).get_params()
        expected = {key: value for key, value in params.items() if key != "model"}
        assert {key: made[key] for key in expected} == expected


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n not in ("any_regressor", "xgboost", "xgboost_course")]
)
def test_its_middle_trains_on_a_small_table(name: str) -> None:
    X, y = make_regression(80, 5, noise=1.0, random_state=0)
    space = load(name)
    point = {h.label: _middle(h) for h in space.hyperparameters}
    fitted = build(space.model, space.params(point)).fit(X, y)
    assert np.isfinite(fitted.predict(X)).all()


def _middle(found: Any) -> float | int:
    if found.options:
        return 0
    low, high = found.reach
    middle = math.sqrt(low * high) if "log" in found.distribution else (low + high) / 2
    return round(middle) if "q" in found.args else middle


COURSE_FOREST = {
    "max_depth": scope.int(hp.quniform("max_depth", 1, 20, 1)),
    "n_estimators": scope.int(hp.quniform("n_estimators", 10, 50, 1)),
    "min_samples_split": scope.int(hp.quniform("min_samples_split", 2, 10, 1)),
    "min_samples_leaf": scope.int(hp.quniform("min_samples_leaf", 1, 4, 1)),
    "random_state": 42,
}
COURSE_XGBOOST = {
    "max_depth": scope.int(hp.quniform("max_depth", 4, 100, 1)),
    "learning_rate": hp.loguniform("learning_rate", -3, 0),
    "reg_alpha": hp.loguniform("reg_alpha", -5, -1),
    "reg_lambda": hp.loguniform("reg_lambda", -6, -1),
    "min_child_weight": hp.loguniform("min_child_weight", -1, 3),
    "objective": "reg:squarederror",
    "seed": 42,
    "n_estimators": 1000,
    "early_stopping_rounds": 50,
}


@pytest.mark.parametrize(
    ("name", "course"), [("random_forest", COURSE_FOREST), ("xgboost_course", COURSE_XGBOOST)]
)
def test_the_courses_spaces_give_the_courses_points(name: str, course: dict[str, Any]) -> None:
    visited = []
    for expression in (load(name).expression, course):
        seen: list[Any] = []
        rng = np.random.default_rng(42)
        fmin(
            lambda p, seen=seen: seen.append(p) or 1.0,
            expression,
            rand.suggest,
            15,
            rstate=rng,
            show_progressbar=False,
        )
        visited.append(seen)
    assert visited[0] == visited[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_features_it_asks_for(name: str) -> None:
    automatic = {"any_regressor", "elastic_net", "gradient_boosting", "xgboost"}
    assert load(name).features == ("auto" if name in automatic else "dataset")
