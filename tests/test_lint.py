"""Bad search spaces, each with the line its user should see; and the doubtful ones that only warn."""

import math
import re
from pathlib import Path

import pytest
from hyperopt import hp
from hyperopt.pyll.stochastic import sample
from numpy.random import default_rng as rng

from sweeps.errors import SpaceError
from sweeps.lint import check_space
from sweeps.space.search_space import load_space

HEAD = """\
from math import inf, log, nan
from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.linear_model import Ridge
from sklearn.ensemble import RandomForestRegressor
from xgboost import XGBRegressor
MODEL = lambda **params: Ridge()
"""
HERE = HEAD.count("\n") + 1


def judge(folder: Path, text: str, head: str = HEAD) -> list[str]:
    path = folder / "x.py"
    path.write_text(head + text)
    return check_space(load_space(str(path)))


def one(expression: str) -> str:
    return f"SPACE = {{'x': {expression}}}"


def foreign(module: str, kind: str) -> tuple[str, str]:
    """A space with a distribution of another package, which need not be installed: it is told by name."""
    made = f"class {kind}:\n    __module__ = {module!r}\n"
    package = module.partition(".")[0]
    return made + one(f"{kind}()"), rf"'x' is {package} {kind}, not a hyperopt expression \(hp\.uniform"


