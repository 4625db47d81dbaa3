"""Each finding of the space doctor: when it comes, in which words, and that what it proposes is sound."""
# ruff: noqa: E501 - one finding a line reads as the table it is

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from sweeps.cli.main import cli
from sweeps.errors import SpaceError
from sweeps.lint import Finding, Severity, check_space, judge
from sweeps.lint.repeats import repeats
from sweeps.space.search_space import SearchSpace, list_spaces, load_space, open_space

HEAD = """\
from math import log
from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.linear_model import Ridge
from sklearn.ensemble import RandomForestRegressor
from xgboost import XGBRegressor
def MODEL(**params): return Ridge()
"""
HERE = HEAD.count("\n") + 1


def opened(folder: Path, text: str) -> SearchSpace:
    path = folder / "x.py"
    path.write_text(HEAD + text)
    return open_space(str(path))


def found(folder: Path, text: str, trials: int | None = None) -> list[Finding]:
    return judge(opened(folder, text), trials)[0]


class Case(NamedTuple):
    space: str
    severity: Severity
    code: str
    words: str


def warns(expression: str, code: str, words: str) -> Case:
    return Case(f"SPACE = {{'x': {expression}}}", Severity.WARNING, code, words)


def hints(expression: str, code: str, words: str) -> Case:
    return Case(f"SPACE = {{'x': {expression}}}", Severity.HINT, code, words)


