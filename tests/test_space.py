"""Search-space modules: found, listed, imported, evaluated."""

import hashlib
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hyperopt import Trials, fmin, rand, space_eval

import sweeps
from sweeps.errors import SpaceError
from sweeps.space.module import import_space, read_space
from sweeps.space.search_space import SearchSpace, find_space, list_spaces, load_space

SOUND = """\
\"\"\"A ridge.

More.
\"\"\"
from hyperopt import hp
from sklearn.linear_model import Ridge
MODEL = Ridge
SPACE = {"alpha": hp.uniform("alpha", 0, 1)}
"""


def load(folder: Path, text: str, name: str = "x.py") -> SearchSpace:
    path = folder / name
    path.write_text(text)
    return load_space(str(path))


def load_parts(folder: Path, text: str) -> SearchSpace:
    return load(folder, "from hyperopt import hp\nfrom hyperopt.pyll import scope\nMODEL = dict\n" + text)


def test_a_module_by_path(tmp_path: Path) -> None:
    space = load(tmp_path, SOUND)
    assert (space.name, space.path, space.summary) == ("x", tmp_path / "x.py", "A ridge.")
    assert space.digest == hashlib.sha256(SOUND.encode()).hexdigest()
    assert (space.source, space.labels, space.features, space.train) == (SOUND, ("alpha",), "auto", None)
    assert space.params({"alpha": np.float64(0.5)}) == {"alpha": 0.5}


def test_a_users_space_goes_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = {listing.name for listing in list_spaces()}
    (tmp_path / "search_spaces").mkdir()
    for name in ("ridge", "mine", "_helper"):
        (tmp_path / "search_spaces" / f"{name}.py").write_text(SOUND)
    found = {listing.name: listing for listing in list_spaces()}
    assert set(found) == shipped | {"mine"}
    assert found["ridge"].path.parent == tmp_path / "search_spaces"
    assert found["mine"].summary == "A ridge."
    assert find_space("mine") == tmp_path / "search_spaces" / "mine.py"
    assert {listing.name for listing in list_spaces(tmp_path)} == set(found)


def test_a_broken_file_is_listed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "search_spaces").mkdir()
    (tmp_path / "search_spaces" / "broken.py").write_text("SPACE = {")
    listing = next(x for x in list_spaces(tmp_path) if x.name == "broken")
    assert listing.summary == "(cannot be read: SyntaxError)"


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sweeps.space.module import list_spaces; assert len(list_spaces()) >= 10; "
        "print([m for m in ('hyperopt', 'numpy', 'sklearn', 'xgboost', 'mlflow') if m in sys.modules])"
    )
    folder = Path(sweeps.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=folder, timeout=120
    )
    assert done.stdout == "[]\n"


NOT_THERE = {
    "unknown": ("rigde", r"unknown search space 'rigde', did you mean 'ridge'\? known: any_regressor, "),
    "missing": ("nowhere/x.py", r"space 'nowhere/x\.py': no such file"),
    "shipped": ("here/ridge.py", r"no such file \(or the name 'ridge' of a shipped one\)"),
    "folder": ("folder.py", r"space 'folder\.py': is a folder"),
    "not python": ("./x.txt", r"is not a \.py file"),
    "no suffix": ("x", r"there is a file x\.py here: give x\.py"),
}


@pytest.mark.parametrize(("name", "message"), NOT_THERE.values(), ids=NOT_THERE)
def test_a_name_that_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "x.txt").touch()
    (tmp_path / "x.py").touch()
    with pytest.raises(SpaceError, match=message):
        find_space(name)


