"""Models that somebody made to do harm: each would write a file, or crash whoever predicts with it."""

import io
import json
import operator
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

MLMODEL = "flavors: {sklearn: {serialization_format: skops, pickled_model: model.skops}}"
X, Y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
call, attribute, item = operator.methodcaller, operator.attrgetter, operator.itemgetter


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.sentinel,)


def write(folder: Path, mlmodel: str | bytes = MLMODEL, **files: bytes) -> Path:
    """Write a model's files; ``model`` stands for model.skops, a sound one by default."""
    folder.mkdir()
    content = mlmodel.encode() if isinstance(mlmodel, str) else mlmodel
    (folder / "MLmodel").write_bytes(content)
    (folder / "model.skops").write_bytes(files.pop("model", None) or sound())
    for name, body in files.items():
        path = folder / name.replace("__", "/").replace("_pkl", ".pkl").replace("_py", ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    return folder


def sound() -> bytes:
    """A regression that does no harm."""
    return dumped(Ridge().fit(X, Y))


def dumped(model: Any) -> bytes:
    return bytes(skops.io.dumps(model))


def chain(*functions: Any) -> bytes:
    """A pipeline that hands its rows through functions, then to a regression."""
    steps = [FunctionTransformer(function) for function in functions]
    return dumped(make_pipeline(*steps, Ridge().fit(X, Y)))


def shell(sentinel: Path) -> bytes:
    """From a table by attributes and items to ``os.system``: no type in it but those of our own features."""
    return chain(
        attribute("__class__.__init__.__globals__"), item("sys"), attribute("modules"), item("os"),
        call("system", f"touch {sentinel}"),
    )  # fmt: skip


def bomb(sentinel: Path) -> bytes:
    return pickle.dumps(Bomb(sentinel))


def crafted_tree() -> bytes:
    """A tree whose nodes lead far outside its memory; reading it is sound, predicting crashes."""
    source = zipfile.ZipFile(io.BytesIO(dumped(DecisionTreeRegressor().fit(X, Y))))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            target.writestr(name, _misled(source.read(name)) if name.endswith(".npy") else source.read(name))
    return made.getvalue()


def edited(model: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """The same with its description edited."""
    source, made = zipfile.ZipFile(io.BytesIO(model)), io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                edit(schema)
                content = json.dumps(schema).encode()
            target.writestr(name, content)
    return made.getvalue()


def _misled(npy: bytes) -> bytes:
    nodes = np.load(io.BytesIO(npy))
    if nodes.dtype.names is None or "left_child" not in nodes.dtype.names:
        return npy
    nodes["left_child"] = nodes["right_child"] = 2**40
    out = io.BytesIO()
    np.save(out, nodes)
    return out.getvalue()