XGB = "MODEL = XGBRegressor\nSPACE = {'max_depth': scope.int(hp.quniform('max_depth', 2, 9, 1)), "
CASES = {
    "exponents": warns(
        "hp.loguniform('x', 1e-3, 0.1)",
        "exponents",
        r"'x': loguniform\(0.001, 0.1\) draws from 1.001 to 1.105: its bounds are exponents; "
        r"did you mean loguniform\(log\(0.001\), log\(0.1\)\)\?$",
    ),
    "powers of e": hints(
        "hp.loguniform('x', -5, -1)",
        "powers-of-e",
        r"'x': loguniform\(-5, -1\) draws from 0.00674 to 0.368: its bounds are powers of e, not of 10; "
        r"for 1e-05 to 0.1 write hp.loguniform\('x', log\(1e-05\), log\(0.1\)\)$",
    ),
    "exponents, whole": warns(
        "scope.int(hp.qloguniform('x', 0, 3, 1))",
        "exponents",
        r"'x': qloguniform\(0, 3, 1\) draws from 1 to 20: its bounds are exponents; log\(0\) does not exist: "
        r"give a positive low, such as qloguniform\(log\(1\), log\(3\), 1\)$",
    ),
    "exponents, one step": warns(
        "hp.qloguniform('x', 0, 1, 1)", "exponents", r"; log\(0\) does not exist: give a positive low$"
    ),
    "exponents, far": warns(
        "hp.loguniform('x', -3, 40)",
        "exponents",
        r"; log\(-3\) does not exist: give a positive low, such as loguniform\(log\(0.04\), log\(40\)\)$",
    ),
    **{
        f"exponents {low}, {high}": warns(
            f"hp.loguniform('x', {low}, {high})",
            "exponents",
            rf"'x': loguniform\({low}, {high}\) draws from {drawn}: its bounds are exponents; "
            rf"did you mean loguniform\(log\({low}\), log\({high}\)\)\?$",
        )
        for low, high, drawn in [
            ("0.5", "1", "1.649 to 2.718"),
            ("1", "10", "2.718 to 2.203e\\+04"),
            ("1", "20", "2.718 to 4.852e\\+08"),
            ("2", "16", "7.389 to 8.886e\\+06"),
        ]
    },
    **{
        f"exponents 0, {high}": warns(
            f"hp.loguniform('x', 0, {high})",
            "exponents",
            rf"draws from 1 to {last}: its bounds are exponents; log\(0\) does not exist: give a positive low, "
            rf"such as loguniform\(log\({low}\), log\({high}\)\)$",
        )
        for high, last, low in [("20", "4.852e\\+08", "0.02"), ("0.1", "1.105", "0.0001")]
    },
    "an exponent for a mean": warns(
        "hp.lognormal('x', 0.1, 0.05)",
        "exponents",
        r"'x': lognormal\(0.1, 0.05\) draws values around 1.105: its mu is an exponent; for values around 0.1 write "
        r"lognormal\(log\(0.1\), log\(2\)\): two thirds of the draws then lie within a factor of 2$",
    ),
    "an exponent for a mean, steps": warns(
        "hp.qlognormal('x', 100, 1, 5)",
        "exponents",
        r"draws values around 2.688e\+43: its mu is an exponent; .* write qlognormal\(log\(100\), log\(2\), 5\): two",
    ),
    "a power of e for a mean": hints(
        "hp.lognormal('x', -3, 1)",
        "powers-of-e",
        r"draws values around 0.04979: its mu is a power of e, not of 10; for values around 0.001 write log\(0.001\)$",
    ),
    "a spread of magnitudes": warns(
        "hp.lognormal('x', log(100), 20)",
        "wide-sigma",
        r"draws 5 % of its values below 4.2e-16 or above 2.4e\+19: its sigma is that of the logarithm; such as log\(2\)",
    ),
    "decades": warns(
        "hp.uniform('x', 1e-5, 1)",
        "linear-scale",
        r"'x': uniform\(1e-05, 1\) draws 0.32 % of its values below 0.00316: its scale is linear, and it spans "
        r"5 decades; did you mean hp.loguniform\('x', log\(1e-05\), log\(1\)\)\?$",
    ),
    "decades of whole numbers": warns(
        "scope.int(hp.quniform('x', 1, 5000, 1))",
        "linear-scale",
        r"did you mean scope.int\(hp.qloguniform\('x', log\(1\), log\(5000\), 1\)\)\?$",
    ),
    "decades of randint": warns(
        "hp.randint('x', 2, 4000)",
        "linear-scale",
        r"scope.int\(hp.qloguniform\('x', log\(2\), log\(3999\), 1",
    ),
    "a magnitude from zero": Case(
        "SPACE = {'learning_rate': hp.uniform('x', 0, 1)}",
        Severity.HINT,
        "linear-scale",
        r"draws 3.1 % of its values below 0.0316: its scale is linear, and the magnitude of learning_rate matters; "
        r"did you mean hp.loguniform\('x', log\(0.001\), log\(1\)\)\?$",
    ),
    "below low": warns(
        "hp.quniform('x', 10, 500, 100)",
        "below-low",
        r"quniform\(10, 500, 100\) can give 0, below its low 10: it rounds to multiples of q; "
        r"did you mean hp.quniform\('x', 50, 550, 100\)\?$",
    ),
    "below low, log": warns(
        "hp.qloguniform('x', log(0.2), log(90), 1)",
        "below-low",
        r"can give 0, below its low 0.2: .* did you mean hp.qloguniform\('x', log\(1\), log\(90\), 1\)\?$",
    ),
    "never high": warns(
        "hp.quniform('x', 0, 10, 3)",
        "never-high",
        r"never reaches its high 10 \(the largest multiple of q it gives is 9\): it rounds to multiples of q; "
        r"did you mean hp.quniform\('x', -1.5, 10.5, 3\)\?$",
    ),
    "above high": warns(
        "hp.quniform('x', 0, 32, 3)",
        "above-high",
        r"can give 33, above its high 32: .*hp.quniform\('x', 0, 30, 3\)",
    ),
    "uniformint": hints(
        "hp.uniformint('x', 1, 5)",
        "halved-ends",
        r"'x': uniformint\(1, 5\) draws 1 and 5 half as often as the values between \(12.5 % against 25 %\): it "
        r"rounds a uniform draw; for equal shares write scope.int\(hp.quniform\('x', 0.5, 5.5, 1\)\)$",
    ),
    "few steps": hints(
        "hp.quniform('x', 0, 1, 0.25)", "halved-ends", r"write hp.quniform\('x', -0.125, 1.125, 0.25\)$"
    ),
    "cut off": warns(
        "scope.int(hp.uniform('x', 1, 9))",
        "cut-off",
        r"'x': scope.int\(uniform\(1, 9\)\) gives 1 … 8, never 9: int\(\) cuts off the fraction; "
        r"did you mean scope.int\(hp.quniform\('x', 1, 9, 1\)\)\?$",
    ),
    "cut off, log": warns(
        "scope.int(hp.loguniform('x', log(3), log(80)))",
        "cut-off",
        r"did you mean scope.int\(hp.qloguniform\('x', log\(3\), log\(80\), 1\)\)\?$",
    ),
    "cut steps": warns(
        "scope.int(hp.quniform('x', 0, 20, 0.5))", "cut-off", r"cuts its steps of 0.5 to whole numbers"
    ),
    "cut to nothing": warns("scope.int(hp.uniform('x', 0.1, 0.4))", "cut-off", r"leave scope.int out$"),
    "numbers": warns(
        "hp.choice('x', [50, 100, 200, 400])",
        "ordered-choice",
        r"'x': the choice draws numbers \(50, 100, 200, 400\) as if they had no order: tpe learns nothing about one "
        r"from its neighbours; did you mean scope.int\(hp.quniform\('x', 50, 400, 50\)\)\?$",
    ),
    "many numbers": warns(
        "hp.choice('x', list(range(2, 11)))",
        "ordered-choice",
        r"\(2, 3, 4, 5, …, 10\).*scope.int\(hp.quniform\('x', 2, 10, 1\)\)",
    ),
    "magnitudes": warns(
        "hp.choice('x', [0.001, 0.01, 0.1, 1.0])",
        "ordered-choice",
        r"hp.loguniform\('x', log\(0.001\), log\(1\)\)",
    ),
    "whole magnitudes": warns(
        "hp.choice('x', [1, 10, 100, 500])",
        "ordered-choice",
        r"scope.int\(hp.qloguniform\('x', log\(1\), log\(500\)",
    ),
    "fractions": warns(
        "hp.choice('x', [0.5, 0.6, 0.8, 1.0])", "ordered-choice", r"hp.uniform\('x', 0.5, 1\)\?"
    ),
    "odd numbers": warns("hp.choice('x', [3, 5, 7, 9])", "ordered-choice", r"hp.quniform\('x', 3, 9, 1\)"),
    "three numbers": hints(
        "hp.choice('x', [0.2, 0.4, 0.8])", "ordered-choice", r"hp.uniform\('x', 0.2, 0.8\)"
    ),
    "numbers or None": hints(
        "hp.choice('x', [None, 5, 10, 15])",
        "ordered-choice",
        r"did you mean hp.choice\('x', \[None, scope.int\(hp.quniform\('x_number', 2.5, 17.5, 5\)\)\]\)\?$",
    ),
    "randint": hints(
        "hp.randint('x', 3, 13)",
        "ordered-randint",
        r"'x': randint\(3, 13\) draws its 10 values as if they had no order: tpe learns nothing about one from its "
        r"neighbours; if their order matters write scope.int\(hp.quniform\('x', 3, 12, 1\)\)$",
    ),
    "many integers": warns(
        "hp.randint('x', 2**31)",
        "many-integers",
        r"has 2.14748e\+09 values and tpe keeps a weight for each; use sc",
    ),
    "one option": hints(
        "hp.choice('x', [{'a': hp.uniform('a', 0, 1)}])", "one-option", r"nothing to choose; write"
    ),
    "same options": warns(
        "hp.choice('x', ['a', 'b', 'a'])",
        "same-options",
        r"options 0 and 2 are the same, 'a': it is drawn twice as often",
    ),
    "never drawn": warns(
        "hp.pchoice('x', [(1, 'a'), (0, 'b')])",
        "never-drawn",
        r"'x': option 1 is never drawn: its probability is 0",
    ),
    "unused": Case(
        "b = hp.uniform('b', 0, 1)\nSPACE = {'x': hp.uniform('x', 0, 1)}",
        Severity.WARNING,
        "unused",
        rf"x\.py:{HERE}: 'b' is declared here and is not in SPACE: it is never drawn; put it into SPACE",
    ),
    "seed": Case(
        "SPACE = {'random_state': hp.choice('x', ['a', 'b'])}",
        Severity.WARNING,
        "searched-seed",
        r"'x': the search chooses the random_state: what it finds is luck .*; fix it: 'random_state': 42$",
    ),
    "all cores": Case(
        "SPACE = {'n_jobs': -1, 'x': hp.uniform('x', 0, 1)}",
        Severity.WARNING,
        "all-cores",
        r"n_jobs=-1 lets every trial take all cores: .*; leave it out: --workers and --threads share the cores$",
    ),
    "rounds": Case(
        XGB + "'early_stopping_rounds': 9, 'n_estimators': scope.int(hp.quniform('x', 50, 500, 1))}",
        Severity.HINT,
        "searched-rounds",
        r"with early_stopping_rounds=9 it is only a ceiling; fix it: 'n_estimators': 500$",
    ),
    "never stops": Case(
        XGB + "'early_stopping_rounds': 50, 'n_estimators': 50}",
        Severity.WARNING,
        "never-stops",
        r"early_stopping_rounds=50 never stops a training of n_estimators=50; raise n_estimators",
    ),
    "no effect": Case(
        "MODEL = XGBRegressor\nSPACE = {'booster': 'gblinear', 'max_depth': scope.int(hp.quniform('x', 2, 9, 1))}",
        Severity.WARNING,
        "no-effect",
        r"'x': max_depth has no effect: the model does not use it beside the other params; leave it out$",
    ),
    "two models": Case(
        "SPACE = {'model': 1, 'x': hp.uniform('x', 0, 1)}",
        Severity.WARNING,
        "two-models",
        r"MODEL is used, and the",
    ),
    "unbounded": Case(
        "MODEL = Ridge\nSPACE = {'alpha': hp.normal('x', 1, 0.4)}",
        Severity.WARNING,
        "unbounded",
        r"'x': normal\(1, 0.4\) has no bounds; at -0.2 a trial fails: .*'alpha'.*; "
        r"did you mean hp.uniform\('x', 0, 2.2\)\?$",
    ),
    "float for int": Case(
        "MODEL = RandomForestRegressor\nSPACE = {'max_depth': hp.quniform('depth', 1, 9, 1)}",
        Severity.ERROR,
        "float-for-int",
        rf"x\.py:{HERE + 1}: max_depth draws \d\.0: RandomForestRegressor needs an int "
        r"\(wrap it: scope\.int\(hp\.quniform\('depth', 1, 9, 1\)\)\)",
    ),
    "float for int, log": Case(
        "MODEL = XGBRegressor\nSPACE = {'max_leaves': hp.loguniform('x', log(8), log(64))}",
        Severity.ERROR,
        "float-for-int",
        r"XGBRegressor needs an int \(wrap it: scope.int\(hp.qloguniform\('x', log\(8\), log\(64\), 1\)\)\)",
    ),
    "the end of a range": Case(
        "MODEL = RandomForestRegressor\nSPACE = {'max_features': hp.quniform('x', 0, 1, 0.002)}",
        Severity.ERROR,
        "refused",
        r"'max_features' parameter .* must be .* Got 0\.0 instead",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_finding_has_its_words(tmp_path: Path, case: Case) -> None:
    [finding] = found(tmp_path, case.space)
    assert (finding.severity, finding.code) == (case.severity, case.code)
    assert re.search(case.words, finding.text), finding.text
    assert finding.text.startswith("space x.py")


def proposed(text: str) -> str:
    """The last Hyperopt expression in a text."""
    start = text.rindex("scope.int(") if "scope.int(hp" in text else text.rindex("hp.")
    end, depth = text.index("(", start) + 1, 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[start:end]


PROPOSING = {name: case for name, case in CASES.items() if re.search(r"hp.\w+\\\('x", case.words)}


@pytest.mark.parametrize("case", PROPOSING.values(), ids=PROPOSING)
def test_what_a_finding_proposes_has_no_finding(tmp_path: Path, case: Case) -> None:
    [finding] = found(tmp_path, case.space)
    assert found(tmp_path, f"SPACE = {{'x': {proposed(finding.text)}}}") == []


LOGARITHMS = re.compile(r"(?:did you mean|such as|write) (q?log\w+)\((log.*?\)(?:, \d+)?)\)[?:]?")
LOGARITHMIC = {name: case for name, case in CASES.items() if name.startswith(("exponents", "an exponent"))}


@pytest.mark.parametrize("case", LOGARITHMIC.values(), ids=LOGARITHMIC)
def test_the_logarithms_that_are_proposed_have_no_finding(tmp_path: Path, case: Case) -> None:
    meant = LOGARITHMS.search(found(tmp_path, case.space)[0].text)
    assert meant is not None or case.words.endswith("a positive low$")
    if meant is not None:
        assert found(tmp_path, f"SPACE = {{'x': hp.{meant[1]}('x', {meant[2]})}}") == []


@pytest.mark.parametrize(
    "expression",
    [
        "hp.loguniform('x', log(0.001), log(0.1))",
        "hp.loguniform('x', log(1), log(500))",
        "hp.lognormal('x', 0, 1)",
        "hp.lognormal('x', log(30), 0.5)",
    ],
)
def test_logarithms_are_taken_as_they_are(tmp_path: Path, expression: str) -> None:
    assert found(tmp_path, f"SPACE = {{'x': {expression}}}") == []


def test_steps_without_a_multiple_between_the_bounds(tmp_path: Path) -> None:
    listed = found(tmp_path, "SPACE = {'x': hp.quniform('x', 1, 5, 4)}")
    assert [f.code for f in listed] == ["below-low", "never-high"]
    assert {f.fix for f in listed} == {"choose a smaller q, or bounds that are multiples of it"}


SANE = """
SPACE = hp.choice("model", [
    {"kind": "a", "depth": scope.int(hp.quniform("depth", 1, 20, 1)), "loss": hp.choice("loss", ["x", "y"])},
    {"kind": "b", "rate": hp.loguniform("rate", log(0.01), log(0.3)), "share": hp.uniform("share", 0.5, 1)},
    {"kind": "c", "leaves": scope.int(hp.qloguniform("leaves", log(8), log(128), 1)), "n": hp.randint("n", 3)},
])
"""


def test_a_sane_space_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, SANE, trials=20) == []


@pytest.mark.parametrize("name", [listing.name for listing in list_spaces()])
def test_shipped_spaces_have_no_warning(name: str) -> None:
    listed, counted = judge(load_space(name), trials=500)
    assert [f.text for f in listed if f.severity is not Severity.HINT] == []
    assert counted is not None


def test_all_errors_are_listed_at_once(tmp_path: Path) -> None:
    text = "SPACE = {'a': hp.uniform('a', 0, -1), 'b': hp.quniform('b', 0, 1, 0), 'c': hp.uniform('lr (c)', 0, 1)}"
    listed = found(tmp_path, text, trials=20)
    assert [(f.severity, f.line) for f in listed] == [(Severity.ERROR, HERE)] * 3
    assert [f.label for f in listed] == [None, None, "lr (c)"]


def test_a_space_with_fewer_points_than_trials(tmp_path: Path) -> None:
    text = "SPACE = {'x': scope.int(hp.uniform('x', 0.5, 3.5)), 'y': hp.choice('y', ['a', 'b'])}"
    [few] = [f for f in found(tmp_path, text, trials=50) if f.code == "few-points"]
    assert few.text == (
        "space x.py: of 50 trials only 8 can run: the space has no more points: no point is tried twice; "
        "--trials 8, or finer steps"
    )


def test_a_space_whose_steps_are_hardly_more_than_the_trials(tmp_path: Path) -> None:
    text = "SPACE = {'x': hp.choice('x', ['a', 'b', 'c']), 'y': scope.int(hp.quniform('y', 1, 30, 1))}"
    space = opened(tmp_path, text)
    last = judge(space, trials=40)[0][-1]
    shown = re.search(
        r"of 40 points drawn at random (\d+) % \(± 0\.\d\) repeat an earlier one: the", last.text
    )
    assert last.code == "repeats"
    assert shown is not None
    assert "the space has 90 different points" in last.text
    expected = 1 - sum((1 - (1 - share / 3) ** 40) * 3 for share in [1 / 58] * 2 + [1 / 29] * 28) / 40
    assert int(shown[1]) == pytest.approx(100 * expected, abs=1)


def test_a_point_that_only_many_draws_find(tmp_path: Path) -> None:
    text = "SPACE = {'x': hp.choice('x', ['a', 'b']), 'y': 1 / scope.int(hp.uniform('y', 0, 300))}"
    listed = found(tmp_path, text, trials=20)
    assert (listed[0].severity, listed[0].code) == (Severity.ERROR, "refused")
    assert "ZeroDivisionError" in listed[0].text


def test_repeats_are_counted_as_the_model_sees_the_points(tmp_path: Path) -> None:
    """Two labels that give one value, and a float that is cut: the points differ, what is trained does not."""
    space = opened(tmp_path, "SPACE = {'x': hp.choice('m', [1, scope.int(hp.uniform('b', 1, 1.9))])}")
    counted = repeats(space, trials=5)
    assert (counted.share, counted.seen, counted.points) == (0.8, 1, None)


def test_run_says_the_same_words(tmp_path: Path) -> None:
    space = opened(tmp_path, "SPACE = {'x': hp.loguniform('x', 1e-3, 0.1), 'y': hp.uniformint('y', 1, 3)}")
    listed = [f.text for f in judge(space)[0] if f.severity is Severity.WARNING]
    assert check_space(space) == listed
    assert len(listed) == 1


def lint(*words: str) -> Result:
    return CliRunner().invoke(cli, ["lint", *words])


BAD = "SPACE = {'x': hp.uniform('x', 0, -1), 'y': hp.choice('x', ['a', 'b'])}"


def test_lint_prints_all_findings_and_a_verdict(tmp_path: Path) -> None:
    opened(tmp_path, BAD)
    done = lint(str(tmp_path / "x.py"))
    assert done.exit_code == 3
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["error", "error", "x"]
    assert done.stdout.splitlines()[-1] == "x: 2 errors; hyperparameters: x"


def test_lint_as_json(tmp_path: Path) -> None:
    opened(tmp_path, "SPACE = {'x': hp.loguniform('x', 1e-3, 0.1), 'y': hp.uniformint('y', 1, 3)}")
    done = lint(str(tmp_path / "x.py"), "--json", "--trials", "7")
    told: Any = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [(f["severity"], f["code"], f["label"], f["line"]) for f in told["findings"]] == [
        ("warning", "exponents", "x", HERE),
        ("hint", "halved-ends", "y", HERE),
    ]
    assert told["warnings"] == [told["findings"][0]["text"]]
    assert (told["repeats"]["trials"], told["repeats"]["share"], told["repeats"]["points"]) == (7, 0.0, None)


def test_a_file_that_does_not_import_is_a_finding_too(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import math\nSPACE = {\n")
    done = lint(str(tmp_path / "x.py"), "--json")
    [finding] = json.loads(done.stdout)["findings"]
    assert (finding["severity"], finding["code"], finding["line"]) == ("error", "unreadable", 2)
    assert isinstance(done.exception, SpaceError)


def test_a_good_space_is_told_in_one_line() -> None:
    done = lint("ridge")
    assert done.stdout == "ridge: ok; hyperparameters: alpha\n"
    assert done.stderr == "next: sweeps preview ridge\n"
