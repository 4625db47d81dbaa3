"""The cache of data: what it gives is what would be built anew, and nothing that befalls it costs a sweep."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException

from sweeps.data import datasets
from sweeps.data.cache import DataCache
from sweeps.data.cache_entries import Entries, NotStorableError
from sweeps.data.cache_folder import cache_folder
from sweeps.data.cache_keys import digest_transformer, encoded_key
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.digest import digest_split
from sweeps.data.prepared import open_folds, open_refit, prepare
from sweeps.data.spec import DataSpec
from sweeps.data.stored_transformer import dump_transformer, load_transformer
from sweeps.errors import SpaceError
from sweeps.trial import Encoding, Fold
from tests.bad.places import without_privilege

NATIVE, ONE_HOT = Encoding(True, True), Encoding(False, False)
PROGRAM = """
import sys
from pathlib import Path
from sweeps.data.cache import DataCache
from sweeps.data.spec import DataSpec
from sweeps.trial import Encoding

store, table, scratch = sys.argv[1:]
with DataCache(Path(store)) as cache:
    dataset = cache.load(DataSpec(table=table, target="y"))
    prepared = cache.prepare(dataset, Encoding(True, True), "auto", Path(scratch))
    heavy = [m for m in ("sklearn", "skops", "pyarrow.parquet") if m in sys.modules]
    print(prepared.folder, *heavy, flush=True)
    sys.stdin.readline()
    cache.flush()
    print(*cache.warnings, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def table(tmp_path: Path) -> str:
    return make_table(tmp_path / "table.parquet")


def make_table(path: Path, seed: int = 1) -> str:
    """A table with every type of column, missing values in most."""
    rng, n = np.random.default_rng(seed), 300
    gaps, first = rng.random(n) < 0.1, pd.Timestamp("2024-01-01 00:00:00.000001")
    frame = pd.DataFrame(
        {
            "whole": rng.integers(-(2**40), 2**40, n),
            "number": np.where(gaps, np.nan, rng.normal(size=n) * 1e-300),
            "flag": rng.random(n) < 0.5,
            "text": pd.Series(rng.choice(["a", "ä\U0001f600", "1", "", 'q"\n'], n)).mask(gaps),
            "other": rng.choice(list("uvw"), n),
            "when": pd.Series(first + pd.to_timedelta(rng.integers(0, 9**9, n), unit="s")).mask(gaps),
            "zone": pd.Categorical(rng.integers(0, 9, n)),
            " spaced": rng.normal(size=n),
            "empty": np.full(n, np.nan),
            "y": rng.normal(size=n),
        }
    )  # fmt: skip
    frame.to_parquet(path)
    return str(path)


def assert_same_dataset(found: Dataset, expected: Dataset) -> None:
    for field in fields(Dataset):
        if field.name not in ("train", "valid", "test"):
            assert getattr(found, field.name) == getattr(expected, field.name), field.name
            assert type(getattr(found, field.name)) is type(getattr(expected, field.name))
    assert found.splits.keys() == expected.splits.keys()
    for name, split in expected.splits.items():
        again = found.splits[name]
        pd.testing.assert_frame_equal(again.X, split.X, check_exact=True)
        for column in split.X:
            assert [type(v) for v in again.X[column]] == [type(v) for v in split.X[column]]
        assert again.y.tobytes() == split.y.tobytes()
        assert again.digest == split.digest == digest_split(again.X, again.y, found.target)


def assert_same_folds(found: Path, expected: Path) -> None:
    pairs = zip(open_folds(found), open_folds(expected), strict=True)
    for one, other in pairs:
        assert_same_fold(one, other)


def assert_same_fold(one: Fold, other: Fold) -> None:
    assert one.categorical == other.categorical
    for part in ("X_train", "y_train", "X_valid", "y_valid"):
        a, b = getattr(one, part), getattr(other, part)
        assert type(a) is type(b)
        if sp.issparse(a):
            assert_same_arrays(a.data, b.data)
            assert_same_arrays(a.indices, b.indices)
            assert_same_arrays(a.indptr, b.indptr)
        elif a is not None:
            assert_same_arrays(a, b)


def assert_same_arrays(a: Any, b: Any) -> None:
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def names(store: Path, kind: str = "") -> list[str]:
    folder = store / "rows"
    return sorted(p.name for p in folder.iterdir() if p.name.startswith(kind)) if folder.exists() else []


def fill(
    store: Path, spec: DataSpec, scratch: Path, encoding: Encoding = NATIVE, features: Any = "auto"
) -> Dataset:
    """Load and prepare once, so that both are in the cache."""
    with DataCache(store) as cache:
        dataset = cache.load(spec)
        cache.prepare(dataset, encoding, features, scratch)
        cache.flush()
        assert cache.warnings == []
    return dataset


def start(store: Path, table: str, scratch: Path, **environment: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", PROGRAM, str(store), table, str(scratch)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, env=os.environ | environment, **pipes)


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("more", [{}, {"cv": 3}, {"split_by": "other"}, {"categorical": ("whole",)}])
def test_rows_come_back_exactly(more: dict[str, Any], store: Path, table: str) -> None:
    spec = DataSpec(table=table, target="y", **more)
    expected = load_dataset(spec)
    assert expected.warnings
    with DataCache(store) as cache:
        assert_same_dataset(cache.load(spec), expected)
        cache.flush()
    with DataCache(store) as cache:
        assert_same_dataset(cache.load(spec), expected)
    assert len(names(store, "rows-")) == 1


def test_text_beside_other_values_comes_back_exactly(store: Path, tmp_path: Path) -> None:
    mixed = ["a", "1", None, "1.5"] * 10
    pd.DataFrame({"m": mixed, "d": pd.Categorical(mixed), "y": range(40)}).to_parquet(tmp_path / "m.parquet")
    spec = DataSpec(table=str(tmp_path / "m.parquet"), target="y")
    fill(store, spec, tmp_path / "scratch")
    with DataCache(store) as cache:
        assert_same_dataset(cache.load(spec), load_dataset(spec))


def test_real_months_come_back_exactly(taxi_dir: Path, store: Path, tmp_path: Path) -> None:
    spec = DataSpec(name="green-taxi:2023-01,2023-02,2023-03", data_dir=str(taxi_dir))
    expected = fill(store, spec, tmp_path / "new", features="dataset")
    with DataCache(store) as cache:
        found = cache.load(spec)
        prepared = cache.prepare(found, NATIVE, "dataset", tmp_path / "unused")
    assert_same_dataset(found, expected)
    assert prepared.folder.parent == store / "rows"
    assert_same_folds(prepared.folder, tmp_path / "new")


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("encoding", [NATIVE, ONE_HOT, Encoding(True, False)])
@pytest.mark.parametrize("features", ["auto", "given"])
def test_encoded_arrays_come_back_exactly(
    features: Any, encoding: Encoding, cv: int | None, store: Path, table: str, tmp_path: Path
) -> None:
    if features == "given":
        features = ColumnTransformer([("n", StandardScaler(), ["number", "whole"])])
    spec = DataSpec(table=table, target="y", cv=cv)
    expected = prepare(load_dataset(spec), encoding, features, tmp_path / "plain")
    dataset = fill(store, spec, tmp_path / "scratch", encoding, features)
    with DataCache(store) as cache:
        found = cache.prepare(cache.load(spec), encoding, features, tmp_path / "unused")
        assert found.folder.parent == store / "rows"
        assert not (tmp_path / "unused").exists()
        assert found.warnings == expected.warnings
        assert_same_folds(found.folder, expected.folder)
        if cv:
            assert_same_fold(open_refit(found.folder), open_refit(expected.folder))
        a, b = (p.transformer.transform(dataset.splits["test"].X) for p in (found, expected))
        np.testing.assert_array_equal(*(x.toarray() if sp.issparse(x) else x for x in (a, b)))


def test_a_sparse_matrix_comes_back_exactly(store: Path, table: str, tmp_path: Path) -> None:
    wide = pd.read_parquet(table).assign(other=lambda f: [f"z{i % 140}" for i in range(len(f))])
    wide.to_parquet(tmp_path / "wide.parquet")
    chosen = ColumnTransformer(
        [("bins", KBinsDiscretizer(150, quantile_method="linear"), ["spaced"])], sparse_threshold=1
    )
    spec = DataSpec(table=str(tmp_path / "wide.parquet"), target="y")
    dataset = fill(store, spec, tmp_path / "scratch", ONE_HOT, chosen)
    with DataCache(store) as cache:
        found = cache.prepare(dataset, ONE_HOT, chosen, tmp_path / "unused")
        assert sp.isspmatrix_csr(open_folds(found.folder)[0].X_train)
        assert_same_folds(found.folder, tmp_path / "scratch")


def test_what_is_found_needs_no_fitting_and_no_reader(store: Path, table: str, tmp_path: Path) -> None:
    processes = []
    for _ in range(2):
        process = start(store, table, tmp_path / "scratch")
        processes.append(told(process).split())
        process.communicate("\n\n", timeout=60)
    assert processes[0] == [str(tmp_path / "scratch"), "sklearn", "pyarrow.parquet"]
    (folder,) = processes[1]
    assert Path(folder).parent == store / "rows"


def test_without_a_folder_nothing_is_kept(table: str, tmp_path: Path) -> None:
    spec = DataSpec(table=table, target="y")
    with DataCache(None) as cache:
        prepared = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / "p")
        cache.flush()
    assert prepared.folder == tmp_path / "p"
    assert cache.warnings == []


def test_what_a_function_returns_is_never_kept(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import pandas as pd\nimport os\n"
        "def load():\n    return pd.DataFrame({'a': range(20), 'y': range(20)}) + len(os.environ['NOISE'])\n"
    )
    spec = DataSpec(name=f"{tmp_path}/mine.py:load", target="y")
    sums = []
    for noise in ("x", "xx"):
        with pytest.MonkeyPatch.context() as patch, DataCache(store) as cache:
            patch.setenv("NOISE", noise)
            sums.append(cache.load(spec).train.y.sum())
            cache.flush()
    assert sums[0] != sums[1]
    assert names(store, "rows-") == []


def test_a_file_is_known_by_its_content(store: Path, tmp_path: Path) -> None:
    tables = [make_table(tmp_path / name, seed) for name, seed in (("a.parquet", 1), ("b.parquet", 2))]
    digests = {fill(store, DataSpec(table=t, target="y"), tmp_path / "s").digest for t in tables}
    assert len(digests) == len(names(store, "rows-")) == 2
    Path(tables[1]).replace(tables[0])
    with DataCache(store) as cache:
        assert cache.load(DataSpec(table=tables[0], target="y")).digest in digests
        cache.flush()
    assert len(names(store, "rows-")) == 3  # under the other file's name: messages name it


def test_months_are_the_same_wherever_they_lie(taxi_dir: Path, store: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        for month in ("2023-01", "2023-02"):
            (folder / f"green_tripdata_{month}.parquet").symlink_to(
                taxi_dir / f"green_tripdata_{month}.parquet"
            )
        fill(store, DataSpec(name="green-taxi:2023-01,2023-02", data_dir=str(folder)), tmp_path / "s")
    assert len(names(store)) == 2


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    store: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(spec: DataSpec) -> Dataset:
        loaded = load_dataset(spec)
        make_table(Path(table), seed=2)
        return loaded

    monkeypatch.setattr(datasets, "load_dataset", read)
    with DataCache(store) as cache:
        cache.load(DataSpec(table=table, target="y"))
        cache.flush()
    assert names(store) == []


def test_everything_that_decides_the_encoding_is_in_its_name(table: str) -> None:
    spec = DataSpec(table=table, target="y")
    data = load_dataset(spec)
    scaled = ColumnTransformer([("n", StandardScaler(), ["number"])])
    keys = [
        encoded_key(data, NATIVE, "auto"),
        encoded_key(data, ONE_HOT, "auto"),
        encoded_key(replace(data, cv=3), NATIVE, "auto"),
        encoded_key(replace(data, cv=4), NATIVE, "auto"),
        encoded_key(replace(data, cv=3, seed=1), NATIVE, "auto"),
        encoded_key(replace(data, categorical=()), NATIVE, "auto"),
        encoded_key(replace(data, train=data.splits["valid"]), NATIVE, "auto"),
        encoded_key(replace(data, valid=data.splits["test"]), NATIVE, "auto"),
        encoded_key(replace(data, recipe="green-taxi"), NATIVE, "dataset"),
        encoded_key(data, NATIVE, scaled),
        encoded_key(data, NATIVE, ColumnTransformer([("n", StandardScaler(with_mean=False), ["number"])])),
    ]
    assert len(set(keys)) == len(keys)
    assert None not in keys


def test_what_decides_nothing_is_not_in_its_name(table: str) -> None:
    data = load_dataset(DataSpec(table=table, target="y"))
    scaled = ColumnTransformer([("n", StandardScaler(), ["number"])])
    assert encoded_key(replace(data, test=None), NATIVE, "auto") == encoded_key(data, NATIVE, "auto")
    assert encoded_key(replace(data, seed=9), NATIVE, "auto") == encoded_key(data, NATIVE, "auto")
    assert encoded_key(data, NATIVE, "dataset") == encoded_key(data, NATIVE, "auto")
    assert encoded_key(data, NATIVE, scaled) == encoded_key(data, ONE_HOT, scaled)
    with pytest.raises(SpaceError, match="unknown features"):
        encoded_key(data, NATIVE, "automatic")


def mine(X: Any) -> Any:
    return X


class Mine(StandardScaler):
    """Its source may change while its name and parameters do not."""


@pytest.mark.parametrize(
    "features",
    [
        FunctionTransformer(mine),
        FunctionTransformer(lambda X: X),
        Mine(),
        ColumnTransformer([("a", Mine(), ["number"])]),
        RandomForestRegressor(criterion=skops.io.dumps),
    ],
)
def test_code_of_the_users_has_no_digest(features: Any) -> None:
    assert digest_transformer(features) is None


def test_features_with_code_of_the_users_are_fitted_each_time(
    store: Path, table: str, tmp_path: Path
) -> None:
    chosen = ColumnTransformer([("a", Mine(), ["number"])])
    fill(store, DataSpec(table=table, target="y"), tmp_path / "p", features=chosen)
    assert names(store, "encoded-") == []


def test_a_transformer_has_the_same_digest_in_every_process() -> None:
    code = (
        "from sweeps.data.taxi_features import course_features;"
        "from sweeps.data.cache_keys import digest_transformer; print(digest_transformer(course_features()))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
    assert "None" not in digests.pop()


def flush_together(cache: DataCache, barrier: Any) -> None:
    barrier.wait(timeout=60)
    cache.flush()
    sys.exit(len(cache.warnings))


def test_of_several_builders_at_once_one_entry_remains(store: Path, table: str, tmp_path: Path) -> None:
    spec, forked = DataSpec(table=table, target="y"), multiprocessing.get_context("fork")
    built, barrier = [DataCache(store) for _ in range(4)], forked.Barrier(4)
    for i, cache in enumerate(built):
        prepared = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / f"scratch{i}")
        assert prepared.folder == tmp_path / f"scratch{i}"
    processes = [forked.Process(target=flush_together, args=(cache, barrier)) for cache in built]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert [name.split("-")[0] for name in names(store)] == ["encoded", "rows"]
    with DataCache(store) as cache:
        found = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / "unused")
        assert found.folder.parent == store / "rows"
        assert_same_folds(found.folder, tmp_path / "scratch0")


def killed_while_writing(store: Path) -> None:
    code = (
        "import os; from pathlib import Path; from sweeps.data.cache_entries import Entries\n"
        "def write(folder):\n"
        "    (folder / 'one').write_text('half'); os.kill(os.getpid(), 9)\n"
        f"Entries(Path({str(store)!r})).add('rows-' + '0' * 32, write)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL


def test_a_killed_builder_leaves_no_entry_and_in_time_no_trace(tmp_path: Path) -> None:
    killed_while_writing(tmp_path)
    entries, name = Entries(tmp_path), "rows-" + "0" * 32
    assert entries.open(name) is None
    entries.add(name, write_bytes(10))
    (left,) = tmp_path.glob(".build-*")  # it might still be at work
    os.utime(left, (0, 0))
    entries.add("rows-" + "1" * 32, write_bytes(10))
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, "rows-" + "1" * 32]


def write_bytes(size: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "data").write_bytes(b"x" * size)

    return write


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a file cut off": lambda entry: truncate(max(entry.glob("*.npy"), key=lambda p: p.stat().st_size)),
    "a bit turned": lambda entry: flip(max(entry.glob("*.npy"), key=lambda p: p.stat().st_size)),
    "a file gone": lambda entry: next(entry.glob("*.npy")).unlink(),
    "an index changed": lambda entry: flip(
        next(p for p in entry.glob("*.json") if p.name != "manifest.json")
    ),
    "the manifest cut off": lambda entry: truncate(entry / "manifest.json"),
    "the manifest empty": lambda entry: (entry / "manifest.json").write_text(""),
    "the manifest odd": lambda entry: (entry / "manifest.json").write_text("[1]"),
    "the manifest gone": lambda entry: (entry / "manifest.json").unlink(),
    "all gone": lambda entry: [path.unlink() for path in entry.iterdir()],
}


