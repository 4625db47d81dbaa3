"""What a user may ask of a pruner, and what a watch says; the laws stand in laws/test_pruning."""

import subprocess
import sys

import pytest

from sweeps.errors import UsageError
from sweeps.pruning import PRUNERS, check_pruning, open_pruner, survives


@pytest.mark.parametrize(
    ("name", "options", "what", "said"),
    [
        ("ahsa", {}, "--prune ahsa", "did you mean 'asha'? known: asha, forecast, median, none"),
        ("", {}, "--prune ", "known: asha, forecast, median, none"),
        ("asha", {"min_round": "3"}, "--prune-option min_round", "known: eta, min_rounds, min_trials"),
        ("median", {"eta": "3"}, "--prune-option eta", "known: min_rounds, min_trials"),
        ("none", {"eta": "3"}, "--prune-option eta", "--prune none has no options"),
        ("asha", {"eta": "1"}, "--prune-option eta", "must be a number from 1.1 to 1000, got '1'"),
        ("asha", {"eta": "nan"}, "--prune-option eta", "got 'nan'"),
        ("asha", {"eta": "inf"}, "--prune-option eta", "got 'inf'"),
        ("asha", {"eta": "three"}, "--prune-option eta", "got 'three'"),
        ("asha", {"min_rounds": "0"}, "--prune-option min_rounds", "from 1 to 1000000, got '0'"),
        ("asha", {"min_rounds": "-3"}, "--prune-option min_rounds", "got '-3'"),
        ("median", {"min_trials": "2.5"}, "--prune-option min_trials", "a whole number"),
        ("median", {"min_trials": "9" * 5000}, "--prune-option min_trials", "a whole number"),
        ("median", {"min_trials": ""}, "--prune-option min_trials", "got ''"),
    ],
)
def test_a_mistake_is_named(name: str, options: dict[str, str], what: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        check_pruning(name, options)
    assert error.value.what == what
    assert said in str(error.value)
    with pytest.raises(UsageError):
        open_pruner(name, options)


@pytest.mark.parametrize(
    ("name", "options", "rungs"),
    [
        ("asha", {"min_rounds": "10", "eta": "3"}, [10, 30, 90, 270]),
        ("asha", {"min_rounds": "10"}, [10, 30, 90, 270]),
        ("asha", {"min_rounds": "1", "eta": "2.5"}, [1, 2, 6, 16]),
        ("median", {"min_rounds": "7"}, [7, 14, 28, 56]),
        ("asha", {"min_rounds": "1000000"}, [1000000]),
        ("none", {}, []),
    ],
)
def test_rungs_lie_where_the_options_say(name: str, options: dict[str, str], rungs: list[int]) -> None:
    steps = [step + 1 for step, _ in open_pruner(name, options).cutoffs()]
    assert steps[:4] == rungs
    assert len(set(steps)) == len(steps) < 500


@pytest.mark.parametrize("name", PRUNERS)
def test_every_default_may_be_given(name: str) -> None:
    given = {key: str(value) for key, value in PRUNERS[name].items()}
    assert open_pruner(name, given).cutoffs() == open_pruner(name, {}).cutoffs()


def test_the_reason_names_the_round_and_both_figures() -> None:
    watch = survives(((26, 6.02), (80, 1.0)))
    assert [watch(step, 7.31) for step in range(25, 29)] == [True, False, False, False]
    assert watch.reason == "pruned at round 27: rmse 7.31 > 6.02"


def test_a_mistake_on_the_command_line_costs_no_heavy_import() -> None:
    code = "import sys, sweeps.pruning; print({'numpy', 'mlflow', 'hyperopt'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "set()\n"