BROKEN: dict[str, tuple[bytes, str]] = {
    "syntax": (b"\nSPACE = {", r"x\.py:2: SyntaxError: '\{' was never closed"),
    "tabs": (b"if 1:\n\tx = 1\n        y = 2\n", r"x\.py:3: TabError: inconsistent use of tabs"),
    "latin": (b"# fine\nx = '\xe9'\n", r"x\.py:2: not valid UTF-8 Python"),
    "nul": (b"x = 1\n\0", r"x\.py:\d: SyntaxError: source code string cannot contain null bytes"),
    "missing import": (
        b"\nimport nowhere_to_be_found\n",
        r"x\.py: No module named .* \(imported at line 2; install",
    ),
    "raises": (b"\n\nraise ValueError('boom')", r"x\.py:3: ValueError: boom"),
    "exits": (b"import sys\nsys.exit(0)", r"x\.py:2: called exit during import"),
    "exits at once": (b"import os\nos._exit(0)", r"x\.py:2: called exit during import"),
    "recursion": (b"def f(): f()\nf()", r"x\.py:1: RecursionError"),
    "helper": (b"import a_bad_helper", r"x\.py:1: ZeroDivisionError: .* \(raised at a_bad_helper\.py:2\)"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_module_that_does_not_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    (tmp_path / "x.py").write_bytes(content)
    (tmp_path / "a_bad_helper.py").write_text("\n1 / 0")
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "sweeps_space_x", raising=False)
    with pytest.raises(SpaceError, match=message) as caught:
        load_space(str(tmp_path / "x.py"))
    assert caught.value.exit_code == 3
    assert "sweeps_space_x" not in sys.modules


def test_an_import_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("while True: pass")
    with pytest.raises(SpaceError, match=r"x\.py:1: import took longer than 0\.1 s"):
        import_space(read_space(tmp_path / "x.py"), seconds=0.1)


def test_what_a_module_prints_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(tmp_path, f"print('noise')\n{SOUND}")
    assert capsys.readouterr() == ("", "noise\n")


def test_helpers_beside_a_space_import_but_shadow_nothing(tmp_path: Path) -> None:
    (tmp_path / "helper_beside_x.py").write_text("LOW = 0.25")
    (tmp_path / "json.py").write_text("raise ImportError('shadowed')")
    (tmp_path / "sklearn.py").write_text("raise ImportError('shadowed')")
    space = load(tmp_path, "import json, helper_beside_x as h\n" + SOUND.replace("0, 1", "h.LOW, 1"))
    assert space.hyperparameters[0].args["low"] == 0.25


def test_classes_of_a_module_pickle_by_reference(tmp_path: Path) -> None:
    text = SOUND.replace("MODEL = Ridge", "class MODEL(Ridge): pass")
    space = load(tmp_path, text, "my-own space.py")
    assert space.model is not None
    assert pickle.loads(pickle.dumps(space.model)) is space.model  # noqa: S301 - our own bytes
    assert load_space(str(space.path)).model is space.model, "unchanged text: the same module"
    space.path.write_text(text + "\nX = 1\n")
    assert load_space(str(space.path)).model is not space.model, "changed text: a new one"


def test_no_bytecode_is_left_beside_the_users_file(tmp_path: Path) -> None:
    load(tmp_path, SOUND)
    assert [p.name for p in tmp_path.iterdir()] == ["x.py"]


def test_params_are_plain_python(tmp_path: Path) -> None:
    space = load_parts(
        tmp_path,
        "import numpy as np\n"
        "SPACE = {'n': scope.int(hp.quniform('n', 1, 9, 1)), 'q': hp.quniform('q', 1, 9, 1), "
        "'np': np.float32(2), 'r': hp.randint('r', 2, 5), "
        "'c': hp.choice('c', ['a', (1, 2), None, True, {'k': np.int64(3)}])}",
    )
    point: dict[str, Any] = {"n": np.float64(3), "q": 4, "c": 4.0, "r": np.int64(2)}
    params = space.params(point)
    assert params == {"n": 3, "q": 4.0, "np": 2.0, "c": {"k": 3}, "r": 2}
    kinds = {key: type(value) for key, value in params.items()}
    assert kinds == {"n": int, "q": float, "np": float, "c": dict, "r": int}
    assert [space.params({**point, "c": i})["c"] for i in range(4)] == ["a", (1, 2), None, True]


def test_params_are_those_of_fmin(tmp_path: Path) -> None:
    space = load_parts(
        tmp_path,
        "SPACE = hp.choice('m', [{'a': hp.lognormal('a', 0, 1), 'b': [1, hp.randint('b', 3)]},"
        " {'c': 2 * hp.uniform('c', 0, 1), 'd': {'e': hp.pchoice('e', [(0.5, 1), (0.5, 2)])}}])",
    )
    seen: list[Any] = []
    trials = Trials()

    def objective(params: Any) -> float:
        seen.append(params)
        return 0.0

    rng = np.random.default_rng(0)
    fmin(objective, space.expression, rand.suggest, 20, trials=trials, rstate=rng, show_progressbar=False)
    points = [{k: v[0] for k, v in t["misc"]["vals"].items() if v} for t in trials.trials]
    assert [space.params(point) for point in points] == seen
    assert [space_eval(space.expression, point) for point in points] == seen


def test_a_point_that_lacks_an_active_label(tmp_path: Path) -> None:
    space = load_parts(tmp_path, "SPACE = {'x': hp.choice('m', [0, hp.uniform('a', 0, 1)])}")
    assert space.params({"m": 0}) == {"x": 0}
    with pytest.raises(ValueError, match="the point lacks 'a'"):
        space.params({"m": 1})


def test_only_train_takes_a_space_that_is_no_dict(tmp_path: Path) -> None:
    text = "from hyperopt import hp\nSPACE = hp.uniform('x', 0, 1)\ndef train(params, data, report): ...\n"
    assert load(tmp_path, text).params({"x": 0.5}) == {"params": 0.5}


def test_logged_params_are_flat_and_named(tmp_path: Path) -> None:
    space = load_parts(tmp_path, "SPACE = {'x': hp.uniform('x', 0, 1)}")
    params = {
        "model": dict,
        "f": len,
        "a": {"b": {"c": 1}, 2: True},
        "t": (1, 2),
        "n": None,
        "e": {},
        "s": "z",
    }
    assert space.logged_params(params) == {
        "model": "dict", "f": "len", "a.b.c": 1, "a.2": True, "t": "(1, 2)", "n": None, "e": "{}", "s": "z",
    }  # fmt: skip


FIRST_SPACE = """
from sklearn.linear_model import Lasso, Ridge
from math import log
SPACE = {
    "u": hp.uniform("u", 0, 1), "lu": hp.loguniform("lu", log(0.001), log(0.1)),
    "q": scope.int(hp.quniform("q", 1, 9, 1)), "ql": hp.qloguniform("ql", log(8), log(99), 1),
    "n": hp.normal("n", 0, 1), "r": hp.randint("r", 3), "r2": hp.randint("r2", -5, 5),
    "c": hp.choice("c", [1, True, 1.0, "one", None, [1, 2]]), "p": hp.pchoice("p", [(0.5, "a"), (0.5, "b")]),
    "m": hp.choice("m", [
        {"model": Ridge, "alpha": hp.uniform("ridge_alpha", 0, 1)},
        {"model": Lasso, "alpha": hp.uniform("lasso_alpha", 0, 1)},
        {"kind": "knn", "k": hp.randint("k", 5)},
    ]),
}
"""
FIRST = {
    "numbers": (
        "{'u': 1, 'lu': 0.1, 'q': 5, 'ql': 8, 'n': -3}",
        {"u": 1.0, "lu": 0.1, "q": 5.0, "ql": 8.0, "n": -3.0},
    ),
    "whole": ("{'r': 2, 'r2': -5}", {"r": 2, "r2": -5}),
    "type first": ("{'c': True}", {"c": 1}),
    "float": ("{'c': 1.0}", {"c": 2}),
    "text": ("{'c': 'one', 'p': 'b'}", {"c": 3, "p": 1}),
    "none": ("{'c': None}", {"c": 4}),
    "list": ("{'c': [1, 2]}", {"c": 5}),
    "class": ("{'m': Lasso}", {"m": 1}),
    "name": ("{'m': 'Lasso', 'lasso_alpha': 0.5}", {"m": 1, "lasso_alpha": 0.5}),
    "items": ("{'m': {'kind': 'knn'}}", {"m": 2}),
    "implied": ("{'lasso_alpha': 0.5}", {"lasso_alpha": 0.5, "m": 1}),
    "nothing": ("{}", {}),
}


@pytest.mark.parametrize(("entry", "point"), FIRST.values(), ids=FIRST)
def test_first_points_by_value(tmp_path: Path, entry: str, point: dict[str, Any]) -> None:
    [found] = load_parts(tmp_path, f"{FIRST_SPACE}\nFIRST = [{entry}]\n").first_points()
    assert found == pytest.approx(point)
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in point.items()}


def test_first_values_come_back_as_params(tmp_path: Path) -> None:
    space = load_parts(
        tmp_path,
        "SPACE = {'a': hp.loguniform('a', -3, 0), 'b': scope.int(hp.quniform('b', 1, 9, 1)),"
        " 'c': hp.choice('c', ['x', 'y'])}\nFIRST = [{'a': 0.5, 'b': 7, 'c': 'y'}]",
    )
    [point] = space.first_points()
    assert space.params(point) == space.first[0]


def test_messages_name_the_file_relative_to_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(SpaceError) as caught:
        load(tmp_path / "sub", "SPACE = 1")
    assert re.match(r"space sub/x\.py: ", str(caught.value))