@pytest.mark.parametrize("kind", ["rows-", "encoded-"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_built_again(
    damage: str, kind: str, store: Path, table: str, tmp_path: Path
) -> None:
    spec = DataSpec(table=table, target="y")
    expected = fill(store, spec, tmp_path / "first")
    before = names(store)
    DAMAGE[damage](store / "rows" / names(store, kind)[0])
    assert_same_dataset(fill(store, spec, tmp_path / "again"), expected)
    assert names(store) == before
    assert (tmp_path / "again").exists() == (kind == "encoded-")
    with DataCache(store) as cache:
        found = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / "unused")
    assert found.folder.parent == store / "rows"
    assert_same_folds(found.folder, tmp_path / "first")


def test_a_file_in_place_of_the_folder_is_no_obstacle(table: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spec = DataSpec(table=table, target="y")
    with DataCache(tmp_path / "file") as cache:
        prepared = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / "p")
        cache.flush()
        cache.flush()
    assert open_folds(prepared.folder)
    (warning,) = cache.warnings
    for part in (str(tmp_path / "file"), "Not a directory", "SWEEPS_CACHE_DIR", "--no-cache"):
        assert part in warning


def test_a_disk_that_takes_no_more_is_no_obstacle(store: Path, table: str, tmp_path: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); cache.flush()"
    code = PROGRAM.replace("cache.flush()", full)
    words = [sys.executable, "-B", "-c", code, str(store), table, str(tmp_path / "p")]
    done = subprocess.run(words, input="\n\n", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "the data will be read and encoded again next time" in done.stdout
    assert names(store) == []
    assert open_folds(tmp_path / "p")


def test_a_cache_that_may_only_be_read_still_serves(tmp_path: Path) -> None:
    with TemporaryDirectory() as name, TemporaryDirectory() as scratch:
        store, spec = Path(name), DataSpec(table=make_table(Path(scratch) / "t.parquet"), target="y")
        fill(store, spec, tmp_path / "first")
        for path in (store, Path(scratch), *store.rglob("*/")):
            path.chmod(0o555)
        with without_privilege(), DataCache(store) as cache:
            found = cache.prepare(cache.load(spec), NATIVE, "auto", tmp_path / "unused")
            cache.load(replace(spec, seed=1))
            cache.flush()
        assert found.folder.parent == store / "rows"
        assert_same_folds(found.folder, tmp_path / "first")
        assert "Permission denied" in cache.warnings[0]
        for path in (store, *store.rglob("*/")):
            path.chmod(0o755)


def test_the_users_rows_are_for_the_user_alone(store: Path, table: str, tmp_path: Path) -> None:
    fill(store, DataSpec(table=table, target="y"), tmp_path / "p")
    for folder in (store / "rows", *(store / "rows").iterdir()):
        assert folder.stat().st_mode & 0o777 == 0o700


def used_at(folder: Path, name: str, second: int) -> None:
    os.utime(folder / name / "manifest.json", (second, second))


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    entries, named = Entries(tmp_path, limit=3500), [f"rows-{i:032x}" for i in range(4)]
    for second, name in enumerate(named[:3]):
        entries.add(name, write_bytes(1000))
        used_at(tmp_path, name, second)
    (tmp_path / "mine").mkdir()
    assert entries.open(named[0]) is not None  # used now
    entries.close()
    entries.add(named[3], write_bytes(1000))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", named[0], named[2], named[3]]


def test_an_entry_beyond_the_limit_is_not_kept_and_drives_none_out(tmp_path: Path) -> None:
    entries = Entries(tmp_path, limit=2000)
    entries.add("rows-" + "0" * 32, write_bytes(1000))
    entries.add("rows-" + "1" * 32, write_bytes(3000))
    assert [p.name for p in tmp_path.iterdir()] == ["rows-" + "0" * 32]


def test_what_a_process_uses_stays(store: Path, table: str, tmp_path: Path) -> None:
    fill(store, DataSpec(table=table, target="y"), tmp_path / "p")
    user, before = start(store, table, tmp_path / "unused"), names(store)
    folder = Path(told(user))
    crowd = Entries(store / "rows", limit=2000)
    crowd.add("rows-" + "0" * 32, write_bytes(10))
    assert names(store) == sorted(before)  # the newcomer had to go
    assert_same_folds(folder, tmp_path / "p")
    DAMAGE["a bit turned"](folder)
    assert crowd.open(folder.name) is None
    assert folder.exists()  # even so: its user has checked it before
    user.communicate("\n\n", timeout=60)
    crowd.add("rows-" + "0" * 32, write_bytes(10))
    assert names(store) == ["rows-" + "0" * 32]


def test_an_entry_in_use_here_stays(tmp_path: Path) -> None:
    entries, name = Entries(tmp_path, limit=1), "rows-" + "0" * 32
    Entries(tmp_path).add(name, write_bytes(10))
    path = entries.open(name)
    assert path is not None
    Entries(tmp_path, limit=1).add("rows-" + "1" * 32, write_bytes(0))
    assert path.exists()
    entries.close()
    Entries(tmp_path, limit=1).add("rows-" + "1" * 32, write_bytes(0))
    assert not path.exists()


@pytest.mark.parametrize("odd", [FunctionTransformer(os.system), Mine()])
def test_bytes_that_hold_other_types_are_not_loaded(odd: Any) -> None:
    with pytest.raises(UntrustedTypesFoundException):
        load_transformer(skops.io.dumps(odd))
    with pytest.raises(NotStorableError):
        dump_transformer(odd)


def test_the_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SWEEPS_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "sweeps"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "sweeps"
    monkeypatch.setenv("SWEEPS_CACHE_DIR", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
