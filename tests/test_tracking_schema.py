"""How a trial becomes text and comes back: pure."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest

from sweeps.tracking.schema import legal, legal_names, param_text, thinned, value_of


@pytest.mark.parametrize("rounds", [1, 49, 50, 51, 52, 100, 1000, 100_000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_thinned_curve_keeps_what_the_eye_needs(rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    curve = tuple((step, rng.random()) for step in range(rounds))
    kept = thinned(curve)
    assert len(kept) <= 50
    assert set(kept) <= set(curve)
    assert list(kept) == sorted(kept)
    assert min(curve, key=lambda point: point[1]) in kept
    assert {curve[0], curve[-1]} <= set(kept)
    if rounds <= 50:
        assert kept == curve


def test_the_points_of_a_thinned_curve_are_spaced_by_their_logarithm() -> None:
    steps = [step for step, _ in thinned(tuple((step, -float(step)) for step in range(10_000)))]
    assert steps[:8] == list(range(8))
    assert max((later + 1) / (step + 1) for step, later in pairwise(steps[8:])) < 1.3


def test_a_curve_has_no_points_that_mlflow_cannot_hold() -> None:
    assert thinned(((0, math.nan), (1, 2.0), (3, math.inf), (2, 1.0))) == ((1, 2.0), (2, 1.0))


NUMBERS = [0, -7, 10**20, 0.1, -0.0, 1e-320, 1e22, 1e300]
TEXTS = ["", "auto", "1e5", "007", "1_000", "0x10", "nan", "inf", "True ", "reg:squarederror", "尺寸", "v1.0"]


@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, True, False, None])
def test_a_param_is_read_as_what_it_was_written_from(value: Any) -> None:
    back = value_of(param_text(value))
    assert (type(back), repr(back)) == (type(value), repr(value))


def test_no_param_is_longer_than_mlflow_takes() -> None:
    assert param_text("x" * 6000) == "x" * 6000
    assert (len(param_text("x" * 6001)), param_text("x" * 6001)[-2:]) == (6000, "x…")


NAMES = [
    "a b",
    "a[0]",
    "lr (log)",
    "a//b",
    "/a/",
    "../a",
    "a/./b",
    "..",
    ".",
    "",
    "größe",
    "x\ny",
    "%",
    "a/ .",
]


@pytest.mark.parametrize("name", [*NAMES, "k" * 251, "k" * 249 + "/b", "a" * 247 + "/..b"])
def test_every_name_becomes_one_that_mlflow_takes(name: str) -> None:
    from mlflow.utils.validation import _validate_param_name

    _validate_param_name(legal(name))  # type: ignore[no-untyped-call]
    assert 1 <= len(legal(name)) <= 250


def test_names_that_mlflow_could_not_tell_apart_stay_apart() -> None:
    names = ["a[0]", "a(0)", "a{0}", "a_0_", "k" * 300, "k" * 301]
    found = legal_names(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert all(len(name) <= 250 for name in found.values())
    assert found["a[0]"] == "a_0_"
