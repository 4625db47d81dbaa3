"""What data a sweep uses, as the user named it, and the checks that need no data. Standard library only."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from sweeps.data.months import PREFIX, data_folder, parse_months, require_months
from sweeps.errors import DataError, UsageError, absent, unknown

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class DataSpec:
    """The data of a sweep; ``asdict`` of it is stored in MLflow and ``DataSpec(**that)`` loads again.

    Exactly one of ``name``, ``table`` and ``train`` says where the rows come from.
    """

    name: str | None = None
    """``diabetes``, ``green-taxi:TRAIN,VALID[,TEST]`` or ``module.py:function``."""
    train: str | None = None
    valid: str | None = None
    test: str | None = None
    table: str | None = None
    """One file, split 60/20/20."""
    target: str | None = None
    split_by: str | None = None
    """Split ``table`` by the order of this column (earliest rows train), else by ``seed``."""
    seed: int = 0
    categorical: tuple[str, ...] = ()
    """Columns that are categories although they hold numbers."""
    data_dir: str | None = None
    cv: int | None = None
    """Folds over train and validation rows; None validates on the validation rows."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "categorical", tuple(self.categorical))

    @property
    def files(self) -> dict[str, str]:
        """File by option name, in the order table, train, valid, test."""
        named = {"--table": self.table, "--train": self.train, "--valid": self.valid, "--test": self.test}
        return {option: path for option, path in named.items() if path is not None}

    def located(self) -> Self:
        """Give the same with absolute paths."""
        paths = {key: getattr(self, key) for key in ("train", "valid", "test", "table", "data_dir")}
        if self.name is not None and self.name.startswith(PREFIX):
            paths["data_dir"] = str(data_folder(self.data_dir))
        given = {key: path for key, path in paths.items() if path is not None}
        absolute: dict[str, Any] = {key: str(Path(path).absolute()) for key, path in given.items()}
        if self.function is not None:
            absolute["name"] = f"{self.function[0].absolute()}:{self.function[1]}"
        return replace(self, **absolute)

    @property
    def function(self) -> tuple[Path, str] | None:
        """File and function of ``module.py:function``; None for other data."""
        path, colon, function = (self.name or "").rpartition(":")
        return (Path(path), function) if colon and path.endswith(".py") else None


def check_spec(spec: DataSpec) -> None:
    """Find mistakes that can be seen without reading the data.

    Raises:
        UsageError: what is asked for contradicts itself.
        DataError: what is asked for cannot exist; the first mistake found.
    """
    _check_source(spec)
    _check_numbers(spec)
    if spec.name is None:
        _check_files(spec)
    else:
        _check_name(spec, spec.name)


def _check_source(spec: DataSpec) -> None:
    sources = {"--data": spec.name, "--table": spec.table, "--train": spec.train}
    named = [option for option, value in sources.items() if value is not None]
    if not named:
        hint = "--data diabetes, --table FILE --target COL, or --train FILE --valid FILE --target COL"
        raise UsageError("data", "none is named", hint)
    if len(named) > 1:
        raise UsageError(" and ".join(named), "name the data twice", "keep one of them")
    extra = [option for option in spec.files if option not in ("--table", "--train")]
    if extra and spec.train is None:
        raise UsageError(extra[0], f"goes with --train, not with {named[0]}", "leave it out")
    if spec.split_by is not None and (spec.train is not None or _has_own_splits(spec)):
        raise UsageError("--split-by", f"{named[0]} is split already", "use it with --table")


def _has_own_splits(spec: DataSpec) -> bool:
    return spec.name is not None and spec.function is None


def _check_numbers(spec: DataSpec) -> None:
    if spec.cv is not None and not 2 <= spec.cv <= 100:
        raise UsageError(f"--cv {spec.cv}", "the number of folds must be from 2 to 100", "try --cv 5")
    if not 0 <= spec.seed < 2**32:
        raise UsageError(f"--split-seed {spec.seed}", "a seed must be from 0 to 4294967295")


def _check_name(spec: DataSpec, name: str) -> None:
    if spec.function is not None:
        _check_function(name, *spec.function)
        return
    if name.startswith(PREFIX):
        _check_taxi(spec, name)
    elif name != "diabetes":
        known = ["diabetes", "green-taxi:TRAIN,VALID,TEST", "module.py:function"]
        raise DataError("--data", unknown("data", name, known), "a file goes with --table or --train")
    if spec.target is not None:
        raise UsageError("--target", f"{name} has its own target", _target_hint(spec.target))


def _target_hint(target: str) -> str:
    """A number is more likely meant as the rmse to stop at than as the name of a column."""
    number = re.fullmatch(r"\d+(\.\d*)?|\.\d+", target)
    return f"leave it out; to stop at an rmse: --target-rmse {target}" if number else "leave it out"


def _check_function(name: str, path: Path, function: str) -> None:
    if reason := absent(path):
        raise DataError(f"--data {name}", f"{reason}: {path}")
    if not path.is_file():
        raise DataError(f"--data {name}", f"{path} is no file")
    if not function.isidentifier():
        raise DataError(f"--data {name}", f"{function!r} is no function name", "write module.py:function")


def _check_taxi(spec: DataSpec, name: str) -> None:
    months = len(parse_months(name))
    if months > 3:
        raise DataError(
            f"--data {name}", f"{months} months; at most train, validation and test", "name 2 or 3"
        )
    if months < 2 and spec.cv is None:
        raise DataError(f"--data {name}", "no month to validate on", "name a second month, or --cv 5")
    require_months(name, data_folder(spec.data_dir))


def _check_files(spec: DataSpec) -> None:
    for option, path in spec.files.items():
        _check_file(option, path)
    _refuse_same_file(spec.files)
    if spec.target is None:
        raise UsageError(next(iter(spec.files)), "no target column named", "pass --target COL")
    if spec.table is None and spec.valid is None and spec.cv is None:
        raise UsageError("--train", "no rows to validate on", "pass --valid FILE, or --cv 5")


def _check_file(option: str, name: str) -> None:
    what, path = f"{option} {name}", Path(name)
    if "://" in name:
        raise DataError(what, "is a web address; only local files are read", "download it first")
    if reason := absent(path):
        raise DataError(what, reason, "" if path.is_absolute() else f"looked in {Path.cwd()}")
    if path.is_dir():
        raise DataError(what, "is a folder, not a file")
    if not name.lower().endswith(SUFFIXES):
        pickled = name.lower().endswith((".pkl", ".pickle", ".joblib"))
        reason = f"only {', '.join(SUFFIXES)}" + (" (pickle files can run code)" if pickled else "")
        raise DataError(what, reason, "convert it")
    if not os.access(path, os.R_OK):
        raise DataError(what, "no permission to read it")
    if path.stat().st_size == 0:
        raise DataError(what, "file is empty")


def _refuse_same_file(files: dict[str, str]) -> None:
    seen: dict[Path, str] = {}
    for option, path in files.items():
        first = seen.setdefault(Path(path).resolve(), option)
        if first != option:
            reason = f"is the same file as {first}, the figures would be worthless"
            raise DataError(f"{option} {path}", reason, "name another file, or --table to split one")