BAD = {
    # nothing to search, or not Hyperopt's
    "none": ("SPACE = None", r"SPACE must be a non-empty dict of hyperopt expressions, got NoneType"),
    "empty": ("SPACE = {}", r"non-empty dict of hyperopt expressions, got an empty dict"),
    "number": ("SPACE = 5", r"got int"),
    "text": ("SPACE = 'abc'", r"got str"),
    "no SPACE": ("PARAMS = {}", r"no attribute 'SPACE' \(found: inf, nan, MODEL, PARAMS\)"),
    "constants": (one("1"), r"contains no hyperparameter"),
    "grid": (one("[1, 2]"), r"contains no hyperparameter \(a list is one fixed value: hp\.choice\('x'"),
    "lambda": (one("lambda: 1"), r"'x' is a lambda, not a hyperopt expression"),
    "set": (one("{1, 2}"), r"'x' is a set, not a hyperopt expression"),
    "generator": (one("(i for i in [1])"), r"'x' is a generator, not a hyperopt"),
    "range": (one("range(3)"), r"'x' is a range, not a hyperopt expression"),
    "scipy": (
        "from scipy.stats import uniform\n" + one("uniform(0, 1)"),
        r"'x' is scipy rv_\w+, not a hyper",
    ),
    "optuna": foreign("optuna.distributions", "FloatDistribution"),
    "ray": foreign("ray.tune.search.sample", "Float"),
    "skopt": foreign("skopt.space.space", "Real"),
    "ConfigSpace": foreign("ConfigSpace.hyperparameters", "UniformFloatHyperparameter"),
    "nevergrad": foreign("nevergrad.parametrization.data", "Scalar"),
    "unlabelled": (one("scope.uniform(0, 1)"), r"scope\.uniform\(0, 1\) has no label"),
    "keys": ("SPACE = {1: hp.uniform('x', 0, 1)}", r"must be text, got 1"),
    "not a dict": ("SPACE = [hp.uniform('x', 0, 1)]", r"must evaluate to a dict .* got tuple"),
    "division by zero": (one("1 / (hp.quniform('x', 1, 2, 1) * 0)"), r"x\.py.*: (TypeError|SPACE cannot)"),
    # labels
    "twice": (
        "SPACE = {'x': hp.uniform('a', 0, 1), 'y': hp.uniform('a', 0, 2)}",
        r"label 'a' is used by 'x' and 'y'",
    ),
    "branches": (
        "SPACE = hp.choice('m', [{'b': hp.uniform('a', 0, 1)}, {'c': hp.uniform('a', 0, 1)}])",
        r"label 'a' appears in branches 0 and 1 of 'm' \(use 'm0_a', 'm1_a'\)",
    ),
    "percent": (one("hp.uniform('a%b', 0, 1)"), r"label 'a%b' cannot be an MLflow name"),
    "brackets": (one("hp.uniform('lr (log)', 0, 1)"), r"cannot be an MLflow name"),
    "no letters": (one("hp.uniform('', 0, 1)"), r"label '' cannot be an MLflow name"),
    "newline": (one(r"hp.uniform('a\nb', 0, 1)"), r"cannot be an MLflow name"),
    "long": (one("hp.uniform('a' * 251, 0, 1)"), r"is 251 characters; MLflow stores 250"),
    "bytes": (one("hp.uniform(b'x', 0, 1)"), r"label b'x' is no text"),
    "up": (one("hp.uniform('../x', 0, 1)"), r"label '\.\./x' cannot be an MLflow name \(it reads as a path"),
    "slashes": (one("hp.uniform('a//b', 0, 1)"), r"label 'a//b' cannot be an MLflow name"),
    "key": ("SPACE = {'a%b': hp.uniform('x', 0, 1)}", r"param 'a%b' cannot be an MLflow name"),
    "reserved": (one("hp.uniform('mlflow.x', 0, 1)"), r"starts with mlflow\., which is reserved"),
    "ours": (one("hp.uniform('sweeps.x', 0, 1)"), r"starts with sweeps\., which is reserved"),
    "case": (
        "SPACE = {'x': hp.uniform('a', 0, 1), 'y': hp.uniform('A', 0, 2)}",
        r"labels 'A' and 'a' differ only by case",
    ),
    "clash": (
        "SPACE = {'objective': 'f', 'lr': hp.uniform('objective', 0, 1)}",
        r"label 'objective' clashes with the fixed parameter 'objective'",
    ),
    "no label": ("SPACE = {'x': hp.uniform(0, 1)}", r"first argument must be the label, a text"),
    # ranges
    "reversed": (one("hp.uniform('x', 5, 1)"), rf"x\.py:{HERE}: 'x': low 5 must be < high 1"),
    "reversed names": (one("hp.uniform('x', low=5, high=1)"), r"'x': low 5 must be < high 1"),
    "zero low": (one("hp.uniform('x', 0, -5)"), rf"x\.py:{HERE}: 'x': low 0 must be < high -5"),
    "equal": (one("hp.uniform('x', 0, 0)"), r"'x': low 0 must be < high 0"),
    "infinite": (one("hp.uniform('x', 0, inf)"), r"'x': high must be finite, got inf"),
    "nan": (one("hp.uniform('x', nan, 1)"), r"'x': low (must be finite, got nan|nan must be)"),
    "words": (one("hp.uniform('x', '0', '1')"), r"'x': low must be a plain number, got '0'"),
    "mixed": (one("hp.uniform('x', '0', 1)"), r"'x': low must be a plain number, got '0'"),
    "missing": (one("hp.uniform('x', 1)"), r"'x': uniform takes low, high; high missing"),
    "superfluous": (one("hp.uniform('x', 0, 1, 0.1)"), r"'x': uniform takes low, high; argument #3"),
    "misnamed": (one("hp.uniform('x', lo=0, high=1)"), r"'x': uniform takes low, high; argument 'lo'"),
    "dependent": (
        one("hp.uniform('x', 0, hp.uniform('y', 1, 2))"),
        r"'x': high must be a plain number, got a Hyp",
    ),
    "q zero": (one("hp.quniform('x', 0, 1, 0)"), r"'x': q must be > 0, got 0"),
    "q negative": (one("hp.quniform('x', 0, 1, -1)"), r"'x': q must be > 0, got -1"),
    "q nan": (one("hp.quniform('x', 0, 1, nan)"), r"'x': q must be finite, got nan"),
    "q wide": (one("hp.quniform('x', 0, 1, 5)"), r"'x': q 5 is larger than the range \(1 wide\)"),
    "sigma": (one("hp.normal('x', 0, 0)"), r"'x': sigma must be > 0, got 0"),
    "overflow": (
        one("hp.loguniform('x', 1e-5, 1e5)"),
        r"'x': loguniform\(1e-05, 100000\) overflows; its bounds are exponents, use log\(low\), log\(high\): "
        r"loguniform\(log\(1e-05\), log\(100000\)\)",
    ),
    "overflow q": (one("hp.qloguniform('x', 1, 1000, 1)"), r"overflows; .*log\(1\), log\(1000\), 1\)"),
    "underflow": (one("hp.loguniform('x', -1000, 0)"), r"underflows to 0"),
    "overflow normal": (
        one("hp.lognormal('x', 700, 10)"),
        r"overflows; mu and sigma are those of the logarithm",
    ),
    "no options": (one("hp.choice('x', [])"), r"'x': choice needs a non-empty list, got an empty one"),
    "letters": (one("hp.choice('x', 'abc')"), r"'x': choice needs a non-empty list, got a str"),
    "named letters": (
        "A = 'abc'\n" + one("hp.choice('x', A)"),
        r"'x': choice needs a non-empty list, got a str",
    ),
    "options set": (one("hp.choice('x', {'a', 'b'})"), r"'x': choice needs a non-empty list, got a set"),
    "options dict": (one("hp.choice('x', {'a': 1})"), r"'x': choice needs a non-empty list, got a dict"),
    "options int": (one("hp.choice('x', 5)"), r"'x': choice needs a non-empty list, got int 5"),
    "pairs": (one("hp.pchoice('x', [1, 2])"), r"'x': pchoice needs a list of pairs"),
    "randint 0": (one("hp.randint('x', 0)"), r"'x': randint\(0\) has no values"),
    "randint float": (one("hp.randint('x', 2.5)"), r"'x': randint needs whole numbers, got low=2.5"),
    "weights": (one("hp.pchoice('x', [(0.3, 1), (0.1, 2)])"), r"'x': probabilities sum to 0.4, not to 1"),
    "negative weight": (
        one("hp.pchoice('x', [(-0.5, 1), (1.5, 2)])"),
        r"'x': probabilities must be >= 0, got -0.5",
    ),
    "long value": (
        one("hp.choice('x', ['a', 'b', 'c' * 7000])"),
        r"option 2 of 'x' is 7000 characters; MLflow stores 6000",
    ),
    "long list": (
        one("hp.choice('x', [1, list(range(9999))])"),
        r"'x' is \d+ characters; MLflow stores 6000",
    ),
    # the model
    "no model": (
        "MODEL = None\n" + one("hp.uniform('x', 0, 1)"),
        r"no MODEL, no train\(\), and no key 'model'",
    ),
    "instance": (
        "MODEL = Ridge()\n" + one("hp.uniform('x', 0, 1)"),
        r"got sklearn Ridge \(write MODEL = Ridge\)",
    ),
    "both": ("def train(p, d, r): ...\n" + one("hp.uniform('x', 0, 1)"), r"has both MODEL and train\(\)"),
    "train": (
        "MODEL = None\ndef train(p): ...\n" + one("hp.uniform('x', 0, 1)"),
        r"train\(params, data, report\): too many positional",
    ),
    "float": (
        "MODEL = RandomForestRegressor\nSPACE = {'max_depth': hp.quniform('max_depth', 1, 9, 1)}",
        r"max_depth'? draws \d\.0: RandomForestRegressor needs an int \(wrap it: scope\.int",
    ),
    "float boosted": (
        "MODEL = XGBRegressor\nSPACE = {'max_depth': hp.quniform('max_depth', 1, 9, 1)}",
        r"max_depth'? draws \d\.0: XGBRegressor needs an int",
    ),
    "unknown": ("MODEL = Ridge\nSPACE = {'alhpa': hp.uniform('a', 0, 1)}", r"'alhpa', did you mean 'alpha'"),
    "unknown boosted": (
        "MODEL = XGBRegressor\nSPACE = {'bogus': hp.uniform('a', 0, 1)}",
        r"XGBRegressor.*'bogus'",
    ),
    "negative": (
        "MODEL = Ridge\nSPACE = {'alpha': hp.uniform('alpha', -2, -1)}",
        rf"x\.py:{HERE + 1}: .*'alpha'",
    ),
    "rare branch": (
        "MODEL = Ridge\nSPACE = {'alpha': hp.pchoice('a', [(1, 0.5), (0, hp.uniform('b', -2, -1))])}",
        r"'alpha'",
    ),
    "features": (
        "FEATURES = 'all'\n" + one("hp.uniform('x', 0, 1)"),
        r"FEATURES must be 'auto', 'dataset' or",
    ),
    # FIRST
    "first dict": ("FIRST = {'x': 1}\n" + one("hp.uniform('x', 0, 1)"), r"FIRST must be a list of dicts"),
    "first label": (
        "FIRST = [{'y': 1}]\n" + one("hp.uniform('x', 0, 1)"),
        r"FIRST\[0\]: unknown label 'y'.*known: x",
    ),
    "first text": ("FIRST = [{'x': 'a'}]\n" + one("hp.uniform('x', 0, 1)"), r"'x': needs a number, got 'a'"),
    "first range": (
        "FIRST = [{'x': 0.1}]\n" + one("hp.loguniform('x', 0, 1)"),
        r"FIRST\[0\]: 'x': 0.1 is outside 1 … 2.71828, all that loguniform\(0, 1\) gives",
    ),
    "first grid": (
        "FIRST = [{'x': 2.5}]\n" + one("hp.quniform('x', 0, 9, 1)"),
        r"'x': 2.5 is no multiple of 1",
    ),
    "first whole": ("FIRST = [{'x': 9}]\n" + one("hp.randint('x', 9)"), r"a whole number from 0 to 8, got 9"),
    "first option": (
        "FIRST = [{'x': 0}]\n" + one("hp.choice('x', ['a', 'b'])"),
        r"no option is 0 \(options: 'a', 'b'\)",
    ),
    "first branch": (
        "FIRST = [{'m': 0, 'a': 0.5}]\n" + one("hp.choice('m', [0, hp.uniform('a', 0, 1)])"),
        r"FIRST\[0\]: 'a' is not active for the given 'm'",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_space_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        judge(tmp_path, text)
    shown = str(caught.value)
    assert re.search(message, shown), shown
    assert shown.startswith("space x.py")
    assert "\n" not in shown
    assert caught.value.exit_code == 3


GOOD = {
    "nested": "SPACE = {'a': {'b': hp.uniform('x', 0, 1), 'c': [hp.normal('y', 0, 1), 3]}}",
    "shared node": "a = hp.uniform('a', 0, 1)\nSPACE = hp.choice('m', [{'x': a}, {'y': a}])",
    "models": "MODEL = None\nSPACE = hp.choice('model', [{'model': Ridge}, {'model': Ridge, 'tol': 1}])",
    "fixed elsewhere": "SPACE = hp.choice('m', [{'d': hp.uniform('d', 0, 1)}, {'d': 5}])",
    "a missing marker": "SPACE = {'missing': nan, 'x': hp.choice('x', [nan, 1.0])}",
    "arithmetic": "SPACE = {'x': 1 + hp.uniform('x', 0, 1) * 10, 'y': scope.int(hp.quniform('y', 1, 9, 1))}",
    "logs": "SPACE = {'x': hp.loguniform('x', log(0.1), log(9)), 'y': hp.qloguniform('y', log(8), 4, 1)}",
    "letters in a list": "SPACE = {'x': hp.choice('x', ['a', 'b']), 'y': hp.pchoice('y', [(1, 3)])}",
    "int for float": "MODEL = Ridge\nSPACE = {'alpha': hp.choice('alpha', [1, 2.5])}",
    "train": "MODEL = None\ndef train(params, data, report): ...\nSPACE = hp.uniform('x', 0, 1)",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_sound_space_passes_without_a_warning(tmp_path: Path, text: str) -> None:
    assert judge(tmp_path, text) == []


DOUBTFUL = {
    "exponents": (
        "hp.loguniform('x', 1e-3, 0.1)",
        r"loguniform\(0\.001, 0\.1\) draws from 1\.001 to 1\.105: its bounds are exponents; "
        r"did you mean loguniform\(log\(0\.001\), log\(0\.1\)\)\?",
    ),
    "large exponent": ("hp.loguniform('x', 0, 100)", r"draws from 1 to 2\.688e\+43"),
    "below low": ("hp.quniform('x', 10, 500, 100)", r"quniform\(10, 500, 100\) can give 0, below its low 10"),
    "misses high": ("hp.quniform('x', 0, 10, 3)", r"never reaches its high 10 \(.* is 9\)"),
    "above high": ("hp.quniform('x', 0, 11, 3)", r"can give 12, above its high 11"),
    "many integers": ("hp.randint('x', 2**31)", r"use scope\.int\(hp\.quniform\('x', 0, 2\.?1"),
}


@pytest.mark.parametrize(("expression", "message"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_range_is_a_warning_with_its_line(tmp_path: Path, expression: str, message: str) -> None:
    [warning] = judge(tmp_path, one(expression))
    assert re.match(rf"space x\.py:{HERE}: 'x': .*{message}", warning), warning


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_hyperopt_itself_accepts_what_is_refused_here() -> None:
    """The reason for all this: if Hyperopt begins to refuse, the messages may become its own."""
    assert hp.uniform("x", 0, -5).name == "float"
    assert math.isnan(sample(hp.quniform("x", 0, 1, 0), rng(0)))
    assert math.isinf(sample(hp.loguniform("x", 1e4, 1e5), rng(0)))
