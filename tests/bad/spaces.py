"""Search spaces that cannot be used: exit code 3."""
# ruff: noqa: E501 - one mistake a line reads as the table it is

from tests.bad.case import SPACE, Case, odd, private
from tests.bad.places import GOOD_TABLE

HP = "from hyperopt import hp\nfrom sklearn.linear_model import Ridge\nMODEL = Ridge\n"


def declares(expression: str) -> dict[str, str | bytes]:
    return odd(f"{HP}SPACE = {expression}\n")


SPACES = {
    "unknown space": Case("run ridgee --data diabetes", 3, "unknown search space 'ridgee', did you mean 'ridge'.*lasso"),
    "unknown space, linted": Case("lint ridgee", 3, r"did you mean 'ridge'\?.*sweeps spaces"),
    "B14 missing": Case("run nowhere.py --data diabetes", 3, "space 'nowhere.py': no such file"),
    "B14 folder": Case("lint ./", 3, r"space '\.': is a folder \(give a \.py file in it\)"),
    "B14 other file": Case("lint ./table.csv", 3, "space 'table.csv': is not a .py file"),
    "long name of a space": Case(f"lint {'x' * 300}.py", 3, "cannot be read: File name too long"),
    "space in a closed folder": Case("lint private/space.py", 3, "space 'private/space.py': cannot be read: Permission denied", prepare=private, powerless=True),
    "B15 syntax error": Case(SPACE, 3, r"space odd\.py:1: SyntaxError: '\{' was never closed", odd("SPACE = {")),
    "B16 import fails": Case(SPACE, 3, r"space odd\.py: No module named 'foo' \(imported at line 2", odd("\nimport foo\n")),
    "B17 raises": Case(SPACE, 3, r"space odd\.py:1: ValueError: boom", odd("raise ValueError('boom')")),
    "B18 exits": Case(SPACE, 3, r"space odd\.py.*: called exit during import", odd("import sys\nsys.exit(0)\n")),
    "B18 exits at once": Case("lint odd.py", 3, "called exit during import", odd("import os\nos._exit(0)\n")),
    "B20 no UTF-8": Case(SPACE, 3, r"space odd\.py:1: not valid UTF-8 Python", odd(b"x = '\xff'")),
    "B20 NUL": Case("lint odd.py", 3, r"space odd\.py:1: .*null bytes", odd("x = '\0'")),
    "B20 tabs and spaces": Case(SPACE, 3, r"space odd\.py:3: TabError: inconsistent use of tabs", odd("if True:\n\tx = 1\n        y = 2\n")),
    "B21 no SPACE": Case(SPACE, 3, r"no attribute 'SPACE' \(found: PARAMS\)", odd("PARAMS = {}")),
    **{
        f"B22 SPACE is {value}": Case(SPACE, 3, r"SPACE must be a non-empty dict of hyperopt expressions, got", declares(value))
        for value in ("{}", "None", "5", "'abc'")
    },
    "B23 only constants": Case(SPACE, 3, "SPACE contains no hyperparameter", declares("{'alpha': 1}")),
    "B23 a lambda": Case(SPACE, 3, r"'alpha' is a lambda, not a hyperopt expression", declares("{'alpha': lambda: 1}")),
    **{
        f"B23 {kind}": Case(SPACE, 3, rf"'alpha' is a {kind}, not a hyperopt expression", declares(f"{{'alpha': {value}}}"))
        for kind, value in (("set", "{0.1, 1.0}"), ("generator", "(i for i in [1])"))
    },
    "B23 optuna": Case(
        SPACE, 3, "'alpha' is (an? )?optuna FloatDistribution, not a hyperopt expression",
        odd(f"{HP}class FloatDistribution:\n    __module__ = 'optuna.distributions'\nSPACE = {{'alpha': FloatDistribution()}}\n"),
    ),
    "B24 duplicate label": Case(
        SPACE, 3, r"label 'a' is used by 'x' and 'y' \(give each", declares("{'x': hp.uniform('a', 0, 1), 'y': hp.uniform('a', 0, 1)}")
    ),
    "B25 label in two branches": Case(
        SPACE, 3, r"label 'a' appears in branches 0 and 1 of 'm' \(use 'm0_a'",
        declares("{'alpha': hp.choice('m', [hp.uniform('a', 0, 1), hp.uniform('a', 0, 2)])}"),
    ),
    **{
        f"B26 label {label!r}": Case(SPACE, 3, "label .* cannot be an MLflow name", declares(f"{{'alpha': hp.uniform({label!r}, 0, 1)}}"))
        for label in ("a%b", "lr (log)", "x[0]", "../x", "a//b", "a\nb", "")
    },
    "B26 long label": Case(SPACE, 3, "is 251 characters; MLflow stores 250", declares("{'alpha': hp.uniform('a' * 251, 0, 1)}")),
    "B26 label of bytes": Case(SPACE, 3, "label b'x' is no text", declares("{'alpha': hp.uniform(b'x', 0, 1)}")),
    "B27 a fixed parameter": Case(SPACE, 3, "label 'solver' clashes with the fixed parameter 'solver'", declares("{'solver': 'auto', 'alpha': hp.uniform('solver', 0, 1)}")),
    "B27 case": Case(SPACE, 3, "labels 'A' and 'a' differ only by case", declares("{'alpha': hp.uniform('a', 0, 1), 'tol': hp.uniform('A', 0, 1)}")),
    "B27 NFC": Case(SPACE, 3, "differ only by case or Unicode form", declares(r"{'alpha': hp.uniform('\u212b', 0, 1), 'tol': hp.uniform('\u00c5', 0, 1)}")),
    "B27 reserved label": Case(SPACE, 3, "label 'mlflow.a' starts with mlflow", declares("{'alpha': hp.uniform('mlflow.a', 0, 1)}")),
    "B28 reversed": Case(SPACE, 3, r"'x': low 5 must be < high 1", declares("{'alpha': hp.uniform('x', 5, 1)}")),
    "B28 reversed, zero": Case(SPACE, 3, "'x': low 0 must be < high -5", declares("{'alpha': hp.uniform('x', 0, -5)}")),
    "B28 equal": Case(SPACE, 3, "'x': low 0 must be < high 0", declares("{'alpha': hp.uniform('x', 0, 0)}")),
    **{
        f"B29 {what}": Case(SPACE, 3, f"'x': {said}", declares(f"{{'alpha': hp.{call}}}"))
        for what, call, said in (
            ("NaN", "uniform('x', float('nan'), 1)", "low must be finite, got nan"),
            ("q is NaN", "quniform('x', 0, 5, float('nan'))", "q must be finite, got nan"),
            ("q beyond the range", "quniform('x', 0, 1, 5)", "q 5 is larger than the range"),
            ("sigma is 0", "normal('x', 0, 0)", "sigma must be > 0, got 0"),
            ("text", "uniform('x', '0', '1')", "low must be a plain number, got '0'"),
            ("one bound", "uniform('x', 1)", "uniform takes low, high; high missing"),
        )
    },
    "B29 q is 0": Case(SPACE, 3, "'x': q must be > 0, got 0", declares("{'alpha': hp.quniform('x', 0, 5, 0)}")),
    "B29 infinite": Case(SPACE, 3, "'x': high must be finite", declares("{'alpha': hp.uniform('x', 0, float('inf'))}")),
    "B30 exponents": Case(SPACE, 3, r"'x': loguniform.* overflow.*log\(", declares("{'alpha': hp.loguniform('x', 1e-5, 1e5)}")),
    "B31 no options": Case(SPACE, 3, "'x': choice needs a non-empty list", declares("{'alpha': hp.choice('x', [])}")),
    "B31 letters": Case(SPACE, 3, "'x': choice needs a non-empty list, got a str", declares("{'alpha': hp.choice('x', 'abc')}")),
    "B31 a number": Case(SPACE, 3, "'x': choice needs a non-empty list, got int 5", declares("{'alpha': hp.choice('x', 5)}")),
    "B31 randint of 0": Case(SPACE, 3, r"'x': randint\(0\) has no values", declares("{'alpha': hp.randint('x', 0)}")),
    "B32 weights": Case(SPACE, 3, "'x': probabilities sum to 0.4", declares("{'alpha': hp.pchoice('x', [(.2, 1), (.2, 2)])}")),
    "B33 no integer": Case(
        SPACE, 3, r"odd.py:3: max_depth draws \d\.0: RandomForestRegressor needs an int.*scope\.int",
        odd("from hyperopt import hp\nfrom sklearn.ensemble import RandomForestRegressor as MODEL\nSPACE = {'max_depth': hp.quniform('max_depth', 1, 9, 1)}"),
    ),
    "B34 unknown parameter": Case(SPACE, 3, "unknown parameter of Ridge 'bogus'; known: alpha", declares("{'bogus': hp.uniform('x', 0, 1)}")),
    "B35 a long option": Case(SPACE, 3, r"is 7000 characters; MLflow stores 6000", declares("{'solver': hp.choice('x', ['auto', 'a' * 7000])}")),
    "no model": Case(SPACE, 3, r"no MODEL, no train\(\).*\(MODEL = ", odd("from hyperopt import hp\nSPACE = {'a': hp.uniform('a', 0, 1)}")),
    "FIRST out of reach": Case(SPACE, 3, r"FIRST\[0\]: 'x'", declares("{'alpha': hp.uniform('x', 0, 1)}\nFIRST = [{'x': 7}]")),
    "FEATURES of a wrong kind": Case(SPACE, 3, "FEATURES must be 'auto', 'dataset' or", declares("{'alpha': hp.uniform('x', 0, 1)}\nFEATURES = 5")),
    "FEATURES that fail": Case(
        SPACE, 3, "FEATURES: .*nope",
        declares("{'alpha': hp.uniform('x', 0, 1)}\nfrom sklearn.compose import ColumnTransformer\nFEATURES = ColumnTransformer([('a', 'passthrough', ['nope'])])"),
    ),
    "FEATURES that give text": Case(
        SPACE, 3, "FEATURES: .*", {**declares("{'alpha': hp.uniform('x', 0, 1)}\nfrom sklearn.preprocessing import FunctionTransformer\nFEATURES = FunctionTransformer()"), "table.csv": GOOD_TABLE.replace("a,b,y", "a,b,y").replace(",0,", ",zero,").replace(",1,", ",one,").replace(",2,", ",two,").replace(",3,", ",three,").replace(",4,", ",four,").replace(",5,", ",five,").replace(",6,", ",six,")},
    ),
}  # fmt: skip
